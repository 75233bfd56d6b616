// A log as it grows, decoded batch by batch: the samples since the last batch, and the definition
// of each stack and thread with the first batch that uses it. The same names and frames as a
// Recording has, from the same code.
//
// Context: any thread, one at a time. Reads modules and scripts from disk, as RecordingBuilder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "profile/frame_resolver.h"
#include "profile/recorded_log.h"
#include "profile/recording.h"
#include "profile/recording_blocks.h"
#include "profile/stack_tree.h"
#include "profile/thread_stacks.h"

namespace spprof {

struct LiveBatch {
  // One element a sample; of one thread in order of time.
  std::vector<double> times_ms;  // since the start of the recording
  std::vector<double> cpu_ns;
  std::vector<double> wall_ns;
  std::vector<uint32_t> stack_ids;
  std::vector<uint32_t> thread_ids;
  std::vector<uint32_t> block_ids;  // as Recording::sample_blocks, numbered on from batch to batch
  std::vector<uint8_t> states;      // as Recording::sample_states

  // What appears for the first time. Frames are numbered on from batch to batch.
  uint32_t first_frame = 0;
  std::vector<RecordingFrame> frames;
  std::vector<uint32_t> new_stack_ids;
  std::vector<uint32_t> new_stack_lengths;  // in frames
  std::vector<uint32_t> new_stack_frames;   // of one after the other, leaf first
  std::vector<RecordingThread> threads;
  std::vector<uint32_t> ended_threads;  // of those told: no later batch has samples of them
  uint32_t first_block = 0;             // index of the first of `blocks`
  std::vector<RecordingBlock> blocks;
};

class LiveDecoder {
 public:
  void Add(const LogChunk& chunk) { log_.Add(chunk); }
  // Samples that wait for Take.
  size_t waiting() const { return log_.samples_added() - samples_taken_; }
  LiveBatch Take();
  // Drops what is kept of threads that have gone, as far as their samples have been taken. Take
  // does it, too.
  void ForgetEnded();
  // Threads of which something is kept.
  size_t threads_held() const { return std::max(log_.threads().size(), told_.size()); }

 private:
  struct Told {
    std::optional<ThreadStacks> stacks;
    bool is_told = false;
    uint64_t last_sample_ns = 0;  // of the batches before; 0: none
  };
  void AddSamples(RecordedThread* thread, LiveBatch* batch);
  void TellStack(uint32_t id, LiveBatch* batch);

  RecordedLog log_;
  FrameResolver resolver_{log_};
  StackTree tree_;
  BlockNumbers blocks_{log_};
  std::unordered_map<uint32_t, Told> told_;  // by the thread's number
  std::vector<uint32_t> ended_;              // and no batch has said so yet
  std::vector<bool> told_stacks_;
  uint32_t told_frames_ = 0;
  uint32_t told_blocks_ = 0;
  uint64_t samples_taken_ = 0;
};

}  // namespace spprof
