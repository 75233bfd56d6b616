// The way of a block's name: from the thread's label through the handler's records to the columns
// of a recording, of a stream's batches, and of a recording that is folded.
#include "signal_safe/walk/block_labels.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core_support.h"
#include "handler_support.h"
#include "log_fixture.h"
#include "profile/live_decoder.h"
#include "profile/recording_builder.h"

namespace spprof {
namespace {

using namespace fixture;  // NOLINT: the tests are written in its words

constexpr uint64_t kMs = 1'000'000;
const LabelDefinition kOuter = {0, 0, 5, 5, "trackouter"};
constexpr uint32_t kOuterLabel = 60'001;
const LabelDefinition kInner = {kOuterLabel, 2, 5, 5, "myotherinner"};
constexpr uint32_t kInnerLabel = 60'002;

class LabelledThread {
 public:
  explicit LabelledThread(uint32_t tid) : tid_(tid) {
    DefineLabel(kOuterLabel, &kOuter);
    DefineLabel(kInnerLabel, &kInner);
    EXPECT_TRUE(AttachLabel(tid, &label));
  }
  ~LabelledThread() { DetachLabel(tid_); }
  Word label{0};

 private:
  uint32_t tid_;
};

// What the harness's slot has written, as it would lie in a log.
Recording Read(test::HandlerHarness& harness, uint32_t slot) {
  LogWriter log;
  log.Control(Session(4242, 0));
  for (const ChunkKind kind : {ChunkKind::kDetail, ChunkKind::kIndex}) {
    ThreadLaneSet* lanes = harness.Slot(slot);
    std::string bytes;
    LaneReader(kind == ChunkKind::kDetail ? &lanes->detail : &lanes->index,
               harness.region()->base())
        .Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
          std::string piece(length, '\0');
          ring.Copy(reinterpret_cast<uint8_t*>(piece.data()), length);
          bytes += piece;
        });
    log.LaneAt(kind, slot, 1, 0, bytes);
  }
  const TemporaryFile file(log.bytes());
  Recording recording;
  EXPECT_TRUE(ReadLog(file.path(), &recording).ok());
  return recording;
}

TEST(BlockLabels, ASampleHasTheLabelThatItsThreadHadAndTheNamesAreInItsLane) {
  test::HandlerHarness harness;
  const uint32_t slot = harness.AddThread();
  LabelledThread thread(harness.Slot(slot)->tid);
  for (const uint32_t label : {0u, kInnerLabel, kOuterLabel, kInnerLabel, 0u}) {
    thread.label = label;
    test::HandlerHarness::Deliver(harness.Tick(slot));
  }
  const Recording recording = Read(harness, slot);
  EXPECT_EQ(recording.sample_blocks, (std::vector<uint32_t>{0, 2, 1, 2, 0}));
  ASSERT_EQ(recording.blocks.size(), 2u);
  EXPECT_EQ(recording.blocks[0].profiler, "");
  EXPECT_EQ(recording.blocks[0].track, "track");
  EXPECT_EQ(recording.blocks[0].name, "outer");
  EXPECT_EQ(recording.blocks[0].parent, 0u);
  EXPECT_EQ(recording.blocks[1].profiler, "my");
  EXPECT_EQ(recording.blocks[1].track, "other");
  EXPECT_EQ(recording.blocks[1].name, "inner");
  EXPECT_EQ(recording.blocks[1].parent, 1u);
}

TEST(BlockLabels, OtherThreadsHaveNone) {
  test::HandlerHarness harness;
  const uint32_t labelled = harness.AddThread();
  const uint32_t other = harness.AddThread();
  LabelledThread thread(harness.Slot(labelled)->tid);
  thread.label = kInnerLabel;
  test::HandlerHarness::Deliver(harness.Tick(other));
  const std::vector<SampleRecord> samples = harness.TakeSamples(other);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].header.flags, 0u);
}

TEST(BlockLabels, AreFoundForAsManyThreadsAsThereAreAndForNoneThatHasGone) {
  std::vector<Word> words(kMaxLabelledThreads);
  std::mt19937_64 random(test::TestSeed());
  for (int round = 0; round < 3; round++) {
    const auto base = static_cast<uint32_t>(100'000 + random() % 1'000'000);
    uint32_t attached = 0;
    for (uint32_t i = 0; i < kMaxLabelledThreads; i++) {
      words[i] = i + 1;
      if (AttachLabel(base + i, &words[i])) attached++;
    }
    EXPECT_EQ(attached, kMaxLabelledThreads);
    EXPECT_FALSE(AttachLabel(base + kMaxLabelledThreads, &words[0]));
    for (uint32_t i = 0; i < kMaxLabelledThreads; i++) ASSERT_EQ(LabelOf(base + i), i + 1);
    for (uint32_t i = 0; i < kMaxLabelledThreads; i++) DetachLabel(base + i);
    for (uint32_t i = 0; i < kMaxLabelledThreads; i++) ASSERT_EQ(LabelOf(base + i), 0u);
  }
}

std::string BlockOf(uint32_t label, uint32_t parent, const std::string& track,
                    const std::string& name) {
  return Record(RecordType::kBlock,
                BlockRecord{{},
                            label,
                            parent,
                            0,
                            static_cast<uint32_t>(track.size()),
                            static_cast<uint32_t>(name.size()),
                            0},
                track + name);
}

std::string LabelledSample(uint64_t time_ns, uint32_t stack, uint16_t label) {
  return Record(RecordType::kSample, SampleRecord{{}, time_ns, kMs, stack, 0, kVmStateUnknown, 700},
                {}, label);
}

Recording Decode(const LogWriter& log, RecordingBuilder builder = RecordingBuilder()) {
  const TemporaryFile file(log.bytes());
  LogReader reader;
  EXPECT_TRUE(LogReader::Open(file.path(), &reader).ok());
  LogChunk chunk;
  while (reader.Next(&chunk)) builder.Add(chunk);
  Recording recording;
  EXPECT_TRUE(builder.Build(&recording).ok());
  return recording;
}

TEST(BlockLabels, WhoseDefinitionsContradictEachOtherDoNoHarm) {
  LogWriter log;
  log.Control(Session(4242, 0));
  std::string chain;
  for (uint32_t label = 1; label < 40'000; label++) chain += BlockOf(label, label + 1, "t", "n");
  log.Detail(0, 1,
             Stack(1, {}) + BlockOf(50'000, 50'001, "a", "b") + BlockOf(50'001, 50'000, "c", "d") +
                 BlockOf(50'002, 50'002, "e", "f"));
  log.Detail(0, 1, chain);
  std::string damaged = BlockOf(50'003, 0, "track", "name");
  damaged[sizeof(RecordHeader) + 16] = 0x7f;  // a name longer than the record
  log.Detail(0, 1, damaged);
  std::string samples;
  for (const uint16_t label : {50'000, 50'001, 50'002, 50'003, 50'004, 1})
    samples += LabelledSample(label, 1, label);
  log.Index(0, 1, samples);
  const Recording recording = Decode(log);
  ASSERT_EQ(recording.sample_blocks.size(), 6u);
  for (size_t i = 0; i < recording.blocks.size(); i++) EXPECT_LE(recording.blocks[i].parent, i);
  for (const uint32_t block : recording.sample_blocks) EXPECT_LE(block, recording.blocks.size());
}

TEST(BlockLabels, StayApartWhenSamplesAreFolded) {
  RecordingBuilder builder(128 * 2 * 1000);  // a thousand samples
  LogWriter log;
  log.Control(Session(4242, 0));
  log.Detail(0, 1, Stack(1, {}) + BlockOf(1, 0, "t", "a") + BlockOf(2, 0, "t", "b"));
  std::map<uint32_t, double> expected;
  for (uint64_t i = 0; i < 20; i++) {
    std::string samples;
    for (uint64_t j = 0; j < 1000; j++) {
      const auto label = static_cast<uint16_t>((i * 1000 + j) % 5 % 3);
      expected[label] += kMs;
      samples += LabelledSample((i * 1000 + j) * kMs, 1, label);
    }
    log.Index(0, 1, samples);
  }
  const Recording recording = Decode(log, std::move(builder));
  ASSERT_LT(recording.sample_blocks.size(), 5000u);
  std::map<uint32_t, double> times;
  for (size_t i = 0; i < recording.sample_blocks.size(); i++) {
    const uint32_t block = recording.sample_blocks[i];
    times[block == 0                                ? 0
          : recording.blocks[block - 1].name == "a" ? 1
                                                    : 2] += recording.sample_cpu_ns[i];
  }
  EXPECT_EQ(times, expected);
}

TEST(BlockLabels, AreToldWithTheFirstBatchOfAStreamThatHasThem) {
  LiveDecoder decoder;
  uint64_t index = 0, detail = 0;
  const auto add = [&](ChunkKind kind, const std::string& bytes, uint64_t* position) {
    const ChunkHeader header{kChunkMagic, 0, kind, static_cast<uint32_t>(bytes.size()),
                             0,           1, 0,    *position};
    decoder.Add({header, BytesOf(bytes)});
    *position += bytes.size();
  };
  uint64_t control = 0;
  add(ChunkKind::kControl, Session(4242, 0), &control);
  add(ChunkKind::kDetail, Stack(1, {}) + BlockOf(8, 7, "t", "b") + BlockOf(7, 0, "t", "a"),
      &detail);
  add(ChunkKind::kIndex, LabelledSample(1, 1, 7), &index);
  const LiveBatch first = decoder.Take();
  EXPECT_EQ(first.block_ids, std::vector<uint32_t>{1});
  ASSERT_EQ(first.blocks.size(), 1u);
  EXPECT_EQ(first.blocks[0].name, "a");
  add(ChunkKind::kIndex, LabelledSample(2, 1, 8) + LabelledSample(3, 1, 0), &index);
  const LiveBatch second = decoder.Take();
  EXPECT_EQ(second.block_ids, (std::vector<uint32_t>{2, 0}));
  EXPECT_EQ(second.first_block, 1u);
  ASSERT_EQ(second.blocks.size(), 1u);
  EXPECT_EQ(second.blocks[0].name, "b");
  EXPECT_EQ(second.blocks[0].parent, 1u);
}

}  // namespace
}  // namespace spprof
