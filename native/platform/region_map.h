// The region's memory: reserves addresses for all blocks at once, so that a slot's address never
// changes, and maps a block when it is needed. Also opens a dead process's region.
//
// Context: control thread. The memory itself is used from everywhere.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "region/layout.h"

namespace spprof {

class RegionMap {
 public:
  ~RegionMap();
  RegionMap(const RegionMap&) = delete;
  RegionMap& operator=(const RegionMap&) = delete;

  // `path` empty: anonymous memory. Otherwise a new file, mode 0600.
  static Status Create(const std::string& path, uint32_t max_threads,
                       const RegionGeometry& geometry, std::unique_ptr<RegionMap>* out);
  // Maps an existing file, writable, after checking header, geometry and file size. `block_count`
  // is cut to what the file holds.
  static Status Open(const std::string& path, std::unique_ptr<RegionMap>* out);

  uint8_t* base() const { return base_; }
  RegionHeader* header() const { return reinterpret_cast<RegionHeader*>(base_); }
  const RegionGeometry& geometry() const { return geometry_; }
  uint32_t block_count() const {
    return header()->block_count.load(std::memory_order_acquire);
  }  // H2
  uint32_t slot_count() const { return block_count() * kSlotsPerBlock; }
  // `slot` < slot_count().
  ThreadLaneSet* Slot(uint32_t slot) const {
    return reinterpret_cast<ThreadLaneSet*>(base_ + geometry_.SlotOffset(slot));
  }

  // Whether the lanes of a slot in a file that may be damaged say what the geometry says: only then
  // may they be read.
  bool CheckSlot(uint32_t slot) const;

  // Adds a block; its slots are zeroed (free). One caller at a time.
  Status Grow();
  // Has the pages of `count` slots from `slot` on, within a block, ready before they are used.
  void TouchSlots(uint32_t slot, uint32_t count);
  // Sees to it that the rings of a slot can be written: on a full disk, writing into a hole of a
  // mapped file would kill the process (SIGBUS).
  Status ReserveRings(uint32_t slot);
  // Gives the pages of a retired slot's rings back.
  void DiscardRings(uint32_t slot);

 private:
  RegionMap() = default;
  // Lengthens the file to `size`, with room on the disk for [from, from + length).
  Status ExtendFile(uint64_t size, uint64_t from, uint64_t length);
  Status Allocate(uint64_t from, uint64_t length);

  uint8_t* base_ = nullptr;
  uint64_t reserved_ = 0;
  int fd_ = -1;
  RegionGeometry geometry_;
};

}  // namespace spprof
