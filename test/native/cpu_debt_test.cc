#include "signal_safe/ticks/cpu_debt.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "core_support.h"

namespace spprof {
namespace {

TEST(CpuDebt, IsPaidInProportionToWhatSamplesStandForThemselves) {
  CpuDebt debt{8'000, 0, 0};
  debt.Plan(0, 4'000);
  EXPECT_EQ(debt.Pay(1'000), 3'000u);
  EXPECT_EQ(debt.Pay(500), 1'500u);
  EXPECT_FALSE(debt.IsPlanPaid());
  EXPECT_EQ(debt.Pay(10'000), 10'000u + 2'500 * 2) << "no more than what is planned";
  EXPECT_TRUE(debt.IsPlanPaid());
  EXPECT_EQ(debt.Pay(1'000), 1'000u);
}

TEST(CpuDebt, OfTheSampleThatIsTakenNowItsOwnTimeIsNone) {
  CpuDebt debt{5'000, 0, 0};
  debt.Plan(5'000, 1'000);
  EXPECT_EQ(debt.Pay(5'000), 5'000u);
  EXPECT_EQ(debt.owed_ns, 0);
}

TEST(CpuDebt, EverySampleStandsForSomethingHoweverMuchIsPaidTooMuch) {
  CpuDebt debt{-1'000'000, 0, 0};
  debt.Plan(0, 1'000);
  EXPECT_EQ(debt.Pay(10), 1u);
}

// What is used, in steps that samples know nothing of, is paid but for what the plan has left.
TEST(CpuDebt, TheSumIsRight) {
  std::mt19937_64 random(test::TestSeed());
  CpuDebt debt{};
  uint64_t used = 0, paid = 0;
  for (int i = 0; i < 10'000; i++) {
    const uint64_t step = random() % 2'000'000;
    used += step;
    debt.owed_ns += static_cast<int64_t>(step);
    if (debt.IsPlanPaid()) debt.Plan(1'000'000, 8'000'000);
    paid += debt.Pay(1'000'000);
    ASSERT_EQ(static_cast<int64_t>(used - paid), debt.owed_ns);
    // What has come since the last two plans and is more or less than the samples' own time.
    ASSERT_LT(std::abs(debt.owed_ns), 16'000'000);
  }
}

}  // namespace
}  // namespace spprof
