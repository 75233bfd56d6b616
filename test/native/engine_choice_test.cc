#include "sampling/engine_choice.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core_support.h"
#include "platform/threads.h"
#include "sampler_support.h"
#include "sampling/sampler.h"

namespace spprof {
namespace {

constexpr uint64_t kTenMs = 10'000'000;

// In a child of its own, where no timer can be made.
int ChoicesWithoutTimers() {
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_SIGPENDING, &none) != 0) return __LINE__;
  const EngineChoice choice = ChooseEngine(kTenMs, kAnySignal);
  if (choice.engine != TimerEngine::kItimer || choice.reason.empty()) return __LINE__;
  if (ChooseEngine(kTenMs, SIGPROF).engine != TimerEngine::kItimer) return __LINE__;
  // The interval timer sends no other signal.
  if (ChooseEngine(kTenMs, SIGUSR2).engine != TimerEngine::kTick) return __LINE__;
  const struct itimerval theirs = {{100, 0}, {100, 0}};
  if (setitimer(ITIMER_PROF, &theirs, nullptr) != 0) return __LINE__;
  if (ChooseEngine(kTenMs, kAnySignal).engine != TimerEngine::kTick) return __LINE__;
  return 0;
}

// The kernel has no room for its signals' details either, so that they look like kill()'s.
int SamplesWithoutTimers() {
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_SIGPENDING, &none) != 0) return __LINE__;
  test::SamplerHarness harness(TimerEngine::kItimer);
  if (!harness.sampler().Start().ok()) return __LINE__;
  const uint32_t own = harness.SlotOf(CurrentThreadId());
  if (own == kNoSlot) return __LINE__;
  const bool has_samples = test::WaitUntil([&] {
    test::BurnCpu(1'000'000);
    return harness.CountersOf(own).written.load() > 5;
  });
  harness.sampler().Stop();
  return has_samples ? 0 : __LINE__;
}

void ExpectRight(int (*in_a_child)()) {
  const pid_t child = fork();
  if (child == 0) _exit(in_a_child());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the line of what is wrong";
}

TEST(EngineChoice, IsTheIntervalTimerWhereThreadsCanHaveNone) { ExpectRight(ChoicesWithoutTimers); }

TEST(EngineChoice, WhereTheKernelHasNoRoomForSignalsTheProgramGoesOn) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan keeps signals back until the program sleeps";
  ExpectRight(SamplesWithoutTimers);
}

TEST(EngineChoice, IsTheKernelsTickWhereThatIsEnough) {
  const EngineChoice choice = ChooseEngine(kTenMs, kAnySignal);
  EXPECT_EQ(choice.engine, TimerEngine::kTick);
  EXPECT_EQ(choice.reason, "");
}

}  // namespace
}  // namespace spprof
