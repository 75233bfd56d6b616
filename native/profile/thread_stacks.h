// One recorded thread as the columns of a recording show it: its kind, the states of its samples,
// and its stacks as nodes of the tree.
//
// Context: any thread, one at a time.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "profile/frame_resolver.h"
#include "profile/recorded_log.h"
#include "profile/recording.h"
#include "profile/stack_tree.h"

namespace spprof {

ThreadKind KindOf(const RecordedThread& thread, uint32_t pid);
// A wait of wall mode: `cpu_ns` is wall time.
inline bool IsOffCpu(const SampleRecord& sample) { return (sample.state & kStateOffCpu) != 0; }
// Bits of Recording::sample_states from those of a SampleRecord.
uint8_t StatesOf(uint32_t state);
// Indices of `samples`, by time.
std::vector<uint32_t> OrderByTime(const std::vector<SampleRecord>& samples);

class ThreadStacks {
 public:
  // All three must outlive it.
  ThreadStacks(const RecordedThread& thread, FrameResolver* resolver, StackTree* tree)
      : thread_(thread), resolver_(resolver), tree_(tree) {}

  // The node of the sample's stack; nothing when its definition is lost.
  const uint32_t* Find(const SampleRecord& sample);

 private:
  bool HasMarker(const RecordedStack& stack) const;
  uint32_t Plant(const RecordedStack& stack, bool is_truncated);

  const RecordedThread& thread_;
  FrameResolver* resolver_;
  StackTree* tree_;
  std::unordered_map<uint64_t, uint32_t> nodes_;
};

}  // namespace spprof
