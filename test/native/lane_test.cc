// A lane: swaps, order, what PublishedEnd promises, and a writer against a reader.
#include "region/lane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core_support.h"
#include "region/records.h"

namespace spprof {
namespace {

constexpr uint32_t kRingSize = 4096;
constexpr size_t kRecord = 40;
constexpr uint32_t kRecordsPerRing = kRingSize / kRecord;  // and some bytes that stay free

// A lane with its rings behind it, as in a region.
class LaneTest : public testing::Test {
 protected:
  void SetUp() override { Make(4); }
  void Make(uint32_t rings) {
    memory_.assign(sizeof(Lane) + kCacheLine + rings * kRingSize, 0);
    const auto address = reinterpret_cast<uintptr_t>(memory_.data());
    const size_t at = AlignUp(address, kCacheLine) - address;
    lane_ = new (memory_.data() + at) Lane;
    lane_->Reset(rings, kRingSize, at + sizeof(Lane));
  }
  LaneWriter Writer() { return LaneWriter(lane_, memory_.data()); }
  LaneReader Reader() { return LaneReader(lane_, memory_.data()); }

  // One record with a number in it. False: refused.
  bool Write(uint64_t number, bool* swapped = nullptr) {
    bool ignored = false;
    LaneWriter writer = Writer();
    if (!writer.Reserve(kRecord, swapped != nullptr ? swapped : &ignored)) return false;
    uint64_t words[kRecord / 8] = {number, ~number, number * 3, 0, number};
    writer.Write(words, sizeof(words));
    return true;
  }
  // Fills the ring that is active; the next Write swaps.
  void FillRing() {
    for (uint32_t i = 0; i < kRecordsPerRing; i++) ASSERT_TRUE(Write(next_++));
  }
  // Drains up to `end`; numbers into numbers_, checked to be one stream without a gap.
  uint64_t Drain(uint64_t end = UINT64_MAX) {
    return Reader().Drain(end, [&](uint64_t position, RingReader& ring, uint64_t length) {
      EXPECT_EQ(position, stream_end_) << "a gap, or bytes given twice";
      ASSERT_EQ(length % kRecord, 0u);
      std::vector<uint8_t> bytes(length);
      ring.Copy(bytes.data(), length);
      stream_end_ = position + length;
      for (size_t at = 0; at < length; at += kRecord) {
        uint64_t words[kRecord / 8];
        std::memcpy(words, bytes.data() + at, kRecord);
        EXPECT_EQ(words[1], ~words[0]);
        EXPECT_EQ(words[4], words[0]);
        numbers_.push_back(words[0]);
      }
    });
  }
  void ExpectNumbersUpTo(uint64_t count) {
    ASSERT_EQ(numbers_.size(), count);
    for (uint64_t i = 0; i < count; i++) ASSERT_EQ(numbers_[i], i);
  }

  std::vector<uint8_t> memory_;
  Lane* lane_ = nullptr;
  uint64_t next_ = 0;
  uint64_t stream_end_ = 0;
  std::vector<uint64_t> numbers_;
};

TEST_F(LaneTest, GivesBackWhatWasWritten) {
  for (uint64_t i = 0; i < 10; i++) ASSERT_TRUE(Write(i));
  EXPECT_EQ(Drain(), 10 * kRecord);
  ExpectNumbersUpTo(10);
  EXPECT_EQ(Drain(), 0u);
  EXPECT_EQ(lane_->events_written.load(), 10u);
}

TEST_F(LaneTest, PadsRecordsToEightBytes) {
  bool swapped = false;
  LaneWriter writer = Writer();
  ASSERT_TRUE(writer.Reserve(16, &swapped));
  writer.Write("12345678", 8, "abc", 3);
  std::string got;
  Reader().Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
    got.resize(length);
    ring.Copy(reinterpret_cast<uint8_t*>(got.data()), length);
  });
  EXPECT_EQ(got, std::string("12345678abc\0\0\0\0\0", 16));
}

TEST_F(LaneTest, SwapsToAFreeRingWhenTheActiveOneIsFullAndSaysSo) {
  bool swapped = false;
  FillRing();
  EXPECT_FALSE(swapped);
  ASSERT_TRUE(Write(next_++, &swapped));
  EXPECT_TRUE(swapped);
  EXPECT_EQ(lane_->swaps.load(), 1u);
}

TEST_F(LaneTest, ReadsSubmittedRingsBeforeTheActiveOne) {
  for (int ring = 0; ring < 3; ring++) FillRing();
  for (int i = 0; i < 5; i++) ASSERT_TRUE(Write(next_++));
  EXPECT_EQ(lane_->swaps.load(), 3u);
  Drain();
  ExpectNumbersUpTo(3 * kRecordsPerRing + 5);
}

TEST_F(LaneTest, RefusesARecordWhenAllRingsAreFullAndTakesItAfterADrain) {
  for (int ring = 0; ring < 4; ring++) FillRing();
  const uint32_t active = lane_->active.load();
  EXPECT_FALSE(Write(next_));
  EXPECT_FALSE(Write(next_));
  EXPECT_EQ(lane_->active.load(), active) << "a refusal changes nothing";
  EXPECT_EQ(lane_->events_written.load(), 4u * kRecordsPerRing);
  Drain();
  EXPECT_TRUE(Write(next_++));
  Drain();
  ExpectNumbersUpTo(4 * kRecordsPerRing + 1);
}

TEST_F(LaneTest, RefusesWhatIsLongerThanARing) {
  bool swapped = false;
  LaneWriter writer = Writer();
  Write(0);
  EXPECT_FALSE(writer.Reserve(kRingSize + 8, &swapped));
  EXPECT_FALSE(swapped);
  EXPECT_EQ(lane_->swaps.load(), 0u);
}

TEST_F(LaneTest, WorksWithASingleRing) {
  Make(1);
  for (int turn = 0; turn < 5; turn++) {
    FillRing();
    EXPECT_FALSE(Write(next_));
    Drain();
  }
  ExpectNumbersUpTo(5 * kRecordsPerRing);
  EXPECT_EQ(lane_->swaps.load(), 0u);
}

TEST_F(LaneTest, PublishedEndIsThePositionBehindTheLastRecord) {
  EXPECT_EQ(Reader().PublishedEnd(), 0u);
  for (uint64_t i = 0; i < kRecordsPerRing + 7; i++) {
    ASSERT_TRUE(Write(i));
    ASSERT_EQ(Reader().PublishedEnd(), (i + 1) * kRecord);
  }
  Drain();
  EXPECT_EQ(Reader().PublishedEnd(), (kRecordsPerRing + 7) * kRecord);
}

TEST_F(LaneTest, DrainStopsAtTheEndItIsGivenInTheActiveRing) {
  for (uint64_t i = 0; i < 3; i++) Write(i);
  const uint64_t end = Reader().PublishedEnd();
  for (uint64_t i = 3; i < 6; i++) Write(i);
  EXPECT_EQ(Drain(end), 3 * kRecord);
  ExpectNumbersUpTo(3);
  EXPECT_EQ(Drain(end), 0u);
  Drain();
  ExpectNumbersUpTo(6);
}

// What comes behind `end` has definitions that may not be in the log yet; a swap meanwhile must not
// let it through.
TEST_F(LaneTest, DrainStopsAtTheEndItIsGivenThoughTheRingHasBeenSubmittedSince) {
  Write(next_++);
  const uint64_t end = Reader().PublishedEnd();
  while (lane_->swaps.load() == 0) ASSERT_TRUE(Write(next_++));
  EXPECT_EQ(Drain(end), kRecord);
  ExpectNumbersUpTo(1);
  Drain(end);
  ExpectNumbersUpTo(1);
  Drain();
  ExpectNumbersUpTo(next_);
}

TEST_F(LaneTest, DrainTakesNothingWhenTheEndLiesBehindIt) {
  for (uint64_t i = 0; i < 4; i++) Write(i);
  Drain();
  for (uint64_t i = 4; i < 6; i++) Write(i);
  EXPECT_EQ(Drain(2 * kRecord), 0u);
  EXPECT_EQ(Drain(0), 0u);
  Drain();
  ExpectNumbersUpTo(6);
}

// The drain may be killed wherever it is: what it has not released must still be found in the
// region.
TEST_F(LaneTest, ADrainThatDiesInTheMiddleLeavesEverythingForTheNextOne) {
  for (int ring = 0; ring < 2; ring++) FillRing();
  for (int i = 0; i < 5; i++) ASSERT_TRUE(Write(next_++));
  std::vector<std::vector<uint8_t>> deaths;
  Reader().Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
    deaths.push_back(memory_);
    std::vector<uint8_t> bytes(length);
    ring.Copy(bytes.data(), length);
  });
  ASSERT_EQ(deaths.size(), 3u);
  for (size_t death = 0; death < deaths.size(); death++) {
    std::copy(deaths[death].begin(), deaths[death].end(), memory_.begin());
    numbers_.clear();
    stream_end_ = death * kRecordsPerRing * kRecord;
    Drain();
    ASSERT_EQ(numbers_.size(), next_ - death * kRecordsPerRing);
    EXPECT_EQ(numbers_.front(), death * kRecordsPerRing);
    EXPECT_EQ(numbers_.back(), next_ - 1);
  }
}

TEST_F(LaneTest, SurvivesQueuesAndHeadersThatHoldAnything) {
  std::mt19937_64 random(test::TestSeed());
  for (int turn = 0; turn < 20'000; turn++) {
    Make(4);
    auto* words = reinterpret_cast<uint64_t*>(lane_);
    const uint64_t geometry[] = {lane_->ring_count, lane_->ring_size, lane_->rings_offset};
    for (int i = 0; i < 8; i++) words[random() % (sizeof(Lane) / 8)] = random() >> (random() % 64);
    // CheckSlot has compared these with the region's geometry.
    lane_->ring_count = static_cast<uint32_t>(geometry[0]);
    lane_->ring_size = static_cast<uint32_t>(geometry[1]);
    lane_->rings_offset = geometry[2];
    const uint64_t total =
        Reader().Drain(Reader().PublishedEnd(), [&](uint64_t, RingReader& ring, uint64_t length) {
          ASSERT_LE(length, kRingSize);
          uint8_t bytes[kRingSize];
          ring.Copy(bytes, length);
        });
    ASSERT_LE(total, (2 * kMaxRingsPerLane + 1) * uint64_t{kRingSize});
  }
}

// The writer refuses nothing that has room and never waits; the reader checks numbers and positions
// of all that it gets, by turns up to PublishedEnd and to the end. The law: written = drained +
// still in the lane.
TEST_F(LaneTest, LosesAndRepeatsNothingBetweenAWriterAndAReader) {
  const uint64_t wanted = test::kSanitized ? 300'000 : 4'000'000;
  std::atomic<bool> done{false};
  uint64_t refused = 0;
  std::thread writer([&] {
    for (uint64_t number = 0; number < wanted;) {
      if (Write(number)) {
        number++;
      } else {
        refused++;
        std::this_thread::yield();
      }
    }
    done.store(true, std::memory_order_release);
  });
  uint64_t expected = 0, wrong = 0, drained = 0;
  bool limited = false;
  for (bool last = false; !last;) {
    last = done.load(std::memory_order_acquire);
    const uint64_t end = limited && !last ? Reader().PublishedEnd() : UINT64_MAX;
    limited = !limited;
    do {
      drained = Reader().Drain(end, [&](uint64_t position, RingReader& ring, uint64_t length) {
        wrong += position != stream_end_ || length % kRecord != 0 ||
                 (end != UINT64_MAX && position + length > end);
        uint8_t bytes[kRingSize];
        ring.Copy(bytes, length);
        stream_end_ = position + length;
        for (size_t at = 0; at + kRecord <= length; at += kRecord) {
          uint64_t words[kRecord / 8];
          std::memcpy(words, bytes + at, kRecord);
          wrong += words[0] != expected || words[1] != ~expected || words[4] != expected;
          expected++;
        }
      });
    } while (last && drained != 0);
    if (drained == 0) std::this_thread::yield();
  }
  writer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(expected, wanted);
  EXPECT_EQ(lane_->events_written.load(), wanted);
  EXPECT_EQ(stream_end_, wanted * kRecord);
  EXPECT_EQ(Reader().PublishedEnd(), stream_end_) << "nothing is left in the lane";
  std::printf("%llu records, %llu swaps, refused %llu times\n",
              static_cast<unsigned long long>(wanted),
              static_cast<unsigned long long>(lane_->swaps.load()),
              static_cast<unsigned long long>(refused));
}

}  // namespace
}  // namespace spprof
