#include "platform/region_map.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "region/sequence.h"

namespace spprof {

namespace {

// Word by word: a handler that is late may be writing here (decision 0010).
void CopyWords(uint8_t* to, const uint8_t* from, uint64_t size) {
  auto* target = reinterpret_cast<uint64_t*>(to);
  const auto* source = reinterpret_cast<const Sequence*>(from);
  for (uint64_t i = 0; i < size / sizeof(Sequence); i++)
    target[i] = source[i].load(std::memory_order_relaxed);
}

}  // namespace

RegionMap::~RegionMap() {
  UnlistMapping(&mapping_);
  if (base_ != nullptr) munmap(base_, reserved_);
}

Status RegionMap::ReserveAddresses(uint32_t blocks) {
  reserved_ = geometry_.BlockOffset(blocks);
  void* base =
      mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return Status::System("mmap", errno, "reserving the sample region");
  base_ = static_cast<uint8_t*>(base);
  return Status::Ok();
}

Status RegionMap::Map(uint64_t from, uint64_t length) {
  const int fd = file_.fd();
  if (file_.IsOpened() && fd < 0)
    return Status::Error(kErrSystem, "the program has closed the sample region's descriptor");
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  // The fault handler knows it before it can fault.
  mapping_.end.store(reinterpret_cast<uintptr_t>(base_) + from + length, std::memory_order_release);
  void* mapped = mmap(base_ + from, length, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd,
                      fd < 0 ? 0 : static_cast<off_t>(from));
  if (mapped == MAP_FAILED) return Status::System("mmap", errno, "mapping the sample region");
  return Status::Ok();
}

Status RegionMap::Create(const std::string& path, uint32_t max_threads,
                         const RegionGeometry& geometry, std::unique_ptr<RegionMap>* out) {
  std::unique_ptr<RegionMap> map(new RegionMap);
  map->geometry_ = geometry;
  Status status = map->ReserveAddresses((max_threads + kSlotsPerBlock - 1) / kSlotsPerBlock);
  if (!status.ok()) return status;
  if (!path.empty()) {
    status = RegionFile::Create(path, &map->file_);
    if (!status.ok()) return status;
  }
  if (map->file_.IsOpened()) {
    map->mapping_.base.store(reinterpret_cast<uintptr_t>(map->base_), std::memory_order_relaxed);
    if (!ListMapping(&map->mapping_))
      return Status::Error(kErrSystem, "there are too many sample regions in this process");
    status = map->file_.Extend(kRegionPage, 0, kRegionPage);
  }
  if (status.ok()) status = map->Map(0, kRegionPage);
  if (!status.ok()) {
    ForgetSharedRegion(path);  // what no process could read would stay in memory
    return status;
  }
  RegionHeader* header = new (map->base_) RegionHeader();
  map->mapping_.shutdown_requested.store(reinterpret_cast<uintptr_t>(&header->shutdown_requested));
  header->version = kRegionVersion;
  header->pid = static_cast<uint32_t>(getpid());
  header->max_threads = max_threads;
  header->index_ring_count = geometry.index_ring_count;
  header->index_ring_size = geometry.index_ring_size;
  header->detail_ring_count = geometry.detail_ring_count;
  header->detail_ring_size = geometry.detail_ring_size;
  header->magic = kRegionMagic;
  *out = std::move(map);
  return Status::Ok();
}

void RegionMap::WakeWhenLost(Waker* waker) {
  mapping_.waker.store(reinterpret_cast<uintptr_t>(waker));
}

Status RegionMap::Detach() {
  if (!IsFileMapped()) return Status::Ok();
  const uint64_t size = geometry_.BlockOffset(block_count());
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return Status::System("mmap", errno, "leaving the sample region");
  auto* copy = static_cast<uint8_t*>(memory);
  CopyWords(copy, base_, kRegionPage);
  for (uint32_t block = 0; geometry_.BlockOffset(block) < size; block++) {
    const uint64_t slots = geometry_.BlockOffset(block);
    CopyWords(copy + slots, base_ + slots, kSlotsPerBlock * kRegionPage);
  }
  // At once for everybody: somebody may be reading the counters.
  if (mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, base_) == MAP_FAILED) {
    const int error = errno;
    munmap(copy, size);
    return Status::System("mremap", error, "leaving the sample region");
  }
  UnlistMapping(&mapping_);
  is_detached_ = true;
  return Status::Ok();
}

Status RegionMap::Grow() {
  if (IsLost()) return Status::Error(kErrSystem, "the sample region has been lost");
  const uint32_t block = block_count();
  const uint64_t begin = geometry_.BlockOffset(block);
  const uint64_t end = geometry_.BlockOffset(block + 1);
  if (end > reserved_) return Status::Error(kErrSystem, "no room for more threads");
  Status status;
  if (file_.IsOpened()) status = file_.Extend(end, begin, kSlotsPerBlock * kRegionPage);
  if (status.ok()) status = Map(begin, end - begin);
  if (!status.ok()) return status;
  // A large anonymous mapping must not be backed by huge pages: a slot is meant to cost a page.
  madvise(base_ + begin, end - begin, MADV_NOHUGEPAGE);
  header()->block_count.store(block + 1, std::memory_order_release);  // H1
  return Status::Ok();
}

void RegionMap::TouchSlots(uint32_t slot, uint32_t count) {
#ifdef MADV_POPULATE_WRITE
  // Before Linux 5.14 an unknown advice; then each page costs its fault when it is used.
  madvise(Slot(slot), count * kRegionPage, MADV_POPULATE_WRITE);
#else
  static_cast<void>(slot);
  static_cast<void>(count);
#endif
}

Status RegionMap::ReserveRings(uint32_t slot) {
  if (!file_.IsOpened()) return Status::Ok();
  return file_.Reserve(geometry_.RingsOffset(slot), geometry_.RingBytesPerSlot());
}

void RegionMap::DiscardRings(uint32_t slot) {
  uint8_t* rings = base_ + geometry_.RingsOffset(slot);
  // A hole in the file, or fresh zero pages; when the file system cannot, the pages just stay.
  madvise(rings, geometry_.RingBytesPerSlot(),
          IsFileMapped() && !IsLost() ? MADV_REMOVE : MADV_DONTNEED);
}

}  // namespace spprof
