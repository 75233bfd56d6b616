// The handler's walks from real signals, against libgcc's unwinder (what backtrace() is made of).
#include <gtest/gtest.h>
#include <unwind.h>

#include <cstdlib>

#include "core_support.h"
#include "handler_support.h"

namespace spprof {
namespace {

// Both traces of one signal, taken within its handler.
struct Walks {
  test::HandlerHarness* harness;
  uint32_t slot;
  std::vector<uintptr_t> libgcc;  // of the handler, too
};
Walks* g_walks;

void OnSignal(int, siginfo_t*, void* context) {
  // First: nothing between the two may change the stack above.
  TakeSample(&g_walks->harness->context(), g_walks->slot, TickSource::kCpuTimer, 0,
             *static_cast<ucontext_t*>(context));
  g_walks->libgcc.clear();
  _Unwind_Backtrace(
      [](_Unwind_Context* frame, void* data) {
        const uintptr_t pc = _Unwind_GetIP(frame);
        if (pc == 0) return _URC_END_OF_STACK;
        static_cast<std::vector<uintptr_t>*>(data)->push_back(pc);
        return _URC_NO_REASON;
      },
      &g_walks->libgcc);
}

class NativeWalk : public testing::Test {
 protected:
  void SetUp() override {
    walks_.harness = &harness_;
    walks_.slot = harness_.AddThread();
    walks_.libgcc.reserve(2000);
    g_walks = &walks_;
    struct sigaction action {};
    action.sa_sigaction = OnSignal;
    action.sa_flags = SA_SIGINFO;
    ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  }
  void TearDown() override { signal(SIGUSR1, SIG_DFL); }

  // The last signal's sample is whole, and its frames are the end of libgcc's trace: the
  // interrupted instruction itself, then calls (one byte before the return address).
  void ExpectSameWalk(size_t at_least) {
    const auto samples = harness_.TakeSamples(walks_.slot);
    stacks_.merge(harness_.TakeStacks(walks_.slot));  // a stack is written once only
    ASSERT_FALSE(samples.empty());
    EXPECT_EQ(samples.back().state & (kStateIncomplete | kStateTruncated), 0u);
    ASSERT_EQ(stacks_.count(samples.back().stack_id), 1u);
    const std::vector<Frame>& frames = stacks_.at(samples.back().stack_id);
    EXPECT_GE(frames.size(), at_least);
    ASSERT_LT(frames.size(), walks_.libgcc.size());
    const size_t skipped = walks_.libgcc.size() - frames.size();
    for (size_t i = 0; i < frames.size(); i++) {
      ASSERT_EQ(FrameTypeOf(frames[i]), FrameType::kNative);
      const uintptr_t pc = walks_.libgcc[skipped + i];
      ASSERT_EQ(FrameAddressOf(frames[i]), i == 0 ? pc : pc - 1) << "frame " << i;
    }
  }

  test::HandlerHarness harness_;
  Walks walks_;
  std::map<uint32_t, std::vector<Frame>> stacks_;
};

__attribute__((noinline)) int Recurse(int depth, void (*leaf)()) {
  if (depth == 0) {
    leaf();
    return 1;
  }
  volatile int below = Recurse(depth - 1, leaf);
  return below + 1;
}

TEST_F(NativeWalk, OfADeepRecursionEqualsBacktrace) {
  Recurse(300, [] { raise(SIGUSR1); });
  ExpectSameWalk(302);
}

TEST_F(NativeWalk, OfACallbackOfQsortEqualsBacktrace) {
  Recurse(5, [] {
    int some[] = {3, 1, 2};
    qsort(some, 3, sizeof(some[0]), [](const void* a, const void* b) {
      raise(SIGUSR1);
      return *static_cast<const int*>(a) - *static_cast<const int*>(b);
    });
  });
  ExpectSameWalk(9);
}

TEST_F(NativeWalk, OnAnotherThreadReachesItsFirstFunction) {
  std::thread([] { Recurse(20, [] { raise(SIGUSR1); }); }).join();
  ExpectSameWalk(23);
}

// Where a timer finds libc, instruction by chance: its assembly, its PLT, its prologues.
TEST_F(NativeWalk, OfInterruptedLibcCodeEqualsBacktrace) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan delivers a signal only at its own safe points";
  struct sigevent event {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR1;
  timer_t timer;
  ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  static char text[4096];
  const Counters& counters = harness_.Slot(walks_.slot)->counters;
  for (int turn = 1; turn <= 300; turn++) {
    struct itimerspec once {};
    once.it_value.tv_nsec = 50'000 + turn * 331;
    const uint64_t before = counters.signals.load();
    ASSERT_EQ(timer_settime(timer, 0, &once, nullptr), 0);
    ASSERT_TRUE(test::WaitUntil([&] {
      snprintf(text, sizeof(text), "%d %s %f", turn, "some text to format", turn * 1.5);
      std::qsort(text, 64, 1, [](const void* a, const void* b) {
        return *static_cast<const char*>(a) - *static_cast<const char*>(b);
      });
      return counters.signals.load() != before;
    }));
    ExpectSameWalk(3);
    if (HasFatalFailure()) break;
  }
  timer_delete(timer);
}

TEST(Frames, AnAddressOf57BitsIsNotTakenForAnother) {
  const uint64_t above = uint64_t{1} << 56 | 0x1234;
  EXPECT_EQ(FrameAddressOf(MakeFrame(FrameType::kNative, above)), 0u);
  EXPECT_EQ(FrameAddressOf(MakeFrame(FrameType::kNative, 0xffff'ffff'f000)), 0xffff'ffff'f000u);
  EXPECT_EQ(FrameTypeOf(MakeFrame(FrameType::kNative, above)), FrameType::kNative);
}

}  // namespace
}  // namespace spprof
