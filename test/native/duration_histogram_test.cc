// Percentiles of the histogram against the sorted durations themselves.
#include "drain/duration_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core_support.h"

namespace spprof {
namespace {

TEST(DurationHistogram, IsZeroWithoutDurations) {
  EXPECT_EQ(DurationHistogram().Percentile(0.5), 0u);
}

TEST(DurationHistogram, IsExactBelowSixteen) {
  for (uint64_t ns = 0; ns < 16; ns++) {
    DurationHistogram histogram;
    histogram.Add(ns);
    EXPECT_EQ(histogram.Percentile(0.5), ns);
  }
}

TEST(DurationHistogram, NeverGivesMoreThanTheLongest) {
  std::mt19937_64 random(test::TestSeed());
  DurationHistogram histogram;
  uint64_t longest = 0;
  for (int i = 0; i < 10'000; i++) {
    const uint64_t ns = random() >> (22 + random() % 42);
    longest = std::max(longest, ns);
    histogram.Add(ns);
    for (double share : {0.0, 0.5, 0.99, 1.0}) ASSERT_LE(histogram.Percentile(share), longest);
  }
  EXPECT_EQ(histogram.Percentile(1.0), longest);
}

TEST(DurationHistogram, GivesTheUpperEndOfABucketAtMostAnEighthWide) {
  std::mt19937_64 random(test::TestSeed());
  for (int i = 0; i < 100'000; i++) {
    const uint64_t ns = random() >> (22 + random() % 42);
    DurationHistogram histogram;
    histogram.Add(ns);
    histogram.Add(UINT64_MAX);
    histogram.Add(0);
    const uint64_t end = histogram.Percentile(0.5);
    ASSERT_GE(end, ns);
    ASSERT_LE(end, ns + ns / 8);
  }
}

TEST(DurationHistogram, AgreesWithSortedDurations) {
  std::mt19937_64 random(test::TestSeed());
  DurationHistogram histogram;
  std::vector<uint64_t> all;
  for (int i = 0; i < 10'000; i++) {
    all.push_back(300 + (random() >> (40 + random() % 20)));
    histogram.Add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (double share : {0.0, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto at = std::min<size_t>(static_cast<size_t>(share * 10'000), all.size() - 1);
    EXPECT_GE(histogram.Percentile(share), all[at]) << share;
    EXPECT_LE(histogram.Percentile(share), all[at] + all[at] / 8) << share;
  }
}

TEST(DurationHistogram, TakesDurationsBeyondItsLastBucket) {
  DurationHistogram histogram;
  histogram.Add(UINT64_MAX);
  histogram.Add(1);
  EXPECT_EQ(histogram.Percentile(0.0), 1u);
  EXPECT_GE(histogram.Percentile(0.9), (uint64_t{1} << 42) - 1);
}

}  // namespace
}  // namespace spprof
