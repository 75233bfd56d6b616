#include "drain/lane_drainer.h"

#include <algorithm>
#include <cstring>

#include "region/records.h"

namespace spprof {

namespace {

constexpr uint32_t kLongestHandlerNs = 1'000'000;

}  // namespace

uint64_t LaneDrainer::DrainSlot(uint32_t slot) {
  ThreadLaneSet* lanes = region_->Slot(slot);
  const uint32_t generation = lanes->generation.load(std::memory_order_acquire);  // S4
  // Index records up to here have their definitions in the detail lane already.
  const uint64_t index_end = LaneReader(&lanes->index, region_->base()).PublishedEnd();
  has_failed_ = false;
  uint64_t bytes = DrainLane(&lanes->detail, ChunkKind::kDetail, slot, generation, UINT64_MAX);
  if (has_failed_) return bytes;  // samples come after what they refer to
  bytes += DrainLane(&lanes->index, ChunkKind::kIndex, slot, generation, index_end);
  return bytes;
}

uint64_t LaneDrainer::DrainLane(Lane* lane, ChunkKind kind, uint32_t slot, uint32_t generation,
                                uint64_t end) {
  return LaneReader(lane, region_->base())
      .Drain(end, [&](uint64_t position, RingReader& ring, uint64_t length) {
        // Whole words, as all records are; else the indices of a dead process's region are damaged,
        // and an odd chunk would hide those of all other threads behind it.
        buffer_.resize(AlignUp(length, 8));
        ring.Copy(buffer_.data(), length);
        std::memset(buffer_.data() + length, 0, buffer_.size() - length);
        // What has been copied from a region that was lost meanwhile may be zeros.
        if (region_->IsLost() || !log_->AppendLane(kind, slot, generation, position, buffer_.data(),
                                                   static_cast<uint32_t>(buffer_.size()))) {
          has_failed_ = true;
          return false;
        }
        if (kind == ChunkKind::kIndex) Count(slot, generation, length);
        return true;
      });
}

void LaneDrainer::Count(uint32_t slot, uint32_t generation, uint64_t length) {
  for (size_t at = 0; at + sizeof(SampleRecord) <= length; at += sizeof(SampleRecord)) {
    SampleRecord record;
    std::memcpy(&record, buffer_.data() + at, sizeof(record));
    handler_times_.Add(record.handler_ns);
    handler_ns_ += std::min(record.handler_ns, kLongestHandlerNs);
    samples_++;
    sampled_cpu_ns_ += record.cpu_ns;
    if (on_sample_ != nullptr) on_sample_(slot, generation, record);
  }
}

}  // namespace spprof
