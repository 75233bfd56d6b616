// What SIGKILL leaves: every published sample is in the log or in the region, and recovery puts the
// two together, once, whatever the region holds.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstddef>

#include "drain/drain.h"
#include "log_contents.h"
#include "sampler_support.h"
#include "session/profiler.h"

namespace spprof {
namespace {

using test::LogContents;
using test::ReadContents;

// A child that samples itself into `folder` until it is killed. With a drain, or with none, so that
// all is still in the rings.
[[noreturn]] void SampleUntilKilled(const std::string& folder, bool with_drain,
                                    std::atomic<uint32_t>* ready) {
  test::SamplerHarness harness(TimerEngine::kHires, 200'000, folder + "/region");
  LogWriter log;
  if (!log.Create(folder + "/log").ok()) _exit(3);
  Drain drain(&harness.sampler(), &log, harness.waker());
  if (!harness.sampler().Start().ok()) _exit(4);
  if (with_drain && !drain.Start().ok()) _exit(5);
  while (true) {
    test::BurnCpu(1'000'000);
    if (SumTotals(*harness.region()).written > 200) ready->store(1);
  }
}

class Recover : public testing::Test {
 protected:
  Recover() {
    void* shared =
        mmap(nullptr, kRegionPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ready_ = new (shared) std::atomic<uint32_t>(0);
  }
  ~Recover() override { munmap(ready_, kRegionPage); }

  void RecordAndKill(const std::string& folder, bool with_drain, uint64_t extra_us) {
    ready_->store(0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) SampleUntilKilled(folder, with_drain, ready_);
    EXPECT_TRUE(test::WaitUntil(
        [&] { return ready_->load() != 0 || waitpid(child, nullptr, WNOHANG) != 0; }));
    test::BurnCpu(extra_us * 1000);  // any moment of its life
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(ready_->load(), 1u);
  }

  std::atomic<uint32_t>* ready_;
};

// Samples that the region's slots say were written, and published: the counter follows the record
// by an instruction, so a kill may leave it one behind.
uint64_t WrittenIn(const std::string& folder) {
  std::unique_ptr<RegionMap> region;
  EXPECT_TRUE(RegionMap::Open(folder + "/region", &region).ok());
  uint64_t written = region->header()->retired.written.load();
  for (uint32_t slot = 0; slot < region->slot_count(); slot++) {
    const ThreadLaneSet* lanes = region->Slot(slot);
    if (lanes->state.load() == static_cast<uint32_t>(SlotState::kFree)) continue;
    written += lanes->index.events_written.load();
  }
  return written;
}

void ExpectEverySample(const std::string& folder) {
  const uint64_t written = WrittenIn(folder);
  uint64_t bytes = 0;
  const Status status = RecoverRecording(folder, &bytes);
  ASSERT_TRUE(status.ok()) << status.message();
  const LogContents contents = ReadContents(folder + "/log");
  EXPECT_GE(contents.samples, written);
  EXPECT_LE(contents.samples, written + 1);
  EXPECT_EQ(contents.samples_without_stack, 0u);
  EXPECT_EQ(contents.lost_bytes, 0u);
  EXPECT_EQ(contents.stop_reason, "");
  const std::string after_first = test::ReadFile(folder + "/log");
  ASSERT_TRUE(RecoverRecording(folder, &bytes).ok());
  EXPECT_EQ(bytes, 0u) << "a second recovery finds nothing";
  EXPECT_EQ(test::ReadFile(folder + "/log"), after_first);
}

TEST_F(Recover, EverySampleOfAKilledProcessThatHadNoDrain) {
  test::TemporaryFolder folder;
  RecordAndKill(folder.path(), false, 1000);
  ExpectEverySample(folder.path());
}

TEST_F(Recover, EverySampleOfAProcessKilledAtAnyMomentOfItsDrain) {
  std::mt19937_64 random(test::TestSeed());
  for (int turn = 0; turn < 12; turn++) {
    test::TemporaryFolder folder;
    RecordAndKill(folder.path(), true, random() % 20'000);
    ExpectEverySample(folder.path());
    if (HasFailure()) break;
  }
}

// A full disk (here: a limit on the log's size): what could not be written stays in the region, and
// with room it is all there.
TEST_F(Recover, ReleasesNothingThatItHasNotWritten) {
  test::TemporaryFolder folder;
  RecordAndKill(folder.path(), false, 50'000);
  const auto log_size = std::filesystem::file_size(folder / "log");
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  // The region is not written beyond its size, which is within what the limit would have to be.
  signal(SIGXFSZ, SIG_IGN);
  uint64_t bytes = 0;
  for (const uint64_t room : {0, 100, 5000}) {
    limit = {log_size + room, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = RecoverRecording(folder.path(), &bytes);
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_STREQ(status.code(), kErrSystem) << room;
  }
  signal(SIGXFSZ, SIG_DFL);
  ExpectEverySample(folder.path());
}

TEST_F(Recover, SaysWhatIsMissing) {
  test::TemporaryFolder folder;
  uint64_t bytes = 1;
  EXPECT_STREQ(RecoverRecording(folder.path(), &bytes).code(), kErrSystem);
  EXPECT_EQ(bytes, 0u);
  test::WriteFile(folder / "region", std::string(8192, 'x'));
  EXPECT_STREQ(RecoverRecording(folder.path(), &bytes).code(), kErrBadRecording);
}

// A region with samples in it, made by hand, damaged at random: recovery ends, and the log it
// leaves can be read.
TEST_F(Recover, SurvivesADamagedRegion) {
  test::TemporaryFolder folder;
  const std::string region_path = folder / "region", log_path = folder / "log";
  {
    std::unique_ptr<RegionMap> region;
    RegionGeometry small;
    small.index_ring_size = small.detail_ring_size = 4096;
    ASSERT_TRUE(RegionMap::Create(region_path, 64, small, &region).ok());
    region->header()->accepting_registrations.store(1);
    ThreadRegistry registry(region.get());
    for (pid_t tid = 1; tid <= 4; tid++) {
      const uint32_t slot = registry.Claim(tid, ThreadKind::kNative, "x", 0);
      registry.Activate(slot);
      for (Lane* lane : {&region->Slot(slot)->index, &region->Slot(slot)->detail}) {
        LaneWriter writer(lane, region->base());
        SampleRecord sample{};
        sample.header = {RecordType::kSample, 0, sizeof(sample)};
        bool swapped = false;
        for (int i = 0; i < 150 && writer.Reserve(sizeof(sample), &swapped); i++) {
          writer.Write(&sample, sizeof(sample));
        }
      }
    }
    LogWriter log;
    ASSERT_TRUE(log.Create(log_path).ok());
    log.AddStat("before", 1);
    log.Flush();
  }
  const std::string region = test::ReadFile(region_path), log = test::ReadFile(log_path);
  const uint64_t seed = test::TestSeed();
  std::mt19937_64 random(seed);
  uint64_t recovered = 0;
  for (int turn = 0; turn < (test::kSanitized ? 100 : 600); turn++) {
    std::string damaged = region;
    const size_t flips = 1 + random() % 40;
    for (size_t i = 0; i < flips; i++) {
      // Mostly the header and the slots in use, where it hurts.
      const size_t within = random() % 8 == 0 ? damaged.size() : 5 * kRegionPage;
      damaged[random() % within] = static_cast<char>(random());
    }
    if (random() % 10 == 0) damaged.resize(random() % damaged.size());
    test::WriteFile(region_path, damaged);
    test::WriteFile(log_path, log);
    uint64_t bytes = 0;
    recovered += RecoverRecording(folder.path(), &bytes).ok();
    ASSERT_LE(bytes, region.size() * 4);
    const LogContents contents = ReadContents(log_path);
    EXPECT_EQ(contents.stop_reason, "") << "turn " << turn;
    EXPECT_EQ(contents.stats.count("before"), 1u);
  }
  EXPECT_GT(recovered, 0u);
}

}  // namespace
}  // namespace spprof
