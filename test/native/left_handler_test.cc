// A program whose own signal handlers leave for good, by siglongjmp, at any moment: none of them
// runs above ours, so no recording waits for a handler that never comes back (FAULTS H2).
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "platform/threads.h"
#include "sampler_support.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {
namespace {

thread_local sigjmp_buf g_back;
volatile sig_atomic_t g_may_jump = 0;

void Jump(int) {
  if (g_may_jump != 0) siglongjmp(g_back, 1);
}

// Samples that were written while `jumps` handlers of the program left for good.
uint64_t RecordWhileJumping(TimerEngine engine, int jumps) {
  test::SamplerHarness harness(engine, 100'000);
  EXPECT_TRUE(harness.sampler().Start().ok());
  struct sigaction installed {};
  EXPECT_EQ(sigaction(harness.sampler().signal(), nullptr, &installed), 0);
  EXPECT_EQ(
      SignalBits(installed.sa_mask) & kHandlerMask & ~(SignalBit(SIGKILL) | SignalBit(SIGSTOP)),
      kHandlerMask & ~(SignalBit(SIGKILL) | SignalBit(SIGSTOP)));
  volatile int left = jumps;
  struct sigaction action {};
  struct sigaction former {};
  action.sa_handler = Jump;
  sigaction(SIGALRM, &action, &former);
  const itimerval often = {{0, 211}, {0, 211}};
  const itimerval never = {};
  static_cast<void>(sigsetjmp(g_back, 1));
  g_may_jump = 0;
  left = left - 1;
  if (left == jumps - 1) setitimer(ITIMER_REAL, &often, nullptr);
  if (left > 0) {
    g_may_jump = 1;
    for (volatile uint64_t work = 0;;) work = work + 1;
  }
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &former, nullptr);
  const uint64_t begin_ns = MonotonicNow();
  harness.sampler().Stop();
  EXPECT_FALSE(harness.sampler().is_abandoned()) << MonotonicNow() - begin_ns << " ns";
  const Totals totals = SumTotals(*harness.region());
  EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals)) << "each came to its end";
  return totals.written + test::DroppedSum(totals);
}

class LeftHandler : public testing::TestWithParam<TimerEngine> {};

TEST_P(LeftHandler, KeepsNoRecordingFromEnding) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "TSan calls handlers late, where they cannot jump";
#else
  for (int round = 0; round < 3; round++) EXPECT_GT(RecordWhileJumping(GetParam(), 1500), 0u);
#endif
}

INSTANTIATE_TEST_SUITE_P(Engines, LeftHandler,
                         testing::Values(TimerEngine::kTick, TimerEngine::kHires,
                                         TimerEngine::kItimer));

}  // namespace
}  // namespace spprof
