// What signals do to a program's system calls: in CPU mode a thread that sleeps is not woken.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "sampler_support.h"

namespace spprof {
namespace {

using test::SamplerHarness;

constexpr uint64_t kMs = 1'000'000;

// A second of short waits with a little work between; how many of them came back too early.
int CountInterrupted() {
  int interrupted = 0;
  const uint64_t end = test::ClockNs(CLOCK_MONOTONIC) + 1000 * kMs;
  while (test::ClockNs(CLOCK_MONOTONIC) < end) {
    test::BurnCpu(kMs / 2);
    if (poll(nullptr, 0, 3) < 0 && errno == EINTR) interrupted++;
    const struct timespec pause = {0, 3'000'000};
    struct timespec left;
    if (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, &left) == EINTR) interrupted++;
  }
  return interrupted;
}

TEST(InterruptedCalls, NoneOfASleepingThreadUnderTick) {
  SamplerHarness harness(TimerEngine::kTick);
  ASSERT_TRUE(harness.sampler().Start().ok());
  // But the kernel's tick may meet the thread inside the call, on its way to sleep.
  EXPECT_LE(CountInterrupted(), 2);
  harness.sampler().Stop();
}

TEST(InterruptedCalls, NoneOfASleepingThreadUnderPerf) {
  SKIP_WHERE_FORBIDDEN(TimerEngine::kPerf);
  SamplerHarness harness(TimerEngine::kPerf, kMs / 10);
  ASSERT_TRUE(harness.sampler().Start().ok());
  EXPECT_LE(CountInterrupted(), 2) << "as under tick";
  harness.sampler().Stop();
}

// A read is restarted, so that nobody sees even those signals that hires sends a thread which has
// just gone to sleep.
TEST(InterruptedCalls, AReadIsRestarted) {
  SamplerHarness harness(TimerEngine::kHires, kMs);
  ASSERT_TRUE(harness.sampler().Start().ok());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    for (int i = 0; i < 100; i++) {
      test::BurnCpu(2 * kMs);
      ASSERT_EQ(write(ends[1], "x", 1), 1);
    }
    close(ends[1]);
  });
  int bytes = 0;
  for (char byte; read(ends[0], &byte, 1) == 1;) {
    bytes++;
    test::BurnCpu(kMs);
  }
  EXPECT_EQ(bytes, 100);
  writer.join();
  close(ends[0]);
  harness.sampler().Stop();
}

}  // namespace
}  // namespace spprof
