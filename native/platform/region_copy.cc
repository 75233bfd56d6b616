// RegionMap of a dead process: a copy of its file in memory. Not a mapping: reading one raises
// SIGBUS where the file has been cut off meanwhile, writing one where the disk is full.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "platform/region_map.h"

namespace spprof {

namespace {

constexpr uint32_t kMaxBlocks = 1024;  // far above what maxThreads allows

}  // namespace

// What is missing of the file stays zero.
bool RegionMap::ReadPart(uint64_t from, uint64_t length) {
  while (length > 0) {
    const ssize_t count = pread(copied_.Get(), base_ + from, length, static_cast<off_t>(from));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    from += static_cast<uint64_t>(count);
    length -= static_cast<uint64_t>(count);
  }
  return true;
}

Status RegionMap::Open(const std::string& path, std::unique_ptr<RegionMap>* out) {
  std::unique_ptr<RegionMap> map(new RegionMap);
  int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  // To look at it is enough; WriteSlot says so otherwise.
  if (fd < 0 && (errno == EROFS || errno == EACCES))
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Status::System("open", errno, "opening " + path);
  map->copied_ = Descriptor(fd);
  struct stat info;
  if (fstat(map->copied_.Get(), &info) != 0)
    return Status::System("fstat", errno, "reading " + path);
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size < kRegionPage) {
    return Status::Error(kErrBadRecording, path + " is too short to be a sample region");
  }
  const Status status = map->ReadCopy(path, size);
  if (status.ok()) *out = std::move(map);
  return status;
}

Status RegionMap::ReadCopy(const std::string& path, uint64_t file_size) {
  RegionHeader header{};
  static_assert(sizeof(header) <= kRegionPage);
  if (pread(copied_.Get(), static_cast<void*>(&header), sizeof(header), 0) !=
      static_cast<ssize_t>(sizeof(header)))
    return Status::System("pread", errno, "reading " + path);
  if (header.magic != kRegionMagic) {
    return Status::Error(kErrBadRecording, path + " is not a spprof sample region");
  }
  if (header.version != kRegionVersion) {
    return Status::Error(kErrBadRecording,
                         path + " was written by another version of spprof (layout " +
                             std::to_string(header.version) + ")");
  }
  geometry_.index_ring_count = header.index_ring_count;
  geometry_.index_ring_size = header.index_ring_size;
  geometry_.detail_ring_count = header.detail_ring_count;
  geometry_.detail_ring_size = header.detail_ring_size;
  if (!geometry_.IsValid()) {
    return Status::Error(kErrBadRecording, path + " has a damaged header");
  }
  const uint64_t whole_blocks = (file_size - kRegionPage) / geometry_.BlockSize();
  const auto blocks = static_cast<uint32_t>(std::min<uint64_t>(
      {header.block_count.load(std::memory_order_relaxed), whole_blocks, kMaxBlocks}));
  const Status status = ReserveAddresses(blocks);
  if (!status.ok()) return status;
  if (mprotect(base_, reserved_, PROT_READ | PROT_WRITE) != 0)
    return Status::System("mprotect", errno, "reading " + path);
  madvise(base_, reserved_, MADV_NOHUGEPAGE);
  bool is_good = ReadPart(0, kRegionPage);
  this->header()->block_count.store(blocks, std::memory_order_relaxed);
  // Most slots of a block were never used, and most rings are holes.
  for (uint32_t block = 0; block < blocks; block++)
    is_good = is_good && ReadPart(geometry_.BlockOffset(block), kSlotsPerBlock * kRegionPage);
  for (uint32_t slot = 0; slot < blocks * kSlotsPerBlock; slot++) {
    if (Slot(slot)->state.load(std::memory_order_relaxed) ==
        static_cast<uint32_t>(SlotState::kFree))
      continue;
    is_good = is_good && ReadPart(geometry_.RingsOffset(slot), geometry_.RingBytesPerSlot());
  }
  return is_good ? Status::Ok() : Status::System("pread", errno, "reading " + path);
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

Status RegionMap::WriteSlot(uint32_t slot) {
  const auto offset = static_cast<off_t>(geometry_.SlotOffset(slot));
  const ssize_t written = pwrite(copied_.Get(), Slot(slot), kRegionPage, offset);
  if (written == static_cast<ssize_t>(kRegionPage)) return Status::Ok();
  return Status::System("pwrite", written < 0 ? errno : ENOSPC,
                        "noting what has been recovered of the sample region");
}

}  // namespace spprof
