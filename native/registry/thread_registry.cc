#include "registry/thread_registry.h"

#include <algorithm>
#include <cstring>

#include "platform/threads.h"
#include "registry/totals.h"

namespace spprof {

namespace {

std::atomic<uint64_t> g_last_id{0};

// What a thread remembers of its slot. Another generation: the slot is another thread's by now.
struct OwnSlot {
  uint64_t registry_id = 0;
  uint32_t slot = kNoSlot;
  uint32_t generation = 0;
};
thread_local OwnSlot t_own;

}  // namespace

ThreadRegistry::ThreadRegistry(RegionMap* region)
    : id_(g_last_id.fetch_add(1, std::memory_order_relaxed) + 1), region_(region) {}

uint32_t ThreadRegistry::PopFree() {
  Sequence& head = region_->header()->free_slots;
  uint64_t top = head.load(std::memory_order_acquire);
  while ((top & 0xffffffff) != 0) {
    const uint32_t slot = static_cast<uint32_t>(top) - 1;
    const uint64_t next = region_->Slot(slot)->next_free.load(std::memory_order_relaxed);
    // The tag changes with each exchange, so a slot that was taken and put back meanwhile is
    // noticed (ABA).
    const uint64_t replacement = ((top >> 32) + 1) << 32 | next;
    if (head.compare_exchange_weak(top, replacement, std::memory_order_acq_rel)) return slot;
  }
  return kNoSlot;
}

void ThreadRegistry::PushFree(uint32_t slot) {
  Sequence& head = region_->header()->free_slots;
  uint64_t top = head.load(std::memory_order_acquire);
  uint64_t replacement;
  do {
    region_->Slot(slot)->next_free.store(static_cast<uint32_t>(top), std::memory_order_relaxed);
    replacement = ((top >> 32) + 1) << 32 | (slot + 1);
  } while (!head.compare_exchange_weak(top, replacement, std::memory_order_acq_rel));
}

void ThreadRegistry::PrepareSlots() {
  constexpr uint32_t kAhead = 16;
  static_assert(kSlotsPerBlock % kAhead == 0);
  std::lock_guard lock(mutex_);
  const uint32_t wanted = used_slots_ + kAhead;
  while (prepared_slots_ < wanted && prepared_slots_ < region_->header()->max_threads) {
    if (prepared_slots_ >= region_->slot_count() && !Grow()) return;
    region_->TouchSlots(prepared_slots_, kAhead);
    prepared_slots_ += kAhead;
  }
}

bool ThreadRegistry::Grow() {
  const Status grown = region_->Grow();
  failure_ = grown.message();
  return grown.ok();
}

std::string ThreadRegistry::Failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

uint32_t ThreadRegistry::TakeUnused() {
  std::lock_guard lock(mutex_);
  // Not ==: a region that is lost reads as zeros.
  if (used_slots_ >= region_->header()->max_threads) return kNoSlot;
  if (used_slots_ >= region_->slot_count() && !Grow()) return kNoSlot;
  return used_slots_++;
}

uint32_t ThreadRegistry::Claim(pid_t tid, ThreadKind kind, const std::string& name,
                               uint64_t start_ticks) {
  RegionHeader* header = region_->header();
  uint32_t slot = kNoSlot;
  if (header->accepting_registrations.load(std::memory_order_acquire) != 0) {  // H3
    slot = PopFree();
    if (slot == kNoSlot) slot = TakeUnused();
  }
  if (slot == kNoSlot) {
    header->threads_refused.fetch_add(1, std::memory_order_relaxed);
    return kNoSlot;
  }
  ThreadLaneSet* lanes = region_->Slot(slot);
  const RegionGeometry& geometry = region_->geometry();
  lanes->slot = slot;
  lanes->tid = static_cast<uint32_t>(tid);
  lanes->start_ticks = start_ticks;
  lanes->kind.store(static_cast<uint32_t>(kind), std::memory_order_relaxed);
  std::memset(lanes->name, 0, sizeof(lanes->name));
  std::memcpy(lanes->name, name.data(), std::min(name.size(), sizeof(lanes->name) - 1));
  lanes->has_javascript.store(0, std::memory_order_relaxed);
  ClearCounters(&lanes->counters);
  const uint64_t rings = geometry.RingsOffset(slot);
  lanes->index.Reset(geometry.index_ring_count, geometry.index_ring_size, rings);
  lanes->detail.Reset(geometry.detail_ring_count, geometry.detail_ring_size,
                      rings + uint64_t{geometry.index_ring_count} * geometry.index_ring_size);
  lanes->detail.marked.store(1, std::memory_order_relaxed);
  lanes->generation.fetch_add(1, std::memory_order_release);  // S3
  header->thread_count.fetch_add(1, std::memory_order_relaxed);
  header->threads_seen.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  by_tid_[tid] = slot;
  return slot;
}

void ThreadRegistry::Activate(uint32_t slot) {
  region_->Slot(slot)->state.store(static_cast<uint32_t>(SlotState::kActive),
                                   std::memory_order_release);  // S1
}

void ThreadRegistry::Retire(uint32_t slot) {
  ThreadLaneSet* lanes = region_->Slot(slot);
  {
    std::lock_guard lock(mutex_);
    by_tid_.erase(static_cast<pid_t>(lanes->tid));
  }
  lanes->state.store(static_cast<uint32_t>(SlotState::kRetired), std::memory_order_release);  // S1
  region_->header()->thread_count.fetch_sub(1, std::memory_order_relaxed);
}

void ThreadRegistry::Release(uint32_t slot) {
  ThreadLaneSet* lanes = region_->Slot(slot);
  {
    // Next to each other: whoever adds up a dead process's counters must not find them in both
    // places.
    std::lock_guard lock(mutex_);
    AddCounters(lanes->counters, &region_->header()->retired);
    lanes->state.store(static_cast<uint32_t>(SlotState::kFree), std::memory_order_release);  // S1
  }
  region_->DiscardRings(slot);
  PushFree(slot);
}

uint32_t ThreadRegistry::FindByTid(pid_t tid) const {
  std::lock_guard lock(mutex_);
  const auto found = by_tid_.find(tid);
  return found != by_tid_.end() ? found->second : kNoSlot;
}

uint32_t ThreadRegistry::FindOwn() const {
  if (t_own.registry_id == id_) {
    const ThreadLaneSet* lanes = region_->Slot(t_own.slot);
    const uint32_t generation = lanes->generation.load(std::memory_order_acquire);  // S4
    const uint32_t state = lanes->state.load(std::memory_order_acquire);            // S2
    if (generation == t_own.generation && state == static_cast<uint32_t>(SlotState::kActive))
      return t_own.slot;
  }
  const uint32_t slot = FindByTid(CurrentThreadId());
  if (slot == kNoSlot) return kNoSlot;
  t_own = {id_, slot, region_->Slot(slot)->generation.load(std::memory_order_acquire)};  // S4
  return slot;
}

}  // namespace spprof
