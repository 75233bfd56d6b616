// The region's memory: creation, growth, opening what a dead process left, and files that lie.
#include "platform/region_map.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "core_support.h"

namespace spprof {
namespace {

std::unique_ptr<RegionMap> Create(const std::string& path, uint32_t threads = 256,
                                  const RegionGeometry& geometry = {}) {
  std::unique_ptr<RegionMap> region;
  const Status status = RegionMap::Create(path, threads, geometry, &region);
  EXPECT_TRUE(status.ok()) << status.message();
  return region;
}

std::string OpenError(const std::string& path) {
  std::unique_ptr<RegionMap> region;
  const Status status = RegionMap::Open(path, &region);
  EXPECT_FALSE(status.ok());
  return status.ok() ? "" : status.code();
}

template <typename T>
void Patch(const std::string& path, size_t at, T value) {
  std::string bytes = test::ReadFile(path);
  std::memcpy(bytes.data() + at, &value, sizeof(value));
  test::WriteFile(path, bytes);
}

class Region : public testing::TestWithParam<bool> {
 protected:
  std::string Path() { return GetParam() ? folder_ / "region" : std::string(); }
  test::TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(Memory, Region, testing::Bool(),
                         [](const auto& info) { return info.param ? "File" : "Anonymous"; });

TEST_P(Region, BeginsWithoutSlots) {
  auto region = Create(Path());
  ASSERT_NE(region, nullptr);
  EXPECT_EQ(region->slot_count(), 0u);
  EXPECT_EQ(region->header()->magic, kRegionMagic);
  EXPECT_EQ(region->header()->pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(region->header()->max_threads, 256u);
}

TEST_P(Region, GrowthKeepsTheAddressesOfSlotsAndWhatIsInThem) {
  auto region = Create(Path());
  ASSERT_TRUE(region->Grow().ok());
  ThreadLaneSet* first = region->Slot(0);
  ThreadLaneSet* last = region->Slot(63);
  last->tid = 4711;
  uint8_t* rings = region->base() + region->geometry().RingsOffset(63);
  std::memset(rings, 0xab, region->geometry().RingBytesPerSlot());
  for (int block = 1; block < 4; block++) ASSERT_TRUE(region->Grow().ok());
  EXPECT_EQ(region->slot_count(), 256u);
  EXPECT_EQ(region->Slot(0), first);
  EXPECT_EQ(region->Slot(63), last);
  EXPECT_EQ(last->tid, 4711u);
  EXPECT_EQ(rings[region->geometry().RingBytesPerSlot() - 1], 0xab);
}

TEST_P(Region, NewSlotsAreZeroed) {
  auto region = Create(Path());
  ASSERT_TRUE(region->Grow().ok());
  for (uint32_t slot = 0; slot < region->slot_count(); slot++) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(region->Slot(slot));
    for (size_t i = 0; i < kRegionPage; i++) ASSERT_EQ(bytes[i], 0) << slot << " at " << i;
  }
}

TEST_P(Region, RefusesToGrowBeyondMaxThreads) {
  auto region = Create(Path(), 65);
  EXPECT_TRUE(region->Grow().ok());
  EXPECT_TRUE(region->Grow().ok());
  EXPECT_FALSE(region->Grow().ok());
  EXPECT_EQ(region->slot_count(), 128u);
}

TEST_P(Region, DiscardedRingsReadAsZeroAndTheirNeighboursStay) {
  auto region = Create(Path());
  ASSERT_TRUE(region->Grow().ok());
  const RegionGeometry& geometry = region->geometry();
  for (uint32_t slot = 0; slot < 3; slot++) {
    std::memset(region->base() + geometry.RingsOffset(slot), 0xcd, geometry.RingBytesPerSlot());
  }
  region->DiscardRings(1);
  const uint8_t* base = region->base();
  EXPECT_EQ(base[geometry.RingsOffset(0) + geometry.RingBytesPerSlot() - 1], 0xcd);
  EXPECT_EQ(base[geometry.RingsOffset(1)], 0);
  EXPECT_EQ(base[geometry.RingsOffset(2) - 1], 0);
  EXPECT_EQ(base[geometry.RingsOffset(2)], 0xcd);
}

uint64_t BytesOnDisk(const std::string& path) {
  struct stat info;
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  return static_cast<uint64_t>(info.st_blocks) * 512;
}

// Room for slots is reserved with their block, room for rings with the thread.
TEST(RegionFile, IsPrivateToItsOwnerAndHoldsRingsOnlyForThreadsThatAreSampled) {
  test::TemporaryFolder folder;
  const std::string path = folder / "region";
  auto region = Create(path, 4096);
  for (int block = 0; block < 64; block++) ASSERT_TRUE(region->Grow().ok());
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_GT(info.st_size, 768 << 20);
  const uint64_t slots = 4096 * kRegionPage;
  const uint64_t slack = 1 << 20;
  EXPECT_LT(BytesOnDisk(path), slots + slack);
  ASSERT_TRUE(region->ReserveRings(4095).ok());
  EXPECT_LT(BytesOnDisk(path), slots + slack + region->geometry().RingBytesPerSlot());
  std::memset(region->base() + region->geometry().RingsOffset(4095), 1,
              region->geometry().RingBytesPerSlot());
  const uint64_t in_use = BytesOnDisk(path);
  region->DiscardRings(4095);
  EXPECT_LE(BytesOnDisk(path), in_use);
}

// ftruncate beyond the limit would raise SIGXFSZ, which ends a process.
TEST(RegionFile, AFileSizeLimitRefusesABlockAndHarmsNobody) {
  test::TemporaryFolder folder;
  auto region = Create(folder / "region");
  ASSERT_TRUE(region->Grow().ok());
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = {RegionGeometry().BlockOffset(1) + 1, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const Status status = region->Grow();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.error_number(), EFBIG);
  EXPECT_EQ(region->slot_count(), 64u);
  EXPECT_TRUE(region->Grow().ok());
}

TEST(RegionFile, IsNotMadeOverAnotherFile) {
  test::TemporaryFolder folder;
  test::WriteFile(folder / "region", "precious");
  std::unique_ptr<RegionMap> region;
  const Status status = RegionMap::Create(folder / "region", 64, {}, &region);
  EXPECT_EQ(status.error_number(), EEXIST);
  EXPECT_EQ(test::ReadFile(folder / "region"), "precious");
}

TEST(RegionFile, ShowsAnotherProcessWhatWasWritten) {
  test::TemporaryFolder folder;
  RegionGeometry geometry;
  geometry.index_ring_count = 2;
  geometry.detail_ring_size = 8192;
  auto writer = Create(folder / "region", 64, geometry);
  ASSERT_TRUE(writer->Grow().ok());
  writer->Slot(5)->tid = 99;
  std::unique_ptr<RegionMap> reader;
  ASSERT_TRUE(RegionMap::Open(folder / "region", &reader).ok());
  EXPECT_EQ(reader->slot_count(), 64u);
  EXPECT_EQ(reader->geometry().index_ring_count, 2u);
  EXPECT_EQ(reader->geometry().detail_ring_size, 8192u);
  EXPECT_EQ(reader->Slot(5)->tid, 99u);
}

TEST(RegionFile, IsRefusedWhenItIsNoRegion) {
  test::TemporaryFolder folder;
  const std::string path = folder / "region";
  EXPECT_STREQ(OpenError(path).c_str(), kErrSystem);
  EXPECT_STREQ(OpenError(folder.path()).c_str(), kErrSystem);
  test::WriteFile(path, "short");
  EXPECT_STREQ(OpenError(path).c_str(), kErrBadRecording);
  test::WriteFile(path, std::string(2 * kRegionPage, 'x'));
  EXPECT_STREQ(OpenError(path).c_str(), kErrBadRecording);
}

TEST(RegionFile, IsRefusedWhenItsVersionOrGeometryIsImpossible) {
  test::TemporaryFolder folder;
  const std::string path = folder / "region";
  Create(path);
  const std::string good = test::ReadFile(path);
  Patch<uint32_t>(path, offsetof(RegionHeader, version), kRegionVersion + 1);
  EXPECT_STREQ(OpenError(path).c_str(), kErrBadRecording);
  for (size_t field :
       {offsetof(RegionHeader, index_ring_count), offsetof(RegionHeader, index_ring_size),
        offsetof(RegionHeader, detail_ring_count), offsetof(RegionHeader, detail_ring_size)}) {
    for (uint32_t value : {0u, 5u, 4097u, 1u << 31, ~0u}) {
      test::WriteFile(path, good);
      Patch(path, field, value);
      EXPECT_STREQ(OpenError(path).c_str(), kErrBadRecording) << field << " " << value;
    }
  }
}

TEST(RegionFile, CountsOnlyTheBlocksThatTheFileHolds) {
  test::TemporaryFolder folder;
  const std::string path = folder / "region";
  {
    auto region = Create(path);
    ASSERT_TRUE(region->Grow().ok());
    region->header()->block_count.store(1'000'000);
  }
  std::unique_ptr<RegionMap> region;
  ASSERT_TRUE(RegionMap::Open(path, &region).ok());
  EXPECT_EQ(region->block_count(), 1u);
  ASSERT_EQ(truncate(path.c_str(), RegionGeometry().BlockOffset(1) - 1), 0);
  ASSERT_TRUE(RegionMap::Open(path, &region).ok());
  EXPECT_EQ(region->block_count(), 0u);
}

TEST(RegionFile, CheckSlotFindsALaneThatDoesNotFitTheGeometry) {
  auto region = Create("");
  ASSERT_TRUE(region->Grow().ok());
  const RegionGeometry& geometry = region->geometry();
  ThreadLaneSet* lanes = region->Slot(3);
  const uint64_t rings = geometry.RingsOffset(3);
  EXPECT_FALSE(region->CheckSlot(3));
  lanes->index.Reset(geometry.index_ring_count, geometry.index_ring_size, rings);
  lanes->detail.Reset(geometry.detail_ring_count, geometry.detail_ring_size,
                      rings + uint64_t{geometry.index_ring_count} * geometry.index_ring_size);
  EXPECT_TRUE(region->CheckSlot(3));
  lanes->index.rings_offset++;
  EXPECT_FALSE(region->CheckSlot(3));
  lanes->index.rings_offset--;
  lanes->detail.ring_size *= 2;
  EXPECT_FALSE(region->CheckSlot(3));
  lanes->detail.ring_size /= 2;
  lanes->index.ring_count = kMaxRingsPerLane + 1;
  EXPECT_FALSE(region->CheckSlot(3));
}

}  // namespace
}  // namespace spprof
