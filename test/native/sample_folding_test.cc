// Recordings that are longer than their memory: sums stay exact, what was folded is counted.
//
// SPPROF_TEST_LONG=1: a whole day at 1 kHz.
#include "profile/sample_folding.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "core_support.h"
#include "log_fixture.h"
#include "profile/recording_builder.h"

namespace spprof {
namespace {

using namespace fixture;  // NOLINT: the tests are written in its words

constexpr uint64_t kMs = 1'000'000;

// A log that grows chunk by chunk, and never lies in memory.
class GrowingLog {
 public:
  explicit GrowingLog(RecordingBuilder* builder) : builder_(builder) {
    Add(ChunkKind::kControl, 0, Session(4242, 0));
  }
  void Detail(const std::string& bytes) { Lane(ChunkKind::kDetail, bytes, &detail_end_); }
  void Index(const std::string& bytes) { Lane(ChunkKind::kIndex, bytes, &index_end_); }

 private:
  void Lane(ChunkKind kind, const std::string& bytes, uint64_t* end) {
    Add(kind, *end, bytes);
    *end += bytes.size();
  }
  void Add(ChunkKind kind, uint64_t position, const std::string& bytes) {
    const ChunkHeader header{kChunkMagic, 0, kind, static_cast<uint32_t>(bytes.size()),
                             0,           1, 0,    position};
    builder_->Add({header, {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}});
  }

  RecordingBuilder* builder_;
  uint64_t detail_end_ = 0;
  uint64_t index_end_ = 0;
};

uint64_t ResidentMb() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096 / (1 << 20);
}

// CPU time by the name of the leaf.
std::map<std::string, double> TimesOf(const Recording& recording) {
  std::map<std::string, double> times;
  for (size_t i = 0; i < recording.sample_stacks.size(); i++) {
    const uint32_t frame = recording.stack_frames[recording.sample_stacks[i]];
    times[recording.frames[frame].function_name] += recording.sample_cpu_ns[i];
  }
  return times;
}

TEST(SampleFolding, ADayAtOneKilohertzKeepsWithinItsMemory) {
  constexpr uint64_t kMaxMemory = 64 << 20;
  constexpr uint32_t kStacks = 500;
  const uint64_t seconds = std::getenv("SPPROF_TEST_LONG") != nullptr ? 24 * 3600 : 1800;
  RecordingBuilder builder(kMaxMemory);
  GrowingLog log(&builder);
  std::map<std::string, double> truth;
  for (uint32_t id = 1; id <= kStacks; id++) {
    log.Detail(Function(id, "f" + std::to_string(id)) +
               Stack(id, {MakeJsFrame(Tier::kTurbofan, id, 0)}));
  }
  const uint64_t resident_mb = ResidentMb();
  uint64_t most_mb = 0;
  uint64_t random = 1;
  for (uint64_t second = 0; second < seconds; second++) {
    std::string samples;
    for (uint64_t i = 0; i < 1000; i++) {
      random = random * 6364136223846793005 + 1442695040888963407;
      // Some often, some seldom.
      const auto id =
          1 + static_cast<uint32_t>((random >> 33) % kStacks * ((random >> 50) % 97) / 97);
      samples += Sample((second * 1000 + i) * kMs, kMs, id);
      truth["f" + std::to_string(id)] += static_cast<double>(kMs);
    }
    log.Index(samples);
    if (second % 100 == 0) most_mb = std::max(most_mb, ResidentMb());
  }
  Recording recording;
  ASSERT_TRUE(builder.Build(&recording).ok());
  EXPECT_EQ(TimesOf(recording), truth);
  EXPECT_EQ(recording.sample_times.size() + recording.stats.folded, seconds * 1000);
  EXPECT_GT(recording.stats.folded, 0u);
  EXPECT_EQ(recording.stats.written, seconds * 1000);
  ASSERT_EQ(recording.stats.warnings.size(), 1u);
  EXPECT_NE(recording.stats.warnings[0].find("maxMemory"), std::string::npos);
  if (!test::kSanitized) {
    EXPECT_LT(most_mb, resident_mb + (kMaxMemory >> 20));
  }
  std::printf("%zu samples of %llu, %llu MB more at most: %s\n", recording.sample_times.size(),
              static_cast<unsigned long long>(seconds * 1000),
              static_cast<unsigned long long>(most_mb - std::min(most_mb, resident_mb)),
              recording.stats.warnings[0].c_str());
}

// Of bursts of work with sleep between: what one stands for is shared out before it is folded, and
// once.
TEST(SampleFolding, SamplesThatShareTheirTimeDoSoOnce) {
  constexpr uint64_t kRounds = 60'000;
  const auto times_with = [](uint64_t max_memory) {
    RecordingBuilder builder(max_memory);
    GrowingLog log(&builder);
    log.Detail(Function(1, "early") + Function(2, "late") +
               Stack(1, {MakeJsFrame(Tier::kInterpreted, 1, 0)}) +
               Stack(2, {MakeJsFrame(Tier::kInterpreted, 2, 0)}));
    for (uint64_t round = 0; round < kRounds; round++) {
      // Early in a burst after 1 ms, late in one after 7.
      const bool is_early = round % 2 == 0;
      log.Index(Sample(round * 20 * kMs + 10, is_early ? kMs : 7 * kMs, is_early ? 1 : 2));
    }
    Recording recording;
    EXPECT_TRUE(builder.Build(&recording).ok());
    return std::pair(TimesOf(recording), recording.stats.folded);
  };
  const auto [all, none_folded] = times_with(1 << 30);
  const auto [folded, some_folded] = times_with(1 << 20);
  EXPECT_EQ(none_folded, 0u);
  EXPECT_GT(some_folded, kRounds / 2);
  for (const char* name : {"early", "late"}) {
    EXPECT_NEAR(all.at(name), 4.0 * kMs * kRounds / 2, 0.01 * kMs * kRounds) << name;
    EXPECT_NEAR(folded.at(name), all.at(name), 0.01 * all.at(name)) << name;
  }
}

TEST(SampleFolding, TheRarestOfTooManyStacksAreShownAsFolded) {
  constexpr uint64_t kMaxMemory = 1 << 20;
  constexpr uint32_t kStacks = 20'000;
  RecordingBuilder builder(kMaxMemory);
  GrowingLog log(&builder);
  log.Detail(Function(1, "often"));
  for (uint32_t id = 1; id <= kStacks; id++) {
    log.Detail(Function(id + 1, "rare" + std::to_string(id)) +
               Stack(id, {MakeJsFrame(Tier::kTurbofan, id == 7 ? 1 : id + 1, 0),
                          MakeJsFrame(Tier::kTurbofan, 1, 0)}));
    log.Index(Sample(id * kMs, kMs, id) + Sample(id * kMs + 1, 5 * kMs, 7));
  }
  Recording recording;
  ASSERT_TRUE(builder.Build(&recording).ok());
  const std::map<std::string, double> times = TimesOf(recording);
  EXPECT_GE(times.at("often"), 5.0 * (kStacks - 6) * kMs);
  EXPECT_GT(times.at("(folded)"), 0);
  double sum = 0;
  for (const auto& [name, time] : times) sum += time;
  EXPECT_EQ(sum, 6.0 * kStacks * kMs);
  EXPECT_LT(recording.stack_parents.size(), 10'000u);
  EXPECT_EQ(recording.sample_times.size() + recording.stats.folded, 2u * kStacks);
  EXPECT_EQ(recording.stats.warnings.size(), 2u);
}

TEST(SampleFolding, ARecordingWithinItsMemoryIsLeftAlone) {
  RecordingBuilder builder(64 << 20);
  GrowingLog log(&builder);
  log.Detail(Function(1, "f") + Stack(1, {MakeJsFrame(Tier::kTurbofan, 1, 0)}));
  std::string samples;
  for (uint64_t i = 0; i < 100'000; i++) samples += Sample(i, 1, 1);
  log.Index(samples);
  Recording recording;
  ASSERT_TRUE(builder.Build(&recording).ok());
  EXPECT_EQ(recording.sample_times.size(), 100'000u);
  EXPECT_EQ(recording.stats.folded, 0u);
  EXPECT_TRUE(recording.stats.warnings.empty());
}

}  // namespace
}  // namespace spprof
