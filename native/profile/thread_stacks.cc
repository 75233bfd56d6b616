#include "profile/thread_stacks.h"

#include <algorithm>
#include <numeric>

#include "profile/sample_folding.h"

namespace spprof {

ThreadKind KindOf(const RecordedThread& thread, uint32_t pid) {
  if (thread.tid == pid || thread.kind == static_cast<uint32_t>(ThreadKind::kMain))
    return ThreadKind::kMain;
  return thread.has_javascript || thread.kind == static_cast<uint32_t>(ThreadKind::kWorker)
             ? ThreadKind::kWorker
             : ThreadKind::kNative;
}

uint8_t StatesOf(uint32_t state) {
  return static_cast<uint8_t>(((state & kStateInGc) != 0 ? kSampleInGc : 0) |
                              ((state & kStateTruncated) != 0 ? kSampleTruncated : 0) |
                              ((state & kStateIncomplete) != 0 ? kSampleIncomplete : 0) |
                              ((state & kStateOffCpu) != 0 ? kSampleOffCpu : 0));
}

std::vector<uint32_t> OrderByTime(const std::vector<SampleRecord>& samples) {
  std::vector<uint32_t> order(samples.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return samples[a].time_ns < samples[b].time_ns; });
  return order;
}

const uint32_t* ThreadStacks::Find(const SampleRecord& sample) {
  const auto stack = thread_.stacks.find(sample.stack_id);
  if (IsOffCpu(sample) && sample.stack_id == 0) {
    const auto [entry, is_new] = nodes_.try_emplace(0, 0);
    if (is_new) entry->second = tree_->Child(0, resolver_->PlaceUnknownFrame());
    return &entry->second;
  }
  if (stack == thread_.stacks.end()) {
    if (!thread_.has_folded_stacks) return nullptr;
    const auto [entry, is_new] = nodes_.try_emplace(kFoldedStack, 0);
    if (is_new) entry->second = tree_->Child(0, resolver_->FoldedFrame());
    return &entry->second;
  }
  const bool is_truncated = (sample.state & kStateTruncated) != 0;
  const auto [entry, is_new] =
      nodes_.try_emplace(uint64_t{sample.stack_id} << 1 | (is_truncated ? 1 : 0), 0);
  if (is_new) entry->second = Plant(stack->second, is_truncated);
  return &entry->second;
}

bool ThreadStacks::HasMarker(const RecordedStack& stack) const {
  for (size_t i = 0; i < stack.frame_count; ++i) {
    if (FrameTypeOf(thread_.frames[stack.first_frame + i]) == FrameType::kTruncated) return true;
  }
  return false;
}

uint32_t ThreadStacks::Plant(const RecordedStack& stack, bool is_truncated) {
  uint32_t node = 0;
  // A long stack that was followed to its root has its marker inside.
  if (is_truncated && !HasMarker(stack)) node = tree_->Child(node, resolver_->TruncatedFrame());
  // All frames since the last interpreted function belong to its interpreter.
  bool is_in_interpreter = false;
  for (size_t i = stack.frame_count; i > 0; --i) {
    const Frame frame = thread_.frames[stack.first_frame + i - 1];
    const uint32_t resolved = resolver_->Resolve(thread_, frame);
    if (is_in_interpreter && resolver_->IsInterpreterBuiltin(resolved)) continue;
    is_in_interpreter =
        FrameTypeOf(frame) == FrameType::kJs && FrameTierOf(frame) == Tier::kInterpreted;
    node = tree_->Child(node, resolved);
  }
  return node;
}

}  // namespace spprof
