#include "log/log_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core_support.h"
#include "log/lane_stream.h"
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

// Of the chunk that `at` lies in.
size_t Length(const std::vector<size_t>& boundaries, size_t at) {
  const auto next = std::upper_bound(boundaries.begin(), boundaries.end(), at);
  return *next - *std::prev(next);
}

struct Outcome {
  uint64_t chunks = 0;
  uint64_t bytes = 0;
  uint64_t skipped_bytes = 0;
  uint64_t missing_chunks = 0;
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
  outcome.bytes = reader.good_bytes();
  outcome.reason = reader.stop_reason();
  outcome.skipped_bytes = reader.skipped_bytes();
  outcome.missing_chunks = reader.missing_chunks();
  return outcome;
}

TEST(LogReader, ReadsOneOfSeveralLogsInAFile) {
  const std::string log = ThreeChunks().bytes();
  const TemporaryFile file(std::string(64, 'x') + log + log + std::string(8, 'y'));
  for (const uint64_t offset : {uint64_t{64}, 64 + log.size()}) {
    LogReader reader;
    ASSERT_TRUE(LogReader::Open(file.path(), &reader, {offset, log.size()}).ok());
    LogChunk chunk;
    int chunks = 0;
    while (reader.Next(&chunk)) chunks++;
    EXPECT_EQ(chunks, 3);
    EXPECT_EQ(reader.stop_reason(), "");
    EXPECT_EQ(reader.good_bytes(), log.size());
  }
  LogReader reader;
  EXPECT_STREQ(LogReader::Open(file.path(), &reader, {0, 64}).code(), kErrBadRecording);
  EXPECT_STREQ(LogReader::Open(file.path(), &reader, {64, 16}).code(), kErrBadRecording);
  EXPECT_STREQ(LogReader::Open(file.path(), &reader, {1 << 20, 64}).code(), kErrBadRecording);
  // A length beyond the file's end is the file's end.
  ASSERT_TRUE(LogReader::Open(file.path(), &reader, {64 + log.size(), UINT64_MAX}).ok());
  EXPECT_EQ(reader.log_bytes(), log.size() + 8);
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
  EXPECT_EQ(reader.good_bytes(), reader.log_bytes());
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

TEST(LogReader, LeavesOutOnlyTheChunkWithAFlippedBit) {
  const LogWriter writer = ThreeChunks();
  const std::vector<size_t> boundaries = writer.Boundaries();
  TemporaryFile file;
  for (size_t at = sizeof(LogHeader); at < writer.bytes().size(); ++at) {
    SCOPED_TRACE(at);
    std::string bytes = writer.bytes();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    file.Write(bytes);
    const Outcome outcome = ReadAll(file.path());
    EXPECT_EQ(outcome.chunks, 2u);
    // Of the last one it is not known whether there would be something behind it.
    const bool is_last = at >= boundaries[2];
    EXPECT_EQ(outcome.reason.empty(), !is_last);
    EXPECT_EQ(outcome.skipped_bytes, is_last ? 0 : Length(boundaries, at));
  }
}

TEST(LogReader, GoesOnBehindAMissingChunk) {
  const LogWriter writer = ThreeChunks();
  const std::vector<size_t> boundaries = writer.Boundaries();
  std::string bytes = writer.bytes();
  bytes.erase(boundaries[1], boundaries[2] - boundaries[1]);
  const TemporaryFile file(bytes);
  const Outcome outcome = ReadAll(file.path());
  EXPECT_EQ(outcome.chunks, 2u);
  EXPECT_EQ(outcome.missing_chunks, 1u);
}

TEST(LogReader, FindsItsWayAfterBytesThatWereAddedOrTakenAway) {
  const LogWriter writer = ThreeChunks();
  const size_t second = writer.Boundaries()[1];
  for (size_t count : {1, 3, 8, 70'000}) {
    std::string bytes = writer.bytes();
    bytes.insert(second, count, 'x');
    const TemporaryFile file(bytes);
    const Outcome outcome = ReadAll(file.path());
    EXPECT_EQ(outcome.chunks, 3u) << count;
    EXPECT_EQ(outcome.skipped_bytes, count);
  }
  for (size_t count : {1, 3, 8}) {
    std::string bytes = writer.bytes();
    bytes.erase(second + 5, count);
    EXPECT_EQ(ReadAll(TemporaryFile(bytes).path()).chunks, 2u) << count;
  }
}

// Chunks within chunks, each with a length that reaches to the end of the file: the search for good
// ones is bounded.
TEST(LogReader, GivesUpTheSearchInAFileThatIsMadeToHarm) {
  std::string bytes = ThreeChunks().bytes();
  constexpr size_t kSize = 8 << 20;
  while (bytes.size() < kSize) {
    ChunkHeader header{};
    header.magic = kChunkMagic;
    header.length = static_cast<uint32_t>((kSize - bytes.size()) / 8 * 8);
    bytes.append(reinterpret_cast<const char*>(&header), sizeof(header));
  }
  const TemporaryFile file(bytes);
  const uint64_t begin_ns = test::ClockNs(CLOCK_THREAD_CPUTIME_ID);
  EXPECT_EQ(ReadAll(file.path()).chunks, 3u);
  EXPECT_LE(test::ClockNs(CLOCK_THREAD_CPUTIME_ID) - begin_ns, 20'000'000'000u);
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
