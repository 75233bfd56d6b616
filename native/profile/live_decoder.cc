#include "profile/live_decoder.h"

#include <utility>

#include "profile/sample_weights.h"

namespace spprof {

LiveBatch LiveDecoder::Take() {
  LiveBatch batch;
  batch.first_frame = told_frames_;
  resolver_.Learn();
  for (const auto& thread : log_.threads()) AddSamples(thread.get(), &batch);
  ForgetEnded();
  batch.ended_threads = std::move(ended_);
  ended_.clear();
  batch.frames.assign(resolver_.frames().begin() + told_frames_, resolver_.frames().end());
  batch.first_block = told_blocks_;
  batch.blocks.assign(blocks_.blocks().begin() + told_blocks_, blocks_.blocks().end());
  told_blocks_ = static_cast<uint32_t>(blocks_.blocks().size());
  told_frames_ = static_cast<uint32_t>(resolver_.frames().size());
  samples_taken_ = log_.samples_added();
  log_.DropSourceMaps();  // a batch has V8's lines
  return batch;
}

void LiveDecoder::ForgetEnded() {
  for (const auto& thread : log_.TakeEnded()) {
    if (told_.erase(thread->number) != 0) ended_.push_back(thread->number);
    resolver_.Forget(*thread);
  }
}

void LiveDecoder::AddSamples(RecordedThread* recorded, LiveBatch* batch) {
  RecordedThread& thread = *recorded;
  if (thread.samples.empty() || !log_.session().has_value()) return;
  Told& told = told_[thread.number];
  if (!told.is_told) {
    told.is_told = true;
    told.stacks.emplace(thread, &resolver_, &tree_);
    RecordingThread result;
    result.id = thread.number;
    result.tid = thread.tid;
    result.name = thread.name;
    result.kind = KindOf(thread, log_.session()->pid);
    batch->threads.push_back(std::move(result));
  }
  const uint64_t start_ns = log_.session()->start_monotonic_ns;
  const std::vector<uint32_t> order = OrderByTime(thread.samples);
  const std::vector<uint64_t> weights =
      WeighSamples(thread, order, Weighing::Of(log_), told.last_sample_ns);
  for (const uint32_t i : order) {
    const SampleRecord& sample = thread.samples[i];
    const uint32_t* node = told.stacks->Find(sample);
    const uint32_t stack_id = node != nullptr ? *node : tree_.Child(0, resolver_.LostFrame());
    TellStack(stack_id, batch);
    const uint64_t since_ns = sample.time_ns < start_ns ? 0 : sample.time_ns - start_ns;
    batch->times_ms.push_back(static_cast<double>(since_ns) / 1e6);
    batch->cpu_ns.push_back(IsOffCpu(sample) ? 0 : static_cast<double>(weights[i]));
    // What a sample on the CPU stands for, it was on the CPU.
    batch->wall_ns.push_back(static_cast<double>(weights[i]));
    if (!IsOffCpu(sample)) told.last_sample_ns = sample.time_ns;
    batch->stack_ids.push_back(stack_id);
    batch->thread_ids.push_back(thread.number);
    batch->block_ids.push_back(blocks_.NumberOf(sample.header.flags));
    batch->states.push_back(StatesOf(sample.state));
  }
  thread.samples.clear();
}

void LiveDecoder::TellStack(uint32_t id, LiveBatch* batch) {
  if (told_stacks_.size() <= id) told_stacks_.resize(id + 1);
  if (told_stacks_[id]) return;
  told_stacks_[id] = true;
  const size_t before = batch->new_stack_frames.size();
  for (uint32_t node = id; node != 0; node = tree_.ParentOf(node))
    batch->new_stack_frames.push_back(tree_.FrameOf(node));
  batch->new_stack_ids.push_back(id);
  batch->new_stack_lengths.push_back(
      static_cast<uint32_t>(batch->new_stack_frames.size() - before));
}

}  // namespace spprof
