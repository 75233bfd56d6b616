#include "drain/log_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "drain/lane_stream.h"
#include "log_fixture.h"

namespace spprof {
namespace {

using fixture::BytesOf;
using fixture::LogWriter;
using fixture::Sample;
using fixture::Stack;
using fixture::TemporaryFile;

LogWriter ThreeChunks() {
  LogWriter writer;
  writer.Control(fixture::Session(1, 0));
  writer.Detail(3, 1, Stack(1, {MakeFrame(FrameType::kNative, 0x1000)}));
  writer.Index(3, 1, Sample(10, 20, 1) + Sample(30, 20, 1));
  return writer;
}

struct Outcome {
  uint64_t chunks = 0;
  uint64_t bytes = 0;
  std::string reason;
  bool is_open = false;
};

Outcome ReadAll(const std::string& path) {
  Outcome outcome;
  LogReader reader;
  outcome.is_open = LogReader::Open(path, &reader).ok();
  LogChunk chunk;
  while (reader.Next(&chunk)) ++outcome.chunks;
  EXPECT_FALSE(reader.Next(&chunk));
  EXPECT_TRUE(!outcome.is_open || reader.good_chunks() == outcome.chunks);
  outcome.bytes = reader.good_bytes();
  outcome.reason = reader.stop_reason();
  return outcome;
}

TEST(LogReader, ReadsBackWhatWasWritten) {
  const TemporaryFile file(ThreeChunks().bytes());
  LogReader reader;
  ASSERT_TRUE(LogReader::Open(file.path(), &reader).ok());
  LogChunk chunk;
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.kind, ChunkKind::kControl);
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.kind, ChunkKind::kDetail);
  EXPECT_EQ(chunk.header.slot, 3u);
  ASSERT_TRUE(reader.Next(&chunk));
  const std::string expected = Sample(10, 20, 1) + Sample(30, 20, 1);
  ASSERT_EQ(chunk.payload.size(), expected.size());
  EXPECT_EQ(memcmp(chunk.payload.data(), expected.data(), expected.size()), 0);
  EXPECT_FALSE(reader.Next(&chunk));
  EXPECT_EQ(reader.stop_reason(), "");
  EXPECT_EQ(reader.good_bytes(), reader.file_bytes());
}

TEST(LogReader, KeepsTheWholeChunksOfALogCutAnywhere) {
  const LogWriter writer = ThreeChunks();
  const std::vector<size_t> boundaries = writer.Boundaries();
  TemporaryFile file;
  for (size_t length = 0; length <= writer.bytes().size(); ++length) {
    SCOPED_TRACE(length);
    file.Write(writer.bytes().substr(0, length));
    const Outcome outcome = ReadAll(file.path());
    if (length < sizeof(LogHeader)) {
      EXPECT_FALSE(outcome.is_open);
      continue;
    }
    const auto next = std::upper_bound(boundaries.begin(), boundaries.end(), length);
    EXPECT_EQ(outcome.chunks, static_cast<uint64_t>(next - boundaries.begin() - 1));
    EXPECT_EQ(outcome.bytes, *std::prev(next));
    EXPECT_EQ(outcome.reason.empty(), length == *std::prev(next));
  }
}

TEST(LogReader, StopsBeforeTheChunkWithAFlippedBit) {
  const LogWriter writer = ThreeChunks();
  const std::vector<size_t> boundaries = writer.Boundaries();
  TemporaryFile file;
  for (size_t at = sizeof(LogHeader); at < writer.bytes().size(); ++at) {
    SCOPED_TRACE(at);
    std::string bytes = writer.bytes();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    file.Write(bytes);
    const Outcome outcome = ReadAll(file.path());
    const auto next = std::upper_bound(boundaries.begin(), boundaries.end(), at);
    EXPECT_EQ(outcome.chunks, static_cast<uint64_t>(next - boundaries.begin() - 1));
    EXPECT_NE(outcome.reason, "");
  }
}

TEST(LogReader, StopsWhereAChunkIsMissing) {
  const LogWriter writer = ThreeChunks();
  const std::vector<size_t> boundaries = writer.Boundaries();
  std::string bytes = writer.bytes();
  bytes.erase(boundaries[1], boundaries[2] - boundaries[1]);
  const TemporaryFile file(bytes);
  const Outcome outcome = ReadAll(file.path());
  EXPECT_EQ(outcome.chunks, 1u);
  EXPECT_EQ(outcome.reason, "a chunk is missing");
}

TEST(LogReader, RefusesWhatIsNoLog) {
  const TemporaryFile text("This is a text that is longer than a header of a log is.");
  LogReader reader;
  EXPECT_STREQ(LogReader::Open(text.path(), &reader).code(), kErrBadRecording);
  EXPECT_STREQ(LogReader::Open("/tmp", &reader).code(), kErrBadRecording);
  EXPECT_STREQ(LogReader::Open("/nowhere/at/all", &reader).code(), kErrSystem);
  std::string other_version = ThreeChunks().bytes();
  other_version[8] = 99;
  const TemporaryFile newer(other_version);
  const Status status = LogReader::Open(newer.path(), &reader);
  EXPECT_STREQ(status.code(), kErrBadRecording);
  EXPECT_NE(status.message().find("version 99"), std::string::npos);
}

TEST(LogReader, SurvivesRandomCorruption) {
  const unsigned seed = std::random_device{}();
  printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::string good = ThreeChunks().bytes();
  TemporaryFile file;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    for (unsigned i = 0, n = 1 + random() % 8; i < n; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 == 0) fixture::RepairChecksums(&bytes);
    file.Write(bytes);
    EXPECT_LE(ReadAll(file.path()).bytes, good.size()) << "seed " << seed << " round " << round;
  }
}

class LaneStreamTest : public testing::Test {
 protected:
  void Feed(uint64_t position, const std::string& bytes) {
    stream_.Append(position, BytesOf(bytes), [this](const RecordView& record) {
      SampleRecord sample;
      ASSERT_TRUE(record.Read(&sample));
      times_.push_back(sample.time_ns);
    });
  }

  LaneStream stream_{ChunkKind::kIndex};
  std::vector<uint64_t> times_;
};

TEST_F(LaneStreamTest, PutsARecordTogetherThatIsSplitOverChunks) {
  const std::string bytes = Sample(1, 0, 0) + Sample(2, 0, 0) + Sample(3, 0, 0);
  for (size_t at = 0; at < bytes.size(); at += 8) Feed(at, bytes.substr(at, 8));
  EXPECT_EQ(times_, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(stream_.lost_bytes(), 0u);
  EXPECT_EQ(stream_.pending_bytes(), 0u);
}

TEST_F(LaneStreamTest, SkipsBytesSeenBefore) {
  const std::string bytes = Sample(1, 0, 0) + Sample(2, 0, 0) + Sample(3, 0, 0);
  Feed(0, bytes.substr(0, 80));
  Feed(0, bytes.substr(0, 40));
  Feed(40, bytes.substr(40));
  EXPECT_EQ(times_, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(stream_.lost_bytes(), 0u);
}

TEST_F(LaneStreamTest, CountsAGapAndGoesOnBehindIt) {
  Feed(0, Sample(1, 0, 0) + Sample(2, 0, 0).substr(0, 16));
  Feed(160, Sample(5, 0, 0));
  EXPECT_EQ(times_, (std::vector<uint64_t>{1, 5}));
  EXPECT_EQ(stream_.lost_bytes(), 120u);  // the cut record's 16 bytes, and 104 up to 160
}

TEST_F(LaneStreamTest, TakesNoRecordFromTheMiddleOfOneBehindAGap) {
  Feed(0, Sample(1, 0, 0));
  Feed(128, Sample(4, 0, 0).substr(8));  // begins within a record
  Feed(160, Sample(5, 0, 0));
  EXPECT_EQ(times_, (std::vector<uint64_t>{1, 5}));
  EXPECT_EQ(stream_.lost_bytes(), 120u);
}

TEST_F(LaneStreamTest, LeavesAChunkAtDamageAndGoesOnAtTheNext) {
  Feed(0, Sample(1, 0, 0) + std::string(40, '\0') + Sample(2, 0, 0));
  Feed(120, Sample(3, 0, 0));
  EXPECT_EQ(times_, (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(stream_.lost_bytes(), 80u);
}

TEST_F(LaneStreamTest, RefusesAPositionThatWouldOverflow) {
  Feed(UINT64_MAX - 8, Sample(1, 0, 0));
  Feed(0, Sample(2, 0, 0));
  EXPECT_EQ(times_, (std::vector<uint64_t>{2}));
}

}  // namespace
}  // namespace spprof
