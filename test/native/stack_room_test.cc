// What the handler takes of a small signal stack, and what it does where there is no room.
#include "signal_safe/handler/stack_room.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core_support.h"
#include "handler_support.h"
#include "platform/threads.h"
#include "signal_safe/handler/disarmed_stack.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/protection_keys.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof::test {
namespace {

size_t FrameBytes() {
#ifdef AT_MINSIGSTKSZ
  if (const size_t bytes = getauxval(AT_MINSIGSTKSZ); bytes != 0) return bytes;
#endif
  return 4096;
}

// Delivers one tick on a signal stack of `size` bytes that has been filled with a pattern.
class PaintedStack {
 public:
  explicit PaintedStack(size_t size, int flags = 0)
      : size_(size), memory_(kBelow + size, kPattern) {
    const stack_t stack = {memory_.data() + kBelow, flags, size};
    is_set_ = sigaltstack(&stack, &former_) == 0;
    struct sigaction action {};
    action.sa_sigaction = HandleProfilingSignal;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    action.sa_mask = SignalSet(kHandlerMask);
    sigaction(SIGUSR1, &action, &action_);
  }
  ~PaintedStack() {
    sigaction(SIGUSR1, &action_, nullptr);
    sigaltstack(&former_, nullptr);
  }
  bool is_set() const { return is_set_; }
  static void Deliver(siginfo_t info) {
    info.si_signo = SIGUSR1;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), CurrentThreadId(), SIGUSR1, &info);
  }
  // From the top down to the last byte that has been written to.
  size_t Used() const {
    size_t untouched = 0;
    while (untouched < size_ && memory_[kBelow + untouched] == kPattern) untouched++;
    return size_ - untouched;
  }
  bool IsIntactBelow() const {
    for (size_t i = 0; i < kBelow; i++) {
      if (memory_[i] != kPattern) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kBelow = 65536;
  static constexpr char kPattern = 0x5a;
  const size_t size_;
  std::vector<char> memory_;
  stack_t former_{};
  struct sigaction action_ {};
  bool is_set_ = false;
};

TEST(StackRoom, IsWhatTheSignalStackHasBelowTheHandler) {
  char memory[256];
  const auto at = [&](size_t offset) { return reinterpret_cast<uintptr_t>(memory) + offset; };
  const size_t large = kHandlerStackBytes + kFaultStackBytes + 4096;
  stack_t stack = {memory, 0, 2 * large};
  EXPECT_EQ(FindStackRoom(stack, at(large), 4096), StackRoom::kEnough);
  EXPECT_EQ(FindStackRoom(stack, at(large - 1), 4096), StackRoom::kNoFaults);
  EXPECT_EQ(FindStackRoom(stack, at(kHandlerStackBytes), 4096), StackRoom::kNoFaults);
  EXPECT_EQ(FindStackRoom(stack, at(kHandlerStackBytes - 1), 4096), StackRoom::kNone);
  // Not on it: a fault of a guarded load would be delivered there.
  EXPECT_EQ(FindStackRoom(stack, at(2 * large), 4096), StackRoom::kEnough);
  stack.ss_size = 4096;
  EXPECT_EQ(FindStackRoom(stack, at(2 * large), 4096), StackRoom::kNoFaults);
  stack.ss_flags = SS_DISABLE;
  EXPECT_EQ(FindStackRoom(stack, at(2 * large), 4096), StackRoom::kEnough);
  stack = {nullptr, 0, 0};
  EXPECT_EQ(FindStackRoom(stack, at(0), 4096), StackRoom::kEnough);
}

TEST(StackRoom, TheHandlerNeedsNoMoreThanItSays) {
  HandlerHarness harness;
  const uint32_t slot = harness.AddThread();
  PaintedStack stack(1 << 20);
  ASSERT_TRUE(stack.is_set());
  for (int i = 0; i < 3; i++) stack.Deliver(harness.Tick(slot));
  EXPECT_EQ(harness.Sum().written, 3u);
  ASSERT_GT(stack.Used(), FrameBytes() / 2);
  const size_t handler = stack.Used() - std::min(stack.Used(), FrameBytes());
  RecordProperty("handler_bytes", static_cast<int>(handler));
  std::printf("the handler took %zu bytes of stack, the kernel's frame up to %zu\n", handler,
              FrameBytes());
  EXPECT_LE(handler, kHandlerStackBytes);
}

TEST(StackRoom, OnASmallSignalStackTheSampleIsGivenUpAndNothingBelowIsTouched) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan delivers signals later, on another stack";
  HandlerHarness harness;
  harness.context().signal_frame_bytes = FrameBytes();
  const uint32_t slot = harness.AddThread();
  uint64_t rounds = 0;
  // From what the kernel accepts up to what is enough. The kernel's own frame must fit.
  for (size_t size = AlignUp(FrameBytes() + 1024 * kStackScale, 256);
       size < FrameBytes() * 2 + 8192 * kStackScale; size += 256) {
    PaintedStack stack(size);
    if (!stack.is_set()) continue;
    stack.Deliver(harness.Tick(slot));
    rounds++;
    EXPECT_TRUE(stack.IsIntactBelow()) << size;
  }
  const Totals totals = harness.Sum();
  const uint64_t dropped = totals.dropped[static_cast<size_t>(DropReason::kNoStack)];
  EXPECT_GT(dropped, 0u);
  EXPECT_GT(totals.written, 0u);
  EXPECT_EQ(dropped + totals.written, rounds);
}

TEST(StackRoom, ADisarmedStackIsKnownFromWhenItWasArmed) {
  char memory[256];
  const auto at = [&](size_t offset) { return reinterpret_cast<uintptr_t>(memory) + offset; };
  const stack_t none = {nullptr, SS_DISABLE, 0};
  const stack_t disarmable = {memory, static_cast<int>(kAutoDisarm), 200};
  DisarmedStack seen{};
  EXPECT_EQ(KnownSignalStack(none, at(100), &seen).ss_size, 0u) << "none has been seen";
  EXPECT_EQ(KnownSignalStack(disarmable, at(250), &seen).ss_size, 200u);
  EXPECT_EQ(KnownSignalStack(none, at(100), &seen).ss_sp, memory);
  EXPECT_EQ(KnownSignalStack(none, at(100), &seen).ss_size, 200u);
  EXPECT_EQ(KnownSignalStack(none, at(200), &seen).ss_size, 0u) << "elsewhere";
  const stack_t other = {memory, 0, 200};
  EXPECT_EQ(KnownSignalStack(other, at(100), &seen).ss_size, 200u);
  EXPECT_EQ(KnownSignalStack(none, at(100), &seen).ss_size, 0u) << "another has taken its place";
}

TEST(StackRoom, ADisarmedStackIsFoundInTheKernelsFrame) {
  const stack_t none = {nullptr, SS_DISABLE, 0};
  alignas(16) static uint64_t memory[1024];  // of other stacks, at first
  const auto at = [](size_t word) { return reinterpret_cast<uintptr_t>(memory + word); };
  DisarmedStack seen{};
  EXPECT_EQ(KnownSignalStack(none, at(16), &seen).ss_size, 0u);
  const uintptr_t high = seen.plain_high;
  EXPECT_GE(high, at(17));
  EXPECT_EQ(KnownSignalStack(none, at(16), &seen).ss_size, 0u) << "it has been looked at";
  seen = {};
  const stack_t saved = {memory, static_cast<int>(kAutoDisarm), sizeof(memory)};
  std::memcpy(&memory[900], &saved, sizeof(saved));
  EXPECT_EQ(KnownSignalStack(none, at(16), &seen).ss_sp, memory);
  EXPECT_EQ(KnownSignalStack(none, at(16), &seen).ss_size, sizeof(memory));
  // The frame of a handler on a stack that was not taken away, or of another stack, says nothing.
  for (const stack_t& other : {stack_t{memory, 0, sizeof(memory)}, stack_t{memory, SS_DISABLE, 0},
                               stack_t{memory + 512, static_cast<int>(kAutoDisarm), 64}}) {
    seen = {};
    std::memcpy(&memory[900], &other, sizeof(other));
    EXPECT_EQ(KnownSignalStack(none, at(16), &seen).ss_size, 0u);
  }
}

siginfo_t g_tick;
void TakeTick(int) { PaintedStack::Deliver(g_tick); }

// The kernel takes such a stack away while a handler of the program's runs on it, so that our own
// signal is told of no stack, and comes on that one.
TEST(StackRoom, OnASignalStackThatIsDisarmedNothingBelowIsTouched) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan delivers signals later, on another stack";
  HandlerHarness harness;
  harness.context().signal_frame_bytes = FrameBytes();
  const uint32_t slot = harness.AddThread();
  g_tick = harness.Tick(slot);
  struct sigaction action {};
  struct sigaction former {};
  action.sa_handler = TakeTick;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigaction(SIGUSR2, &action, &former);
  for (size_t size = AlignUp(FrameBytes() * 2 + 768 * kStackScale, 256);
       size < FrameBytes() * 3 + 8192 * kStackScale; size += 256) {
    PaintedStack stack(size, static_cast<int>(kAutoDisarm));
    if (!stack.is_set()) continue;
    raise(SIGUSR2);  // the first tick since the stack was set
    EXPECT_TRUE(stack.IsIntactBelow()) << size;
  }
  sigaction(SIGUSR2, &former, nullptr);
  const Totals totals = harness.Sum();
  EXPECT_GT(totals.dropped[static_cast<size_t>(DropReason::kNoStack)], 0u);
  EXPECT_GT(totals.written, 0u);
}

// Of a large one, a handler can have used so much that nothing is left for ours.
TEST(StackRoom, ALargeStackIsFoundWhereItsHandlerHasUsedNearlyAllOfIt) {
  const stack_t none = {nullptr, SS_DISABLE, 0};
  alignas(16) static uint64_t memory[256 * 1024 / sizeof(uint64_t)];
  const stack_t saved = {memory, static_cast<int>(kAutoDisarm), sizeof(memory)};
  constexpr size_t kUsedWords = 60 * 1024 / sizeof(uint64_t);
  std::memcpy(&memory[256 + kUsedWords], &saved, sizeof(saved));
  DisarmedStack seen{};
  const auto here = reinterpret_cast<uintptr_t>(&memory[256]);
  EXPECT_EQ(KnownSignalStack(none, here, &seen).ss_size, sizeof(memory));
  EXPECT_EQ(FindStackRoom(KnownSignalStack(none, here, &seen), here, FrameBytes()),
            StackRoom::kNone);
}

TEST(StackRoom, ALoadThatHasNoRoomForAFaultGoesThroughTheKernel) {
  HandlerHarness harness;
  EXPECT_FALSE(internal::LoadsByKernel());
  {
    const LoadsWithoutFaults loads(true);
    EXPECT_TRUE(internal::LoadsByKernel());
    uint64_t word = 0;
    EXPECT_FALSE(GuardedLoad64(8, &word));
    const LoadsWithoutFaults more(false);
    CheckLoadGuard(1);
    EXPECT_TRUE(internal::LoadsByKernel());
  }
  EXPECT_FALSE(internal::LoadsByKernel());
}

TEST(SmallStacks, AreFound) {
  const auto is_small = [](size_t stack_bytes) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
    struct Result {
      bool is_small;
    } result{};
    pthread_t thread;
    const auto run = [](void* data) -> void* {
      static_cast<Result*>(data)->is_small = HasSmallStack(CurrentThreadId(), 64 * 1024);
      return nullptr;
    };
    EXPECT_EQ(pthread_create(&thread, &attributes, run, &result), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    return result.is_small;
  };
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_TRUE(is_small(32 * 1024));
  EXPECT_TRUE(is_small(PTHREAD_STACK_MIN > 16384 ? PTHREAD_STACK_MIN : 16384));
#endif
  EXPECT_FALSE(is_small(256 * 1024));
  EXPECT_FALSE(is_small(8 << 20));
  EXPECT_FALSE(HasSmallStack(getpid(), 64 * 1024));
}

// A thread as it is before libc's first instructions on it: a scan may meet one at that moment.
TEST(SmallStacks, AreNotGuessedBeforeLibcHasSetAThreadUp) {
  if (kSanitized) GTEST_SKIP() << "sanitizers do not know threads that libc has not made";
  EXPECT_TRUE(IsSetUpByLibc(getpid()));
  alignas(16) static char stack[64 * 1024];
  static std::atomic<int> may_end{0};
  static std::atomic<pid_t> cleared{0};
  may_end = 0;
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                    CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  const auto run = [](void*) {
    while (may_end.load() == 0) kernel::Call(SYS_sched_yield);
    kernel::Call(SYS_exit, 0);
    return 0;
  };
  const pid_t tid =
      clone(run, stack + sizeof(stack), flags, nullptr, reinterpret_cast<pid_t*>(&cleared), nullptr,
            reinterpret_cast<pid_t*>(&cleared));
  ASSERT_GT(tid, 0);
  EXPECT_FALSE(IsSetUpByLibc(tid));
  may_end = 1;
  while (cleared.load() != 0) std::this_thread::yield();
  bool is_set_up = false;
  std::thread([&is_set_up] { is_set_up = IsSetUpByLibc(CurrentThreadId()); }).join();
  EXPECT_TRUE(is_set_up);
}

TEST(ProtectionKeys, AllBecomeReadableAndNoneWritable) {
  EXPECT_EQ(ReadablePkru(0x55555554), 0xaaaaaaa8u);  // as the kernel enters a handler
  EXPECT_EQ(ReadablePkru(0), 0u);
  EXPECT_EQ(ReadablePkru(0xfffffffc), 0xaaaaaaa8u);
  EXPECT_EQ(ReadablePkru(0x00000008), 0x00000008u) << "readable, not writable: as it was";
}

int g_protected_key_seen = -1;
const uint64_t* g_protected_word = nullptr;

void ReadProtected(int, siginfo_t*, void*) {
  uint64_t word = 0;
  const bool before = GuardedLoad64(reinterpret_cast<uintptr_t>(g_protected_word), &word);
  const ReadableKeys keys;
  const bool after = GuardedLoad64(reinterpret_cast<uintptr_t>(g_protected_word), &word);
  g_protected_key_seen = (before ? 1 : 0) | (after && word == 42 ? 2 : 0);
}

TEST(ProtectionKeys, AHandlerReadsAPageUnderAKeyOfItsOwn) {
  FindProtectionKeys();
  const int key = HasProtectionKeys() ? pkey_alloc(0, 0) : -1;
  if (key < 0) GTEST_SKIP() << "this processor or kernel has no memory protection keys";
  HandlerHarness harness;
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  *static_cast<uint64_t*>(page) = 42;
  ASSERT_EQ(pkey_mprotect(page, 4096, PROT_READ | PROT_WRITE, key), 0);
  g_protected_word = static_cast<const uint64_t*>(page);
  struct sigaction action {};
  struct sigaction former {};
  action.sa_sigaction = ReadProtected;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, &former);
  raise(SIGUSR1);
  sigaction(SIGUSR1, &former, nullptr);
  EXPECT_EQ(g_protected_key_seen, 2)
      << "not readable as the kernel enters it, readable once opened";
  munmap(page, 4096);
  pkey_free(key);
}

TEST(SignalMask, BlocksWhatCouldLeaveTheHandlerAndNothingThatAFaultNeeds) {
  for (int signal : {SIGSEGV, SIGBUS, SIGTRAP, SIGSYS, SIGILL, SIGFPE})
    EXPECT_EQ(kHandlerMask & SignalBit(signal), 0u) << signal;
  for (int signal : {SIGALRM, SIGINT, SIGPROF, SIGUSR1, 32, 33, SIGRTMIN, SIGRTMAX})
    EXPECT_NE(kHandlerMask & SignalBit(signal), 0u) << signal;
  EXPECT_EQ(SignalBits(SignalSet(kHandlerMask)), kHandlerMask);
}

}  // namespace
}  // namespace spprof::test
