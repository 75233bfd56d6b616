#include "profile/recording_blocks.h"

namespace spprof {

namespace {

constexpr size_t kMaxNesting = 256;  // more is damage: the process nests labels less deeply

}  // namespace

uint32_t BlockNumbers::NumberOf(uint32_t label) {
  if (label == 0) return 0;
  const auto known = numbers_.find(label);
  if (known != numbers_.end()) return known->second;
  std::vector<uint32_t> chain;  // innermost first
  uint32_t parent = 0;
  for (uint32_t each = label; each != 0 && chain.size() < kMaxNesting;) {
    const auto numbered = numbers_.find(each);
    if (numbered != numbers_.end()) {
      parent = numbered->second;
      break;
    }
    const auto recorded = log_.blocks().find(each);
    if (recorded == log_.blocks().end()) break;
    chain.push_back(each);
    each = recorded->second.parent;
  }
  for (; !chain.empty(); chain.pop_back()) {
    const RecordedBlock& recorded = log_.blocks().at(chain.back());
    blocks_.push_back({recorded.profiler, recorded.track, recorded.name, parent});
    parent = static_cast<uint32_t>(blocks_.size());
    numbers_[chain.back()] = parent;
  }
  return numbers_.count(label) != 0 ? numbers_[label] : 0;
}

}  // namespace spprof
