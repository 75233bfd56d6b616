#include "platform/region_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace spprof {

RegionMap::~RegionMap() {
  if (base_ != nullptr) munmap(base_, reserved_);
  if (fd_ >= 0) close(fd_);
}

Status RegionMap::Create(const std::string& path, uint32_t max_threads,
                         const RegionGeometry& geometry, std::unique_ptr<RegionMap>* out) {
  std::unique_ptr<RegionMap> map(new RegionMap);
  map->geometry_ = geometry;
  const uint32_t blocks = (max_threads + kSlotsPerBlock - 1) / kSlotsPerBlock;
  map->reserved_ = geometry.BlockOffset(blocks);
  void* base =
      mmap(nullptr, map->reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return Status::System("mmap", errno, "reserving the sample region");
  map->base_ = static_cast<uint8_t*>(base);

  int flags = MAP_SHARED | MAP_FIXED;
  if (path.empty()) {
    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  } else {
    map->fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (map->fd_ < 0) return Status::System("open", errno, "creating " + path);
    Status status = map->ExtendFile(kRegionPage, 0, kRegionPage);
    if (!status.ok()) return status;
  }
  if (mmap(base, kRegionPage, PROT_READ | PROT_WRITE, flags, map->fd_, 0) == MAP_FAILED) {
    return Status::System("mmap", errno, "mapping the sample region");
  }
  RegionHeader* header = new (base) RegionHeader();
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

Status RegionMap::Open(const std::string& path, std::unique_ptr<RegionMap>* out) {
  std::unique_ptr<RegionMap> map(new RegionMap);
  map->fd_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (map->fd_ < 0) return Status::System("open", errno, "opening " + path);
  struct stat info;
  if (fstat(map->fd_, &info) != 0) return Status::System("fstat", errno, "reading " + path);
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size < kRegionPage) {
    return Status::Error(kErrBadRecording, path + " is too short to be a sample region");
  }
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd_, 0);
  if (base == MAP_FAILED) return Status::System("mmap", errno, "mapping " + path);
  map->base_ = static_cast<uint8_t*>(base);
  map->reserved_ = size;

  RegionHeader* header = map->header();
  if (header->magic != kRegionMagic) {
    return Status::Error(kErrBadRecording, path + " is not a spprof sample region");
  }
  if (header->version != kRegionVersion) {
    return Status::Error(kErrBadRecording,
                         path + " was written by another version of spprof (layout " +
                             std::to_string(header->version) + ")");
  }
  map->geometry_.index_ring_count = header->index_ring_count;
  map->geometry_.index_ring_size = header->index_ring_size;
  map->geometry_.detail_ring_count = header->detail_ring_count;
  map->geometry_.detail_ring_size = header->detail_ring_size;
  if (!map->geometry_.IsValid()) {
    return Status::Error(kErrBadRecording, path + " has a damaged header");
  }
  const uint64_t whole_blocks = (size - kRegionPage) / map->geometry_.BlockSize();
  const uint64_t blocks =
      std::min<uint64_t>(header->block_count.load(std::memory_order_relaxed), whole_blocks);
  header->block_count.store(static_cast<uint32_t>(blocks), std::memory_order_relaxed);
  *out = std::move(map);
  return Status::Ok();
}

bool RegionMap::CheckSlot(uint32_t slot) const {
  const ThreadLaneSet* lanes = Slot(slot);
  const uint64_t rings = geometry_.RingsOffset(slot);
  return lanes->index.ring_count == geometry_.index_ring_count &&
         lanes->index.ring_size == geometry_.index_ring_size &&
         lanes->index.rings_offset == rings &&
         lanes->detail.ring_count == geometry_.detail_ring_count &&
         lanes->detail.ring_size == geometry_.detail_ring_size &&
         lanes->detail.rings_offset ==
             rings + uint64_t{geometry_.index_ring_count} * geometry_.index_ring_size;
}

Status RegionMap::Grow() {
  const uint32_t block = block_count();
  const uint64_t begin = geometry_.BlockOffset(block);
  const uint64_t end = geometry_.BlockOffset(block + 1);
  if (end > reserved_) return Status::Error(kErrSystem, "no room for more threads");
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (fd_ >= 0) {
    Status status = ExtendFile(end, begin, kSlotsPerBlock * kRegionPage);
    if (!status.ok()) return status;
    flags = MAP_SHARED | MAP_FIXED;
  }
  void* mapped = mmap(base_ + begin, end - begin, PROT_READ | PROT_WRITE, flags, fd_,
                      fd_ >= 0 ? static_cast<off_t>(begin) : 0);
  if (mapped == MAP_FAILED) return Status::System("mmap", errno, "growing the sample region");
  // A large anonymous mapping must not be backed by huge pages: a slot is meant to cost a page.
  madvise(mapped, end - begin, MADV_NOHUGEPAGE);
  header()->block_count.store(block + 1, std::memory_order_release);  // H1
  return Status::Ok();
}

Status RegionMap::ExtendFile(uint64_t size, uint64_t from, uint64_t length) {
  // Beyond the limit ftruncate would send SIGXFSZ, which ends a program that does not expect it.
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      size > limit.rlim_cur) {
    return Status::System("ftruncate", EFBIG, "sizing the sample region");
  }
  if (ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    return Status::System("ftruncate", errno, "sizing the sample region");
  }
  return Allocate(from, length);
}

Status RegionMap::Allocate(uint64_t from, uint64_t length) {
  int result;
  do {
    result = fallocate(fd_, 0, static_cast<off_t>(from), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  // A file system that cannot reserve room (EOPNOTSUPP) leaves us with a hole; most can.
  if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS) {
    return Status::System("fallocate", errno, "making room for the sample region");
  }
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
  if (fd_ < 0) return Status::Ok();
  return Allocate(geometry_.RingsOffset(slot), geometry_.RingBytesPerSlot());
}

void RegionMap::DiscardRings(uint32_t slot) {
  uint8_t* rings = base_ + geometry_.RingsOffset(slot);
  // A hole in the file, or fresh zero pages; when the file system cannot, the pages just stay.
  madvise(rings, geometry_.RingBytesPerSlot(), fd_ >= 0 ? MADV_REMOVE : MADV_DONTNEED);
}

}  // namespace spprof
