// When the interval is made longer, and by how much.
#include "sampling/overhead_guard.h"

#include <gtest/gtest.h>

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;

// Windows of 300 ms of CPU time, one after the other.
class Windows {
 public:
  explicit Windows(double budget) : guard_(budget) {}
  uint64_t Judge(double share, uint64_t samples, uint64_t interval_ns) {
    now_.cpu_ns += 300 * kMs;
    now_.handler_ns += static_cast<uint64_t>(share * 300 * kMs);
    now_.samples += samples;
    return guard_.Judge(now_, interval_ns);
  }

 private:
  OverheadGuard guard_;
  OverheadGuard::Costs now_;
};

TEST(OverheadGuard, LeavesTheIntervalWithinTheBudget) {
  Windows windows(0.05);
  for (int i = 0; i < 10; i++) EXPECT_EQ(windows.Judge(0.049, 300, kMs), 0u);
}

TEST(OverheadGuard, OneExpensiveWindowIsNone) {
  Windows windows(0.05);
  for (int i = 0; i < 5; i++) {
    EXPECT_EQ(windows.Judge(0.2, 300, kMs), 0u);
    EXPECT_EQ(windows.Judge(0.01, 300, kMs), 0u);
  }
}

TEST(OverheadGuard, TheLongerIntervalKeepsTheBudget) {
  Windows windows(0.05);
  EXPECT_EQ(windows.Judge(0.2, 300, kMs), 0u);
  const uint64_t longer = windows.Judge(0.2, 300, kMs);
  EXPECT_GE(longer, 4 * kMs);
  EXPECT_LE(longer, 5 * kMs);
}

TEST(OverheadGuard, CountsFromTheRateThatTheKernelsTickLeaves) {
  Windows windows(0.05);
  EXPECT_EQ(windows.Judge(0.1, 75, kMs), 0u);
  EXPECT_GE(windows.Judge(0.1, 75, kMs), 8 * kMs) << "4 ms were between samples, not 1 ms";
}

TEST(OverheadGuard, NeverGoesBeyondTheLongestInterval) {
  Windows windows(0.001);
  EXPECT_EQ(windows.Judge(1, 1, 9'000 * kMs), 0u);
  EXPECT_EQ(windows.Judge(1, 1, 9'000 * kMs), 10'000 * kMs);
  EXPECT_EQ(windows.Judge(1, 1, 10'000 * kMs), 0u);
  EXPECT_EQ(windows.Judge(1, 1, 10'000 * kMs), 0u);
}

TEST(OverheadGuard, JudgesNothingBeforeEnoughCpuTimeIsUsed) {
  OverheadGuard guard(0.05);
  for (uint64_t i = 1; i < 200; i++) EXPECT_EQ(guard.Judge({i * kMs, i * kMs, i}, kMs), 0u);
}

}  // namespace
}  // namespace spprof
