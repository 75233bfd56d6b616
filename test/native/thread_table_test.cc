// Slots by thread id: found, not found, removed, and what crowds do.
#include "region/thread_table.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core_support.h"

namespace spprof {
namespace {

TEST(ThreadTable, WithoutWordsItKnowsNobody) {
  EXPECT_EQ(ThreadTable().Find(7), ThreadTable::kNone);
}

TEST(ThreadTable, FindsWhatWasInsertedUntilItIsRemoved) {
  std::vector<Sequence> words(1024);
  ThreadTable table;
  table.Use(words.data(), 1024);
  for (uint32_t tid = 1; tid <= 200; tid++) ASSERT_TRUE(table.Insert(tid, tid * 3));
  for (uint32_t tid = 1; tid <= 200; tid++) EXPECT_EQ(table.Find(tid), tid * 3);
  EXPECT_EQ(table.Find(201), ThreadTable::kNone);
  table.Remove(100);
  EXPECT_EQ(table.Find(100), ThreadTable::kNone);
  EXPECT_EQ(table.Find(101), 303u);
}

// As many as it is made for (a quarter of its words), coming and going by chance.
TEST(ThreadTable, KnowsExactlyThoseThatAreThereThroughAnyChurn) {
  std::mt19937_64 random(test::TestSeed());
  std::vector<Sequence> words(4096);
  ThreadTable table;
  table.Use(words.data(), 4096);
  std::map<uint32_t, uint32_t> expected;
  uint32_t next_tid = 1 + random() % 4'000'000;
  for (int step = 0; step < 200'000; step++) {
    if (expected.size() < 1024 && random() % 2 == 0) {
      next_tid += 1 + random() % 5;
      const auto slot = static_cast<uint32_t>(random() % 65536);
      ASSERT_TRUE(table.Insert(next_tid, slot)) << expected.size() << " are there";
      expected[next_tid] = slot;
    } else if (!expected.empty()) {
      auto victim = expected.lower_bound(static_cast<uint32_t>(random() % next_tid));
      if (victim == expected.end()) victim = expected.begin();
      table.Remove(victim->first);
      EXPECT_EQ(table.Find(victim->first), ThreadTable::kNone);
      expected.erase(victim);
    }
  }
  for (const auto& [tid, slot] : expected) EXPECT_EQ(table.Find(tid), slot);
}

}  // namespace
}  // namespace spprof
