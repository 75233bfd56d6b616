// A region whose file goes from under it: nobody gets SIGBUS, and the recording ends with its
// reason.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core_support.h"
#include "drain/drain.h"
#include "log_contents.h"
#include "platform/fault_handler.h"
#include "sampler_support.h"

namespace spprof {
namespace {

class LostRegion : public testing::Test {
 protected:
  LostRegion() { EXPECT_TRUE(InstallFaultHandler().ok()); }
  ~LostRegion() override { UninstallFaultHandler(); }
  std::unique_ptr<RegionMap> Create() {
    std::unique_ptr<RegionMap> region;
    EXPECT_TRUE(RegionMap::Create(path_, 256, {}, &region).ok());
    EXPECT_TRUE(region->Grow().ok());
    return region;
  }
  void CutOff(off_t size) { ASSERT_EQ(truncate(path_.c_str(), size), 0); }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "region";
};

TEST_F(LostRegion, ThatIsCutOffIsReplacedByZeros) {
  auto region = Create();
  ASSERT_TRUE(region->HasFile());
  Waker waker;
  region->WakeWhenLost(&waker);
  region->Slot(3)->tid = 4711;
  CutOff(0);
  EXPECT_FALSE(region->IsLost());
  region->Slot(63)->tid = 1;
  EXPECT_TRUE(region->IsLost());
  EXPECT_EQ(region->Slot(63)->tid, 1u);
  EXPECT_EQ(region->Slot(3)->tid, 0u);
  EXPECT_TRUE(waker.IsDue());
  EXPECT_EQ(region->header()->shutdown_requested.load(),
            static_cast<uint32_t>(ShutdownReason::kLost));
  EXPECT_FALSE(region->Grow().ok());
}

TEST_F(LostRegion, IsOneForManyThreadsThatMeetItAtOnce) {
  for (int turn = 0; turn < 50; turn++) {
    auto region = Create();
    std::atomic<bool> is_cut{false}, is_over{false};
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 8; i++) {
      threads.emplace_back([&, i] {
        while (!is_over.load()) region->Slot(i * 8)->counters.signals.fetch_add(1);
      });
    }
    CutOff(kRegionPage);
    EXPECT_TRUE(test::WaitUntil([&] { return region->IsLost(); }));
    is_over.store(true);
    for (std::thread& thread : threads) thread.join();
    region.reset();
    unlink(path_.c_str());
  }
}

// Both ends of a lane, while its memory turns into zeros: no access leaves the region.
TEST_F(LostRegion, HarmsNoWriterAndNoReaderOfItsLanes) {
  if (test::kUnderTsan)
    GTEST_SKIP() << "positions that have become zeros make both ends meet; what is read is dropped";
  for (int turn = 0; turn < 50; turn++) {
    auto region = Create();
    ThreadLaneSet* slot = region->Slot(0);
    const RegionGeometry& geometry = region->geometry();
    slot->index.Reset(geometry.index_ring_count, geometry.index_ring_size, geometry.RingsOffset(0));
    std::atomic<bool> is_over{false};
    std::thread writer([&] {
      const std::vector<uint8_t> record(4000, 7);
      while (!is_over.load()) {
        LaneWriter lane(&slot->index, region->base());
        bool swapped = false;
        if (lane.Reserve(record.size(), &swapped)) lane.Write(record.data(), record.size());
      }
    });
    std::thread reader([&] {
      std::vector<uint8_t> bytes;
      while (!is_over.load()) {
        LaneReader(&slot->index, region->base())
            .Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
              bytes.resize(length);
              ring.Copy(bytes.data(), length);
            });
      }
    });
    CutOff(turn % 2 == 0 ? 0 : static_cast<off_t>(geometry.RingsOffset(0) + 8192));
    EXPECT_TRUE(test::WaitUntil([&] { return region->IsLost(); }));
    is_over.store(true);
    writer.join();
    reader.join();
    region.reset();
    unlink(path_.c_str());
  }
}

TEST_F(LostRegion, IsNoneAfterItHasBeenLeft) {
  auto region = Create();
  region->header()->threads_seen.store(5);
  region->Slot(40)->tid = 4711;
  ASSERT_TRUE(region->Detach().ok());
  CutOff(0);
  UninstallFaultHandler();
  EXPECT_EQ(region->header()->threads_seen.load(), 5u);
  EXPECT_EQ(region->Slot(40)->tid, 4711u);
  region->Slot(41)->tid = 1;
  EXPECT_FALSE(region->IsLost());
}

TEST_F(LostRegion, EndsTheRecordingWithItsReason) {
  if (test::kUnderTsan)
    GTEST_SKIP() << "its runtime delivers signals late, SIGBUS of a handler's load too";
  test::SamplerHarness harness(TimerEngine::kTick, 1'000'000, path_);
  harness.region()->WakeWhenLost(harness.waker());
  LogWriter log;
  ASSERT_TRUE(log.Create(folder_ / "log").ok());
  Drain drain(&harness.sampler(), &log, harness.waker());
  ASSERT_TRUE(harness.sampler().Start().ok());
  ASSERT_TRUE(drain.Start().ok());
  test::BurnCpu(100'000'000);
  const uint64_t before = drain.Stats().samples_drained;
  CutOff(0);
  EXPECT_TRUE(test::WaitUntil([&] {
    test::BurnCpu(1'000'000);
    return harness.region()->IsLost();
  }));
  drain.Stop();
  const test::LogContents contents = test::ReadContents(folder_ / "log");
  EXPECT_GE(contents.samples, before);
  EXPECT_EQ(contents.samples_without_stack, 0u);
  bool has_reason = false;
  for (const auto& [name, value] : contents.stats)
    has_reason = has_reason || name.find("the recording has ended early") != std::string::npos;
  EXPECT_TRUE(has_reason);
}

// As a disk that takes no more pages would do: the handler of somebody else above ours passes it
// on.
TEST_F(LostRegion, OfSomebodyElseIsNotOurs) {
  if (test::kUnderTsan) GTEST_SKIP() << "its runtime ends the process itself, with a status";
  const int fd = open((folder_ / "other").c_str(), O_RDWR | O_CREAT, 0600);
  void* other = mmap(nullptr, kRegionPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  EXPECT_EXIT(*static_cast<volatile char*>(other) = 1, testing::KilledBySignal(SIGBUS), "");
  munmap(other, kRegionPage);
}

}  // namespace
}  // namespace spprof
