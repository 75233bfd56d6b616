// The queue of ring indices: order, capacity, and one producer against one consumer.
#include "region/spsc_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "core_support.h"

namespace spprof {
namespace {

template <uint32_t kCapacity>
std::unique_ptr<SpscQueue<kCapacity>> MakeQueue() {
  auto queue = std::make_unique<SpscQueue<kCapacity>>();
  queue->Reset();
  return queue;
}

TEST(SpscQueue, IsEmptyAtFirst) {
  auto queue = MakeQueue<4>();
  uint32_t value = 77;
  EXPECT_TRUE(queue->IsEmpty());
  EXPECT_FALSE(queue->Pop(&value));
  EXPECT_FALSE(queue->Peek(&value));
  EXPECT_EQ(value, 77u);
}

TEST(SpscQueue, GivesBackInTheOrderOfPushing) {
  auto queue = MakeQueue<4>();
  for (uint32_t i = 10; i < 14; i++) EXPECT_TRUE(queue->Push(i));
  for (uint32_t i = 10; i < 14; i++) {
    uint32_t value = 0;
    ASSERT_TRUE(queue->Pop(&value));
    EXPECT_EQ(value, i);
  }
  EXPECT_TRUE(queue->IsEmpty());
}

TEST(SpscQueue, RefusesWhenFullAndTakesAgainAfterOnePop) {
  auto queue = MakeQueue<4>();
  for (uint32_t i = 0; i < 4; i++) ASSERT_TRUE(queue->Push(i));
  EXPECT_FALSE(queue->Push(4));
  uint32_t value = 9;
  ASSERT_TRUE(queue->Pop(&value));
  EXPECT_EQ(value, 0u);
  EXPECT_TRUE(queue->Push(4));
  EXPECT_FALSE(queue->Push(5));
}

TEST(SpscQueue, KeepsItsOrderOverManyTurnsOfTheIndices) {
  auto queue = MakeQueue<4>();
  uint32_t pushed = 0, popped = 0;
  for (int turn = 0; turn < 1000; turn++) {
    for (int i = 0; i <= turn % 4; i++) ASSERT_TRUE(queue->Push(pushed++));
    for (int i = 0; i <= turn % 4; i++) {
      uint32_t value = ~0u;
      ASSERT_TRUE(queue->Pop(&value));
      ASSERT_EQ(value, popped++);
    }
    ASSERT_TRUE(queue->IsEmpty());
  }
}

TEST(SpscQueue, PeekShowsTheNextEntryAndLeavesItThere) {
  auto queue = MakeQueue<4>();
  queue->Push(5);
  queue->Push(6);
  uint32_t value = 0;
  ASSERT_TRUE(queue->Peek(&value));
  EXPECT_EQ(value, 5u);
  ASSERT_TRUE(queue->Peek(&value));
  EXPECT_EQ(value, 5u);
  ASSERT_TRUE(queue->Pop(&value));
  ASSERT_TRUE(queue->Peek(&value));
  EXPECT_EQ(value, 6u);
}

TEST(SpscQueue, ResetForgetsEverything) {
  auto queue = MakeQueue<2>();
  queue->Push(1);
  queue->Push(2);
  queue->Reset();
  EXPECT_TRUE(queue->IsEmpty());
  EXPECT_TRUE(queue->Push(3));
  uint32_t value = 0;
  ASSERT_TRUE(queue->Pop(&value));
  EXPECT_EQ(value, 3u);
}

template <uint32_t kCapacity>
void CarryBetweenThreads(uint32_t count) {
  auto queue = MakeQueue<kCapacity>();
  std::thread producer([&] {
    for (uint32_t i = 0; i < count;) {
      if (queue->Push(i)) {
        i++;
      } else {
        std::this_thread::yield();
      }
    }
  });
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < count;) {
    uint32_t value;
    if (!queue->Pop(&value)) {
      std::this_thread::yield();
      continue;
    }
    wrong += value != i;
    i++;
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(queue->IsEmpty());
}

TEST(SpscQueue, LosesAndRepeatsNothingBetweenTwoThreads) {
  CarryBetweenThreads<4>(test::kSanitized ? 200'000 : 2'000'000);
  CarryBetweenThreads<1024>(test::kSanitized ? 1'000'000 : 10'000'000);
}

}  // namespace
}  // namespace spprof
