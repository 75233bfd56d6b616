#include "region/lane.h"

namespace spprof {

void Lane::Reset(uint32_t count, uint32_t size, uint64_t offset) {
  active.store(0, std::memory_order_relaxed);
  marked.store(0, std::memory_order_relaxed);
  events_written.store(0, std::memory_order_relaxed);
  swaps.store(0, std::memory_order_relaxed);
  ring_count = count;
  ring_size = size;
  rings_offset = offset;
  submit.Reset();
  free.Reset();
  for (uint32_t i = 0; i < kMaxRingsPerLane; i++) rings[i].Reset();
  for (uint32_t i = 1; i < count; i++) free.Push(i);
}

bool LaneWriter::Reserve(size_t size, bool* swapped) {
  if (rings_.size == 0) return false;                                     // lost
  const uint32_t active = lane_->active.load(std::memory_order_relaxed);  // own word
  RingHeader& ring = lane_->rings[active];
  if (WriterOf(active).Free() >= size) return true;
  if (size > rings_.size) return false;
  uint32_t next;
  if (!lane_->free.Pop(&next)) return false;
  // The drain has emptied `next` (Q1 of the free queue), so all of it is free.
  RingHeader& fresh = lane_->rings[next];
  fresh.lane_base.store(ring.lane_base.load(std::memory_order_relaxed) +
                            ring.head.load(std::memory_order_relaxed) -
                            fresh.head.load(std::memory_order_relaxed),
                        std::memory_order_relaxed);  // ordered by L1
  lane_->submit.Push(active);  // cannot be full: it holds as many as there are rings
  lane_->active.store(next, std::memory_order_release);  // L1
  AddOwned(lane_->swaps, 1);
  *swapped = true;
  return true;
}

void LaneWriter::Write(const void* head, size_t head_size, const void* tail, size_t tail_size) {
  static constexpr uint8_t kPadding[8] = {};
  RingWriter writer = WriterOf(lane_->active.load(std::memory_order_relaxed));
  writer.Append(head, head_size);
  if (tail_size != 0) writer.Append(tail, tail_size);
  const size_t padding = (8 - (head_size + tail_size) % 8) % 8;
  if (padding != 0) writer.Append(kPadding, padding);
  writer.Publish();
  AddOwned(lane_->events_written, 1);
}

}  // namespace spprof
