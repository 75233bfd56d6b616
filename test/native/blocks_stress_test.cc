// Blocks of many threads at once, while others ask for results: no hit is lost, and none is seen by
// halves. Under TSan too. SPPROF_TEST_LONG=1: eight threads of ten million hits each.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "blocks/thread_blocks.h"
#include "core_support.h"

namespace spprof {
namespace {

constexpr int kThreads = 8;

uint64_t HitsPerThread() {
  if (std::getenv("SPPROF_TEST_LONG") != nullptr) return 10'000'000;
  return test::kSanitized ? 50'000 : 500'000;
}

void Hit(ThreadBlocks& own, const Block& block) {
  own.Start(block);
  own.Stop(block);
}

void RunOnThreads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(BlocksStress, EachHitOfEightThreadsIsThere) {
  BlockTables& tables = BlockTables::Get();
  const Block& shared = *tables.Register("stress", "track", "shared");
  const uint64_t hits = HitsPerThread();
  RunOnThreads(kThreads, [&](int i) {
    ThreadBlocks& own = *ThreadBlocks::Current();
    const Block& mine = *tables.Register("stress", "track", "of " + std::to_string(i));
    for (uint64_t hit = 0; hit < hits; hit++) {
      if (hit % 16 == 0) own.Start(mine);
      Hit(own, shared);
      if (hit % 16 == 0) own.Stop(mine);
    }
  });
  const std::vector<BlockRow> rows = tables.Results("stress", false);
  ASSERT_EQ(rows.size(), 1u + kThreads);
  for (const BlockRow& row : rows)
    EXPECT_EQ(row.hits, row.block == &shared ? kThreads * hits : (hits + 15) / 16);
}

TEST(BlocksStress, ACopyIsOfWholeHitsWhileTheThreadGoesOn) {
  BlockStats stats;
  constexpr uint64_t kTicks = 1000;
  constexpr uint64_t kHitsPerEpoch = 10'000;
  std::atomic<bool> is_over{false};
  std::atomic<uint64_t> epoch{1};
  std::thread writer([&] {
    for (uint64_t hit = 0; !is_over.load(std::memory_order_relaxed); hit++) {
      if (hit % kHitsPerEpoch == kHitsPerEpoch - 1) epoch.fetch_add(1, std::memory_order_relaxed);
      stats.Add(kTicks, epoch.load(std::memory_order_relaxed));
    }
  });
  const auto copy = [&] { return stats.Copy(epoch.load(std::memory_order_relaxed)); };
  EXPECT_TRUE(test::WaitUntil([&] { return copy().hits != 0; }));
  for (int i = 0; i < 2000; i++) {
    const BlockTotals totals = copy();
    if (totals.hits == 0) continue;  // the thread has not gone on since the reset
    EXPECT_EQ(totals.total, totals.hits * kTicks);
    EXPECT_EQ(totals.buckets[BlockBuckets::Of(kTicks)], totals.hits);
    EXPECT_EQ(totals.min, kTicks);
    EXPECT_EQ(totals.max, kTicks);
    EXPECT_LE(totals.hits, kHitsPerEpoch);
  }
  is_over = true;
  writer.join();
}

TEST(BlocksStress, ThreadsThatComeAndGoLeaveEachHit) {
  BlockTables& tables = BlockTables::Get();
  const Block& block = *tables.Register("churn", "track", "a");
  constexpr int kRounds = test::kSanitized ? 25 : 125;
  std::atomic<bool> is_over{false};
  std::thread asker([&] {
    uint64_t before = 0;
    while (!is_over.load(std::memory_order_relaxed)) {
      const std::vector<BlockRow> rows = tables.Results("churn", false);
      const uint64_t hits = rows.empty() ? 0 : rows[0].hits;
      EXPECT_GE(hits, before) << "hits do not go away when their thread does";
      before = hits;
    }
  });
  for (int round = 0; round < kRounds; round++) {
    RunOnThreads(kThreads, [&](int) {
      for (int i = 0; i < 10; i++) Hit(*ThreadBlocks::Current(), block);
    });
  }
  is_over = true;
  asker.join();
  EXPECT_EQ(tables.Results("churn", false).at(0).hits, uint64_t{kRounds} * kThreads * 10);
}

TEST(BlocksStress, TheSameNamesFromManyThreadsAtOnceAreOneBlock) {
  constexpr int kNames = 200;
  std::vector<std::vector<const Block*>> found(kThreads, std::vector<const Block*>(kNames));
  RunOnThreads(kThreads, [&](int i) {
    for (int name = 0; name < kNames; name++) {
      found[i][name] = BlockTables::Get().Register("race", "track", std::to_string(name));
      Hit(*ThreadBlocks::Current(), *found[i][name]);
    }
  });
  for (const std::vector<const Block*>& each : found) EXPECT_EQ(each, found[0]);
  const std::vector<BlockRow> rows = BlockTables::Get().Results("race", false);
  ASSERT_EQ(rows.size(), size_t{kNames});
  for (const BlockRow& row : rows) EXPECT_EQ(row.hits, uint64_t{kThreads});
}

TEST(BlocksStress, ResetsAndSwitchesDoNotDisturbThreadsAtWork) {
  BlockTables& tables = BlockTables::Get();
  const Block& block = *tables.Register("switched", "track", "a");
  std::atomic<bool> is_over{false};
  std::thread switcher([&] {
    for (int i = 0; !is_over.load(std::memory_order_relaxed); i++) {
      tables.Enable("switched", "track", i % 2 == 0);
      if (i % 8 == 0) tables.Reset("switched");
      tables.Results("switched", true);
    }
    tables.Enable("switched", "track", true);
  });
  const uint64_t hits = HitsPerThread() / 10;
  RunOnThreads(kThreads, [&](int) {
    ThreadBlocks& own = *ThreadBlocks::Current();
    for (uint64_t hit = 0; hit < hits; hit++) Hit(own, block);
    EXPECT_EQ(own.open(), 0u);
    EXPECT_EQ(own.lost(), 0u);
  });
  is_over = true;
  switcher.join();
  tables.Reset("switched");
  Hit(*ThreadBlocks::Current(), block);
  EXPECT_EQ(tables.Results("switched", false).at(0).hits, 1u);
}

}  // namespace
}  // namespace spprof
