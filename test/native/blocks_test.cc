// Blocks on one thread and on several, one after the other: what is counted, and what the thread's
// label says meanwhile. Each test has a profiler of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "blocks/native_entry.h"
#include "blocks/thread_blocks.h"
#include "core_support.h"
#include "platform/threads.h"

namespace spprof {
namespace {

class Blocks : public testing::Test {
 protected:
  const Block& Make(const std::string& name, const std::string& track = "track") {
    return *BlockTables::Get().Register(profiler_, track, name);
  }
  std::map<std::string, BlockRow> Results() const {
    std::map<std::string, BlockRow> rows;
    for (BlockRow& row : BlockTables::Get().Results(profiler_, false)) rows[row.block->name] = row;
    return rows;
  }
  static std::string LabelText() {
    std::string path;
    for (uint32_t label = LabelOf(static_cast<uint32_t>(CurrentThreadId())); label != 0;) {
      const LabelDefinition& definition = *DefinitionOf(label);
      const size_t before = definition.profiler_length + definition.track_length;
      path = std::string(definition.text + before, definition.name_length) + "/" + path;
      label = definition.parent;
    }
    return path;
  }
  static void Spin(uint64_t ns) {
    const uint64_t end = MonotonicNow() + ns;
    while (MonotonicNow() < end) {
    }
  }

  const std::string profiler_ = testing::UnitTest::GetInstance()->current_test_info()->name();
  ThreadBlocks& own_ = *ThreadBlocks::Current();
};

TEST_F(Blocks, AreTheSameForTheSameNamesAndOthersForOthers) {
  EXPECT_EQ(&Make("a"), &Make("a"));
  EXPECT_NE(&Make("a"), &Make("b"));
  EXPECT_NE(&Make("a"), &Make("a", "other track"));
  EXPECT_NE(&Make("a"), BlockTables::Get().Register("other profiler", "track", "a"));
  EXPECT_EQ(BlockTables::Find(Make("b").id), &Make("b"));
}

TEST_F(Blocks, CountEachHitWithItsTime) {
  const Block& block = Make("a");
  for (const uint64_t ns : {200'000, 100'000, 300'000}) {
    own_.Start(block);
    Spin(ns);
    EXPECT_TRUE(own_.Stop(block));
  }
  const BlockRow row = Results().at("a");
  EXPECT_EQ(row.hits, 3u);
  EXPECT_GE(row.min_ns, 99'000);
  EXPECT_GE(row.max_ns, 299'000);
  EXPECT_GE(row.total_ns, 599'000);
  EXPECT_GE(row.total_ns, row.min_ns + row.max_ns);
  EXPECT_DOUBLE_EQ(row.mean_ns, row.total_ns / 3);
  EXPECT_GE(row.p50_ns, row.min_ns);
  EXPECT_LE(row.p99_ns, row.max_ns);
}

TEST_F(Blocks, LabelTheThreadWithTheInnermostAndThenWithTheOuterAgain) {
  const Block& outer = Make("outer");
  const Block& inner = Make("inner");
  EXPECT_EQ(LabelText(), "");
  own_.Start(outer);
  EXPECT_EQ(LabelText(), "outer/");
  own_.Start(inner);
  EXPECT_EQ(LabelText(), "outer/inner/");
  own_.Stop(inner);
  EXPECT_EQ(LabelText(), "outer/");
  own_.Stop(outer);
  EXPECT_EQ(LabelText(), "");
}

TEST_F(Blocks, MayBeWithinThemselves) {
  const Block& block = Make("fib");
  for (int i = 0; i < 100; i++) own_.Start(block);
  EXPECT_EQ(LabelText(), "fib/");  // one label, however deep
  for (int i = 0; i < 100; i++) EXPECT_TRUE(own_.Stop(block));
  EXPECT_EQ(Results().at("fib").hits, 100u);
  EXPECT_EQ(own_.open(), 0u);
}

TEST_F(Blocks, CountAStopWithoutAStartAndGoOn) {
  const Block& block = Make("a");
  const uint64_t before = own_.unbalanced_stops();
  EXPECT_FALSE(own_.Stop(block));
  own_.Start(block);
  EXPECT_TRUE(own_.Stop(block));
  EXPECT_FALSE(own_.Stop(block));
  EXPECT_EQ(own_.unbalanced_stops(), before + 2);
  EXPECT_EQ(Results().at("a").hits, 1u);
}

TEST_F(Blocks, ThatOverlapKeepTheirOwnTimes) {
  const Block& first = Make("first");
  const Block& second = Make("second");
  own_.Start(first);
  Spin(1'000'000);
  own_.Start(second);
  EXPECT_TRUE(own_.Stop(first));
  EXPECT_EQ(LabelText(), "second/") << "what was around it is over";
  Spin(3'000'000);
  EXPECT_TRUE(own_.Stop(second));
  EXPECT_EQ(LabelText(), "");
  const auto results = Results();
  EXPECT_GE(results.at("first").total_ns, 990'000);
  EXPECT_GE(results.at("second").total_ns, 2'990'000);
  EXPECT_LT(results.at("first").total_ns, results.at("second").total_ns);
}

TEST_F(Blocks, AreStoppedByTheirSerial) {
  const Block& block = Make("a");
  own_.Start(block, 1);
  Spin(2'000'000);
  own_.Start(block, 2);
  EXPECT_TRUE(own_.Stop(block, 1));
  EXPECT_GE(Results().at("a").min_ns, 1'990'000);
  EXPECT_FALSE(own_.Stop(block, 1));
  EXPECT_TRUE(own_.Stop(block, 2));
}

TEST_F(Blocks, ThatAreSuspendedAreNotOnTheStackButKeepTheirTime) {
  const Block& outer = Make("outer");
  const Block& waits = Make("waits");
  own_.Start(outer);
  own_.Start(waits, 7);
  const uint64_t started = own_.Suspend(waits, 7);
  EXPECT_NE(started, 0u);
  EXPECT_EQ(LabelText(), "outer/");
  EXPECT_EQ(own_.Suspend(waits, 7), 0u);
  own_.Stop(outer);
  Spin(1'000'000);
  own_.Finish(waits, started);
  EXPECT_GE(Results().at("waits").total_ns, 990'000);
}

TEST_F(Blocks, OfADisabledTrackAreNotTimedAndThoseThatAreOpenAre) {
  const Block& block = Make("a", "on and off");
  BlockTables& tables = BlockTables::Get();
  own_.Start(block);
  tables.Enable(profiler_, "on and off", false);
  EXPECT_EQ(*block.enabled, 0u);
  EXPECT_TRUE(own_.Stop(block));
  const uint64_t unbalanced = own_.unbalanced_stops();
  own_.Start(block);
  EXPECT_EQ(LabelText(), "");
  EXPECT_FALSE(own_.Stop(block));
  EXPECT_EQ(own_.unbalanced_stops(), unbalanced);
  tables.Enable(profiler_, "on and off", true);
  own_.Start(block);
  EXPECT_TRUE(own_.Stop(block));
  EXPECT_EQ(Results().at("a").hits, 2u);
}

TEST_F(Blocks, OfOneProfilerAreResetAndThoseOfOthersNot) {
  const Block& block = Make("a");
  const Block& other = *BlockTables::Get().Register(profiler_ + "'s neighbour", "track", "a");
  for (const Block* each : {&block, &other}) {
    own_.Start(*each);
    own_.Stop(*each);
  }
  own_.Start(block);
  BlockTables::Get().Reset(profiler_);
  EXPECT_TRUE(Results().empty());
  own_.Stop(block);
  EXPECT_EQ(Results().at("a").hits, 1u) << "what was open counts as a whole";
  EXPECT_EQ(BlockTables::Get().Results(profiler_ + "'s neighbour", false).at(0).hits, 1u);
}

TEST_F(Blocks, OfEndedThreadsAreKeptAndAddUp) {
  const Block& block = Make("a");
  constexpr int kThreads = 300;  // more than are kept one by one
  for (int i = 0; i < kThreads; i++) {
    std::thread([&] {
      ThreadBlocks& own = *ThreadBlocks::Current();
      own.Start(block);
      own.Stop(block);
    }).join();
  }
  EXPECT_EQ(Results().at("a").hits, uint64_t{kThreads});
  uint64_t sum = 0;
  size_t without_thread = 0;
  const std::vector<BlockRow> rows = BlockTables::Get().Results(profiler_, true);
  for (const BlockRow& row : rows) {
    EXPECT_TRUE(row.has_ended);
    sum += row.hits;
    if (row.tid == 0) without_thread++;
  }
  EXPECT_EQ(sum, uint64_t{kThreads});
  EXPECT_EQ(without_thread, 1u);
  EXPECT_LT(rows.size(), size_t{kThreads});
}

TEST_F(Blocks, AreTimedPerThreadUnderItsName) {
  const Block& block = Make("a");
  BlockTables::Get().NameThread(&own_, "the test");
  own_.Start(block);
  own_.Stop(block);
  std::thread([&] {
    pthread_setname_np(pthread_self(), "the other");
    for (int i = 0; i < 3; i++) {
      ThreadBlocks::Current()->Start(block);
      ThreadBlocks::Current()->Stop(block);
    }
  }).join();
  std::map<std::string, uint64_t> hits;
  for (const BlockRow& row : BlockTables::Get().Results(profiler_, true))
    hits[row.thread_name] = row.hits;
  EXPECT_EQ(hits, (std::map<std::string, uint64_t>{{"the test", 1}, {"the other", 3}}));
}

TEST_F(Blocks, OfAThreadThatHasEndedLeaveNoLabel) {
  const Block& block = Make("a");
  uint32_t tid = 0;
  std::thread([&] {
    ThreadBlocks::Current()->Start(block);
    tid = static_cast<uint32_t>(CurrentThreadId());
    EXPECT_NE(LabelOf(tid), 0u);
  }).join();
  EXPECT_EQ(LabelOf(tid), 0u);
  EXPECT_GE(BlockTables::Get().Problems().open, 1u);
}

TEST_F(Blocks, NestedBeyondAllMeasureAreCountedAsLost) {
  const Block& block = Make("a");
  constexpr int kDepth = 65'536 + 10;
  std::thread([&] {
    ThreadBlocks& own = *ThreadBlocks::Current();
    for (int i = 0; i < kDepth; i++) own.Start(block);
    EXPECT_EQ(own.lost(), 10u);
    while (own.open() != 0) ASSERT_TRUE(own.Stop(block));
  }).join();
  EXPECT_EQ(Results().at("a").hits, 65'536u);
}

TEST_F(Blocks, NestedDeeplyInDifferentOnesStillHaveALabel) {
  std::vector<const Block*> all;
  for (int i = 0; i < 200; i++) all.push_back(&Make("b" + std::to_string(i)));
  for (const Block* block : all) own_.Start(*block);
  const std::string label = LabelText();
  EXPECT_EQ(label.substr(label.size() - 5), "b199/");
  for (const Block* block : all) own_.Stop(*block);
  EXPECT_EQ(LabelText(), "");
}

TEST_F(Blocks, HavePercentilesThatAgreeWithTheSortedTimes) {
  std::mt19937_64 random(test::TestSeed());
  BlockStats stats;
  std::vector<uint64_t> all;
  for (int i = 0; i < 20'000; i++) {
    all.push_back(500 + (random() >> (40 + random() % 20)));
    stats.Add(all.back(), 1);
  }
  std::sort(all.begin(), all.end());
  const BlockTotals totals = stats.Copy(1);
  EXPECT_EQ(totals.hits, all.size());
  EXPECT_EQ(totals.min, all.front());
  EXPECT_EQ(totals.max, all.back());
  for (const double share : {0.5, 0.9, 0.99}) {
    const auto exact = static_cast<double>(all[static_cast<size_t>(share * 20'000)]);
    EXPECT_NEAR(totals.Percentile(share) / exact, 1, 1.0 / 16) << share;
  }
  EXPECT_EQ(stats.Copy(2).hits, 0u) << "of another epoch";
}

TEST_F(Blocks, AreTimedByAClockThatAgreesWithTheKernels) {
  const double ns_per_tick = TickClock::NsPerTick();
  const uint64_t ns = MonotonicNow();
  const uint64_t ticks = TickClock::Now();
  Spin(50'000'000);
  const auto by_ticks = static_cast<double>(TickClock::Now() - ticks) * ns_per_tick;
  const auto by_kernel = static_cast<double>(MonotonicNow() - ns);
  EXPECT_NEAR(by_ticks / by_kernel, 1, 0.005)
      << "the thread may lose its core between two readings";
}

TEST_F(Blocks, OfNativeCodeDoNothingWhereSpprofIsNotLoaded) {
  NativeBlock block("track", "a", "not loaded");
  for (int i = 0; i < 5000; i++) {
    EXPECT_FALSE(block.Start());
    const BlockScope scope(block);
    SPPROF_BLOCK("track", "b");
    block.Stop();
  }
  EXPECT_EQ(NativeBlocks::Get(), nullptr);
  EXPECT_TRUE(BlockTables::Get().Results("not loaded", false).empty());
}

TEST_F(Blocks, OfNativeCodeAreInTheSameTables) {
  const spprof_blocks_table_v1& entry = *NativeEntry();
  const spprof_block_v1* block = entry.find(profiler_.c_str(), "track", "a");
  EXPECT_EQ(block, &Make("a"));
  entry.start(block);
  EXPECT_EQ(LabelText(), "a/");
  entry.stop(block);
  EXPECT_EQ(Results().at("a").hits, 1u);
}

}  // namespace
}  // namespace spprof
