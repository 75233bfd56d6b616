// The file that a region lies in. Writing into a mapped file fails by a signal, so it must be where
// room that has been reserved stays reserved: on file systems that write in place (ext2 to ext4,
// XFS, tmpfs). Others (btrfs, ZFS, NFS, FUSE, …) copy on write or reserve nothing; there the name
// is a symbolic link to a file in /dev/shm. What can still happen to it (somebody cuts it off, the
// disk breaks) is the fault handler's: signal_safe/machine/lost_mapping.h.
//
// Context: control thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "platform/descriptor.h"

namespace spprof {

class RegionFile {
 public:
  // A new file, mode 0600. Without one (IsOpened) and without an error: there is nowhere that it
  // could be.
  static Status Create(const std::string& path, RegionFile* out);

  bool IsOpened() const { return file_.IsOpened(); }
  int fd() const { return file_.Get(); }
  // Lengthens it to `size`, with room on the disk for [from, from + length).
  Status Extend(uint64_t size, uint64_t from, uint64_t length);
  Status Reserve(uint64_t from, uint64_t length);

 private:
  Status WriteZeros(uint64_t from, uint64_t length);

  Descriptor file_;
};

// Removes a region's file from shared memory, and the link to it, when it lies there. For the one
// who has taken all that was in it.
void ForgetSharedRegion(const std::string& path);

}  // namespace spprof
