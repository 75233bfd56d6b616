// The byte ring: publishing, wrapping, fullness, and headers that lie.
#include "region/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "core_support.h"

namespace spprof {
namespace {

constexpr uint32_t kSize = 64;

class Ring : public testing::Test {
 protected:
  void SetUp() override { header_.Reset(); }
  RingWriter Writer() { return RingWriter(&header_, bytes_, kSize); }
  RingReader Reader() { return RingReader(&header_, bytes_, kSize); }
  void Write(const std::string& text) {
    RingWriter writer = Writer();
    ASSERT_GE(writer.Free(), text.size());
    writer.Append(text.data(), text.size());
    writer.Publish();
  }
  std::string ReadAll() {
    RingReader reader = Reader();
    std::string text(reader.Readable(), '\0');
    reader.Copy(reinterpret_cast<uint8_t*>(text.data()), text.size());
    reader.Release();
    return text;
  }

  RingHeader header_;
  uint8_t bytes_[kSize] = {};
};

TEST_F(Ring, IsEmptyAtFirstAndAllFree) {
  EXPECT_EQ(Reader().Readable(), 0u);
  EXPECT_EQ(Writer().Free(), kSize);
}

TEST_F(Ring, ShowsNothingBeforePublish) {
  RingWriter writer = Writer();
  writer.Append("abcd", 4);
  EXPECT_EQ(Reader().Readable(), 0u);
  writer.Publish();
  EXPECT_EQ(ReadAll(), "abcd");
}

TEST_F(Ring, JoinsThePiecesOfOneRecord) {
  RingWriter writer = Writer();
  writer.Append("head", 4);
  writer.Append("-tail", 5);
  EXPECT_EQ(writer.Free(), kSize - 9);
  writer.Publish();
  EXPECT_EQ(ReadAll(), "head-tail");
}

TEST_F(Ring, WrapsARecordAroundItsEnd) {
  Write(std::string(60, 'x'));
  ReadAll();
  Write("0123456789");
  EXPECT_EQ(std::string(reinterpret_cast<char*>(bytes_) + 60, 4), "0123");
  EXPECT_EQ(std::string(reinterpret_cast<char*>(bytes_), 6), "456789");
  EXPECT_EQ(ReadAll(), "0123456789");
}

TEST_F(Ring, HasNoRoomWhenFullUntilTheReaderReleases) {
  Write(std::string(kSize, 'y'));
  EXPECT_EQ(Writer().Free(), 0u);
  RingReader reader = Reader();
  uint8_t copy[16];
  reader.Copy(copy, 16);
  EXPECT_EQ(Writer().Free(), 0u) << "copied, but not released yet";
  reader.Release();
  EXPECT_EQ(Writer().Free(), 16u);
}

TEST_F(Ring, PositionCountsBytesFromTheLanesBaseOn) {
  header_.lane_base.store(1000);
  Write("abcdefgh");
  RingReader reader = Reader();
  EXPECT_EQ(reader.lane_position(), 1000u);
  uint8_t copy[3];
  reader.Copy(copy, 3);
  EXPECT_EQ(reader.lane_position(), 1003u);
}

TEST_F(Ring, ReadsNothingFromAHeaderThatClaimsMoreThanItsSize) {
  header_.head.store(kSize + 1);
  EXPECT_EQ(Reader().Readable(), 0u);
  header_.head.store(5);
  header_.tail.store(6);
  EXPECT_EQ(Reader().Readable(), 0u);
}

// Bytes that tell their own place, in pieces of changing length, across the 2^64 wrap of the
// indices.
TEST_F(Ring, CarriesEveryByteBetweenTwoThreadsInOrder) {
  const uint64_t start = ~uint64_t{0} - 100'000;
  header_.head.store(start);
  header_.tail.store(start);
  const uint64_t total = test::kSanitized ? 1'000'000 : 8'000'000;
  const auto byte_at = [](uint64_t at) { return static_cast<uint8_t>(at * 167 + (at >> 8)); };
  std::thread producer([&] {
    uint8_t piece[kSize];
    for (uint64_t at = 0; at < total;) {
      const uint64_t length = std::min<uint64_t>(1 + at % 61, total - at);
      RingWriter writer = Writer();
      if (writer.Free() < length) {
        std::this_thread::yield();
        continue;
      }
      for (uint64_t i = 0; i < length; i++) piece[i] = byte_at(at + i);
      writer.Append(piece, length / 2);
      writer.Append(piece + length / 2, length - length / 2);
      writer.Publish();
      at += length;
    }
  });
  uint64_t wrong = 0;
  uint8_t got[kSize];
  for (uint64_t at = 0; at < total;) {
    RingReader reader = Reader();
    const uint64_t length = reader.Readable();
    if (length == 0) {
      std::this_thread::yield();
      continue;
    }
    reader.Copy(got, length);
    reader.Release();
    for (uint64_t i = 0; i < length; i++) wrong += got[i] != byte_at(at + i);
    at += length;
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(Reader().Readable(), 0u);
}

}  // namespace
}  // namespace spprof
