// Moves the bytes of one thread's lanes into the log. Bytes are released to the thread only after
// they are in the file, so that what a thread has published is either there or still in the region,
// whenever the process dies. (Both, if it dies in between: the reader knows by the position in the
// lane.)
//
// Context: drain thread; or a process that recovers a dead one's region.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "drain/duration_histogram.h"
#include "log/log_writer.h"
#include "platform/region_map.h"
#include "region/records.h"

namespace spprof {

class LaneDrainer {
 public:
  LaneDrainer(RegionMap* region, LogWriter* log) : region_(region), log_(log) {}

  // Both lanes of the slot, details first: what an index record refers to is always in the log
  // before it. Returns the number of bytes; what could not be written stays in the lanes.
  uint64_t DrainSlot(uint32_t slot);

  // Whether something stayed in the slot that was drained last.
  bool has_failed() const { return has_failed_; }

  // Called with each sample that has gone into the log.
  using SampleSink = std::function<void(uint32_t slot, uint32_t generation, const SampleRecord&)>;
  void OnSample(SampleSink sink) { on_sample_ = std::move(sink); }

  // Samples that have gone into the log, and how long their handlers took.
  uint64_t samples() const { return samples_; }
  const DurationHistogram& handler_times() const { return handler_times_; }
  // All together; none counts for more than a millisecond: it has lost the CPU on the way.
  uint64_t handler_ns() const { return handler_ns_; }
  // The CPU time that they stand for.
  uint64_t sampled_cpu_ns() const { return sampled_cpu_ns_; }

 private:
  uint64_t DrainLane(Lane* lane, ChunkKind kind, uint32_t slot, uint32_t generation, uint64_t end);

  // The samples in the buffer, which are in the log now.
  void Count(uint32_t slot, uint32_t generation, uint64_t length);

  RegionMap* region_;
  LogWriter* log_;
  bool has_failed_ = false;
  SampleSink on_sample_;
  std::vector<uint8_t> buffer_;
  uint64_t samples_ = 0;
  uint64_t handler_ns_ = 0;
  uint64_t sampled_cpu_ns_ = 0;
  DurationHistogram handler_times_;
};

}  // namespace spprof
