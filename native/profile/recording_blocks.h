// The blocks that a recording's samples were taken in: labels of the log as numbers of a list.
//
// Context: any thread, one at a time.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "profile/recorded_log.h"
#include "profile/recording.h"

namespace spprof {

class BlockNumbers {
 public:
  explicit BlockNumbers(const RecordedLog& log) : log_(log) {}

  // As in Recording::sample_blocks. 0 also when the label's definition is lost.
  uint32_t NumberOf(uint32_t label);
  // In order of their first use, each behind the one that it lies within.
  const std::vector<RecordingBlock>& blocks() const { return blocks_; }

 private:
  const RecordedLog& log_;
  std::unordered_map<uint32_t, uint32_t> numbers_;  // by label
  std::vector<RecordingBlock> blocks_;
};

}  // namespace spprof
