// A copy of a block's numbers is of whole hits wherever the thread has been stopped: it is stepped
// through its hits, and copied before each of its instructions.
#include <gtest/gtest.h>

#include <cstdint>

#include "blocks/block_stats.h"
#include "core_support.h"
#if defined(__x86_64__)
#include "single_step.h"
#endif

namespace spprof {
namespace {

// Hit n, from 0 on, takes 2^n ticks: what a copy holds follows from its number of hits.
void ExpectWhole(const BlockTotals& totals) {
  if (totals.hits == 0) return;
  EXPECT_EQ(totals.total, (uint64_t{1} << totals.hits) - 1);
  EXPECT_EQ(totals.min, 1u);
  EXPECT_EQ(totals.max, uint64_t{1} << (totals.hits - 1));
  uint64_t in_buckets = 0;
  for (uint64_t hit = 0; hit < totals.hits; hit++)
    in_buckets += totals.buckets[BlockBuckets::Of(uint64_t{1} << hit)];
  EXPECT_EQ(in_buckets, totals.hits);
  uint64_t in_all = 0;
  for (const uint64_t bucket : totals.buckets) in_all += bucket;
  EXPECT_EQ(in_all, totals.hits);
}

#if defined(__x86_64__)

struct Steps {
  BlockStats stats;
  uint64_t epoch = 1;
  uint64_t count = 0;
  uint64_t seen = 0;  // hits, in the epoch
};

bool OnStep(void* data, const ucontext_t&, const test::CallChain&) {
  auto& steps = *static_cast<Steps*>(data);
  const BlockTotals totals = steps.stats.Copy(steps.epoch);
  ExpectWhole(totals);
  EXPECT_GE(totals.hits, steps.seen) << "a hit does not go away";
  EXPECT_LE(totals.hits, steps.seen + 1);
  steps.seen = totals.hits;
  steps.count++;
  return !testing::Test::HasFailure();
}

__attribute__((noinline)) void StepThroughHits(Steps* steps, int hits) {
  test::SingleStepper stepper(OnStep, steps);
  stepper.Begin();
  for (int hit = 0; hit < hits; hit++) steps->stats.Add(uint64_t{1} << hit, steps->epoch);
  stepper.End();
}

TEST(BlockCounts, AreWholeBeforeEachInstructionOfTheThread) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer's own code would be stepped, too";
  Steps steps;
  for (uint64_t epoch = 1; epoch <= 3; epoch++) {  // from the second on a hit clears the former's
    steps.epoch = epoch;
    steps.seen = 0;
    StepThroughHits(&steps, 10);
    ExpectWhole(steps.stats.Copy(epoch));
    EXPECT_EQ(steps.stats.Copy(epoch).hits, 10u);
  }
  EXPECT_GT(steps.count, 300u);
}

#endif

TEST(BlockCounts, OfEachEpochAreItsOwn) {
  BlockStats stats;
  EXPECT_EQ(stats.Copy(1).hits, 0u);
  for (int hit = 0; hit < 20; hit++) {
    stats.Add(uint64_t{1} << hit, 1);
    ExpectWhole(stats.Copy(1));
    EXPECT_EQ(stats.Copy(1).hits, static_cast<uint64_t>(hit) + 1);
  }
  EXPECT_EQ(stats.Copy(2).hits, 0u) << "of another epoch";
  stats.Add(1, 2);
  EXPECT_EQ(stats.Copy(2).hits, 1u);
  EXPECT_EQ(stats.Copy(1).hits, 0u);
}

}  // namespace
}  // namespace spprof
