// Keeps a very long recording within its memory: samples of one stack that are near to each other
// in time become one, which stands for the time of all. Shares stay exact; what is lost is when,
// within a window, something ran. Where there are too many stacks, the rarest become one too.
//
// Context: any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "profile/recorded_log.h"

namespace spprof {

// Stands for stacks whose definitions have been given up; no thread numbers its own so high.
inline constexpr uint32_t kFoldedStack = 0xfffffffe;

struct FoldingLimits {
  size_t samples;
  size_t frames;  // of all stacks

  // For a decoded recording of about `bytes`, its copy in JavaScript included.
  static FoldingLimits ForMemory(uint64_t bytes);
};

class SampleFolding {
 public:
  explicit SampleFolding(const FoldingLimits& limits) : limits_(limits) {}

  // Brings the log below half of its limits, if it is beyond them. To be called after each chunk.
  void Fold(RecordedLog* log);
  // Samples within this time of each other have become one; 0: none have.
  uint64_t window_ns() const { return window_ns_; }
  // Stacks that are no longer told apart.
  uint64_t folded_stacks() const { return folded_stacks_; }

 private:
  void FoldSamples(RecordedLog* log) const;
  void FoldRareStacks(RecordedLog* log);

  const FoldingLimits limits_;
  uint64_t window_ns_ = 0;
  uint64_t folded_stacks_ = 0;
};

}  // namespace spprof
