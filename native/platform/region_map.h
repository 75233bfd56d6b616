// The region's memory: reserves addresses for all blocks at once, so that a slot's address never
// changes, and maps a block when it is needed. Also reads a dead process's region.
//
// Context: control thread. The memory itself is used from everywhere.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "platform/region_file.h"
#include "region/layout.h"
#include "signal_safe/machine/lost_mapping.h"

namespace spprof {

class RegionMap {
 public:
  ~RegionMap();
  RegionMap(const RegionMap&) = delete;
  RegionMap& operator=(const RegionMap&) = delete;

  // `path` empty: anonymous memory. Otherwise a new file, mode 0600, if there is a place where that
  // is safe (platform/region_file.h); else anonymous memory all the same, and HasFile() is false.
  static Status Create(const std::string& path, uint32_t max_threads,
                       const RegionGeometry& geometry, std::unique_ptr<RegionMap>* out);
  // Copies an existing file into memory, after checking header, geometry and file size: whatever
  // happens to the file meanwhile, the copy can be read. `block_count` is cut to what the file
  // holds.
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
  bool HasFile() const { return file_.IsOpened(); }
  // Whether touching it may fault, so that the fault handler is needed.
  bool IsFileMapped() const { return HasFile() && !is_detached_; }
  // Whether its file has gone from under it, and what is read of it may be zeros.
  bool IsLost() const { return mapping_.IsLost(); }
  // Whom the loss of the region wakes.
  void WakeWhenLost(Waker* waker);

  // Goes on in anonymous memory, with all but the rings' bytes; the file is as it was. The fault
  // handler is not needed any more. For the end, when no sample is taken.
  Status Detach();

  // Of a copy: whether the lanes of a slot in a file that may be damaged say what the geometry
  // says. Only then may they be read.
  bool CheckSlot(uint32_t slot) const;
  // Of a copy: writes the slot back, without its rings: what has been taken out of those.
  Status WriteSlot(uint32_t slot);

  // Adds a block; its slots are zeroed (free). One caller at a time.
  Status Grow();
  // Has the pages of `count` slots from `slot` on, within a block, ready before they are used.
  void TouchSlots(uint32_t slot, uint32_t count);
  // Sees to it that the rings of a slot can be written.
  Status ReserveRings(uint32_t slot);
  // Gives the pages of a retired slot's rings back.
  void DiscardRings(uint32_t slot);

 private:
  RegionMap() = default;
  Status ReserveAddresses(uint32_t blocks);
  // From the reserved addresses' `from` on: of the file, or anonymous.
  Status Map(uint64_t from, uint64_t length);
  Status ReadCopy(const std::string& path, uint64_t file_size);
  bool ReadPart(uint64_t from, uint64_t length);

  uint8_t* base_ = nullptr;
  uint64_t reserved_ = 0;
  RegionFile file_;
  Descriptor copied_;  // the file of a copy
  LossyMapping mapping_;
  RegionGeometry geometry_;
  bool is_detached_ = false;
};

}  // namespace spprof
