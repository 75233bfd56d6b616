// A walk through code under a memory protection key of its own, where the machine has keys.
#include "signal_safe/machine/protection_keys.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "core_support.h"
#include "handler_support.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {
namespace {

// A page of code under a key of its own, or under none: sends this thread a signal, from a function
// without a frame, so that a walk has to read the instructions to find its caller.
class CodePage {
 public:
  explicit CodePage(int key) {
    const uint8_t code[] = {
        0x49,
        0x89,
        0xca,  // mov %rcx, %r10
        0xb8,
        SYS_rt_tgsigqueueinfo & 0xff,  // mov $number, %eax
        SYS_rt_tgsigqueueinfo >> 8,
        0x00,
        0x00,  //
        0x0f,
        0x05,  // syscall
        0xc3,  // ret
    };
    void* page = mmap(nullptr, kRegionPage, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) std::abort();
    std::memcpy(page, code, sizeof(code));
    start_ = static_cast<uint8_t*>(page);
    if (key > 0 && pkey_mprotect(page, kRegionPage, PROT_READ | PROT_EXEC, key) != 0) std::abort();
  }
  ~CodePage() { munmap(start_, kRegionPage); }
  CodePage(const CodePage&) = delete;
  CodePage& operator=(const CodePage&) = delete;

  uintptr_t start() const { return reinterpret_cast<uintptr_t>(start_); }
  int64_t Send(siginfo_t* info) const {
    using Function = int64_t (*)(int64_t, int64_t, int64_t, siginfo_t*);
    return reinterpret_cast<Function>(start_)(getpid(), syscall(SYS_gettid), info->si_signo, info);
  }

 private:
  uint8_t* start_;
};

TEST(ProtectionKeys, TheHandlerReadsCodeUnderAKey) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan calls handlers late, outside of the signal";
  const int key = pkey_alloc(0, 0);
  if (key < 0) {
    GTEST_SKIP() << "this machine has no protection keys (pkey_alloc: " << std::strerror(errno)
                 << ")";
  }
  test::HandlerHarness harness;
  struct sigaction action {};
  struct sigaction before {};
  action.sa_sigaction = HandleProfilingSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_mask = SignalSet(kHandlerMask);
  ASSERT_EQ(sigaction(SIGPROF, &action, &before), 0);
  std::vector<std::vector<Frame>> stacks;
  for (const int each : {0, key}) {
    const CodePage page(each);
    const uint32_t slot = harness.AddThread();  // one defines a stack only once
    siginfo_t info = harness.Tick(slot);
    ASSERT_EQ(page.Send(&info), 0);
    const auto samples = harness.TakeSamples(slot);
    ASSERT_EQ(samples.size(), 1u);
    auto stack = harness.TakeStacks(slot)[samples[0].stack_id];
    ASSERT_GT(stack.size(), 3u);
    EXPECT_LT(FrameAddressOf(stack[0]) - page.start(), kRegionPage);
    stack.erase(stack.begin());
    stacks.push_back(stack);
  }
  sigaction(SIGPROF, &before, nullptr);
  EXPECT_EQ(stacks[0], stacks[1]) << "the callers are the same, key or not";
  pkey_free(key);
}

}  // namespace
}  // namespace spprof
