// Which thread has which slot of the region.
//
// Thread safety: Claim, Retire and Release may be called from any thread at once; a slot given by
// Claim belongs to its caller until it is released. FindByTid, and everything about threads that
// come and go, under the caller's lock (Sampler).
//
// clang-format off
//   free ──Claim──▶ (being set up) ──Activate──▶ active ──Retire──▶ retired ──Release──▶ free
//         control                     control            control     drain, when it is empty
// clang-format on
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <unordered_map>

#include "base/status.h"
#include "platform/region_map.h"
#include "region/records.h"

namespace spprof {

inline constexpr uint32_t kNoSlot = 0xffffffff;

class ThreadRegistry {
 public:
  explicit ThreadRegistry(RegionMap* region);

  // Has the next slots ready, so that a thread that registers itself does not wait for the kernel
  // to find pages. The drain thread calls it now and then.
  void PrepareSlots();
  // A free slot, its lanes empty, ids filled in, and its generation one higher; not active yet.
  // kNoSlot: maxThreads is reached, or the region could not grow; counted in threads_refused.
  uint32_t Claim(pid_t tid, ThreadKind kind, const std::string& name, uint64_t start_ticks);
  void Activate(uint32_t slot);
  // The thread is gone, or no longer sampled. Its records stay until Release.
  void Retire(uint32_t slot);
  // After its lanes have been drained.
  void Release(uint32_t slot);

  // Why the region could not grow when it was to the last time; empty: it could.
  std::string Failure() const;

  uint32_t FindByTid(pid_t tid) const;
  // The slot of the calling thread; kNoSlot: it has none. Remembered by the thread itself, so that
  // code which asks again and again (a thread that names itself, a block) takes no lock. From any
  // thread, but not from a signal handler: its first use may allocate.
  uint32_t FindOwn() const;
  const std::unordered_map<pid_t, uint32_t>& by_tid() const { return by_tid_; }
  ThreadLaneSet* Slot(uint32_t slot) const { return region_->Slot(slot); }

 private:
  uint32_t PopFree();
  void PushFree(uint32_t slot);
  bool Grow();
  // A slot that has never been given, after growing the region if need be.
  uint32_t TakeUnused();

  const uint64_t id_;  // of this registry, in the life of the process
  RegionMap* region_;
  mutable std::mutex mutex_;  // of what follows, of growth, and of the header's sums
  std::unordered_map<pid_t, uint32_t> by_tid_;
  std::string failure_;
  uint32_t used_slots_ = 0;      // slots that have ever been given
  uint32_t prepared_slots_ = 0;  // whose pages are there
};

}  // namespace spprof
