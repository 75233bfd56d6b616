#include "profile/sample_folding.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "profile/sample_weights.h"
#include "profile/thread_stacks.h"

namespace spprof {

namespace {

// A sample in the log's memory, as a column, and as a column of JavaScript; and the same of a frame
// of a stack.
constexpr uint64_t kBytesPerSample = 128;
constexpr uint64_t kBytesPerFrame = 64;

constexpr uint64_t kFirstWindowNs = 1'000'000;
constexpr uint64_t kLastWindowNs = uint64_t{1} << 50;  // 13 days

}  // namespace

FoldingLimits FoldingLimits::ForMemory(uint64_t bytes) {
  return {static_cast<size_t>(bytes / 2 / kBytesPerSample),
          static_cast<size_t>(bytes / 2 / kBytesPerFrame)};
}

void SampleFolding::Fold(RecordedLog* log) {
  bool has_too_many_stacks = log->frame_count() > limits_.frames;
  if (log->sample_count() > limits_.samples) {
    if (window_ns_ == 0) window_ns_ = kFirstWindowNs;
    FoldSamples(log);  // those that have come since the last time
    while (log->sample_count() > limits_.samples / 2 && window_ns_ < kLastWindowNs) {
      window_ns_ *= 2;
      FoldSamples(log);
    }
    if (log->sample_count() > limits_.samples / 2) has_too_many_stacks = true;
  }
  if (!has_too_many_stacks) return;
  FoldRareStacks(log);
  if (window_ns_ != 0) FoldSamples(log);
}

void SampleFolding::FoldSamples(RecordedLog* log) const {
  struct Key {
    uint32_t stack_id;
    uint32_t state;
    uint32_t label;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const {
      return (uint64_t{key.label} << 48 ^ uint64_t{key.stack_id} << 16 ^ key.state) *
             0x9e3779b97f4a7c15;
    }
  };
  const Weighing weighing = Weighing::Of(*log);
  std::unordered_map<Key, size_t, Hash> kept_of;
  for (const auto& thread : log->threads()) {
    std::vector<SampleRecord>& samples = thread->samples;
    std::vector<SampleRecord> kept;
    uint64_t window = UINT64_MAX;
    const std::vector<uint32_t> order = OrderByTime(samples);
    const std::vector<uint64_t> weights = WeighSamples(*thread, order, weighing);
    for (const uint32_t i : order) {
      SampleRecord& sample = samples[i];
      sample.cpu_ns = weights[i];
      if (sample.time_ns / window_ns_ != window) {
        window = sample.time_ns / window_ns_;
        kept_of.clear();
      }
      const auto [entry, is_new] =
          kept_of.try_emplace(Key{sample.stack_id, sample.state, sample.header.flags}, kept.size());
      if (is_new) {
        kept.push_back(sample);
        continue;
      }
      SampleRecord& target = kept[entry->second];
      target.cpu_ns += sample.cpu_ns;
      target.overruns += sample.overruns;
      log->NoteFolded(sample);
    }
    kept.shrink_to_fit();
    samples.swap(kept);
    thread->weighed_samples = samples.size();
  }
}

// Until the frames that are left are a quarter of the limit.
void SampleFolding::FoldRareStacks(RecordedLog* log) {
  struct Stack {
    uint64_t cpu_ns;
    RecordedThread* thread;
    uint32_t id;
    uint32_t frames;
  };
  std::vector<Stack> stacks;
  for (const auto& thread : log->threads()) {
    std::unordered_map<uint32_t, uint64_t> cpu_ns;
    for (const SampleRecord& sample : thread->samples) cpu_ns[sample.stack_id] += sample.cpu_ns;
    for (const auto& [id, stack] : thread->stacks)
      stacks.push_back({cpu_ns[id], thread.get(), id, stack.frame_count});
  }
  // Ids break ties, so that one log gives one recording.
  std::sort(stacks.begin(), stacks.end(), [](const Stack& a, const Stack& b) {
    return std::tuple(a.cpu_ns, a.thread->slot, a.id) > std::tuple(b.cpu_ns, b.thread->slot, b.id);
  });
  size_t frames = 0;
  for (size_t i = 0; i < stacks.size(); i++) {
    frames += stacks[i].frames;
    if (frames <= limits_.frames / 4 && i < limits_.samples / 8) continue;
    stacks[i].thread->stacks.erase(stacks[i].id);
    stacks[i].thread->has_folded_stacks = true;
    folded_stacks_++;
  }
  for (const auto& thread : log->threads()) {
    for (SampleRecord& sample : thread->samples) {
      if (thread->stacks.count(sample.stack_id) == 0) sample.stack_id = kFoldedStack;
    }
    std::vector<Frame> left;
    for (auto& [id, stack] : thread->stacks) {
      const auto first = thread->frames.begin() + static_cast<std::ptrdiff_t>(stack.first_frame);
      stack.first_frame = left.size();
      left.insert(left.end(), first, first + stack.frame_count);
    }
    thread->frames.swap(left);
  }
}

}  // namespace spprof
