// The global tables of blocks: profilers, their tracks, the tracks' blocks, the labels of nested
// blocks, and the threads that have run any. One lock is around all of them; it is taken when a
// block is seen for the first time (by the process, or nested so by a thread), when a thread begins
// or ends, and for results. What has been made is never freed.
//
// Context: any thread; never in the handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "blocks/block_stats.h"
#include "include/spprof/blocks.h"
#include "region/sequence.h"
#include "signal_safe/walk/block_labels.h"

namespace spprof {

class ThreadBlocks;

inline constexpr uint32_t kMaxBlocks = 16'384;

struct BlockProfiler {
  std::string name;
  Sequence epoch{1};  // counts resets
};

struct BlockTrack {
  BlockProfiler* profiler;
  std::string name;
  bool is_wanted = true;      // under the lock
  Word is_enabled{1};         // that, and the switch over all blocks
  std::vector<Word*> copies;  // of is_enabled, in the memory of JavaScript environments
};

// Where in a program a block is made.
struct BlockPlace {
  std::string file;   // empty: unknown
  uint32_t line = 0;  // from 1 on; 0: unknown
};

// One (profiler, track, name). Its address is the handle of C++ programs.
struct Block : ::spprof_block_v1 {
  uint32_t id;  // from 1 on
  BlockTrack* track;
  std::string name;
  BlockPlace place;  // the first that was given; under the lock
};

struct BlockRow {
  const Block* block = nullptr;
  BlockPlace place;
  // Of one thread's row; 0: all threads, or those that have ended long ago.
  uint32_t tid = 0;
  std::string thread_name;
  bool has_ended = false;
  uint64_t hits = 0;
  double total_ns = 0, min_ns = 0, max_ns = 0, mean_ns = 0, p50_ns = 0, p99_ns = 0;
};

// What did not go as it should, over all threads and profilers.
struct BlockProblems {
  uint64_t unbalanced_stops = 0;  // stops without a start
  uint64_t open = 0;              // started and not stopped: now, or when their thread ended
  uint64_t lost = 0;              // hits for which there was no memory, or too deep a nesting
};

class BlockTables {
 public:
  // The one of this process; never destroyed.
  static BlockTables& Get();

  // The same block for the same names; null: there are kMaxBlocks already.
  const Block* Register(const std::string& profiler, const std::string& track,
                        const std::string& name, const BlockPlace& place = {});
  // Null: no such block. Without the lock.
  static const Block* Find(uint32_t id);
  // The label of `block` within `parent` (0: within nothing); 0: there are too many.
  uint32_t Label(uint32_t parent, const Block& block);

  // Whether its blocks are timed from now on; blocks that are open are.
  void Enable(const std::string& profiler, const std::string& track, bool is_enabled);
  // The switch over all tracks of all profilers; what each one is set to stays.
  void EnableAll(bool is_enabled);
  bool IsEnabled();
  // `copy` is kept equal to the track's is_enabled until it is forgotten.
  void AddCopy(const std::string& profiler, const std::string& track, Word* copy);
  void ForgetCopy(Word* copy);
  // Results begin anew. What is open counts when it is stopped, as a whole.
  void Reset(const std::string& profiler);

  // Blocks with at least one hit, in order of their registration; of each thread, or of all.
  std::vector<BlockRow> Results(const std::string& profiler, bool per_thread);
  BlockProblems Problems();

  // Begins and ends a thread; on that thread.
  ThreadBlocks* Attach();
  void Retire(ThreadBlocks* thread);
  void NameThread(ThreadBlocks* thread, const std::string& name);

  // Around fork: the child must not find the lock taken by a thread that it does not have.
  void LockForFork() { mutex_.lock(); }
  void UnlockAfterFork() { mutex_.unlock(); }

 private:
  struct LabelText {
    LabelDefinition definition;
    std::string text;
    uint32_t block;
    uint32_t depth;
  };
  using TrackKey = std::tuple<std::string, std::string>;

  BlockTables();
  BlockProfiler* ProfilerOf(const std::string& name);
  BlockTrack* TrackOf(const std::string& profiler, const std::string& track);
  void FoldOldest();
  void ApplyTo(BlockTrack* track);

  std::mutex mutex_;
  bool is_enabled_ = true;
  std::map<std::string, std::unique_ptr<BlockProfiler>> profilers_;
  std::map<TrackKey, std::unique_ptr<BlockTrack>> tracks_;
  std::map<std::tuple<const BlockTrack*, std::string>, std::unique_ptr<Block>> blocks_;
  std::map<std::tuple<uint32_t, uint32_t>, uint32_t> label_numbers_;  // by parent and block
  std::vector<std::unique_ptr<LabelText>> labels_;                    // label - 1
  std::vector<std::unique_ptr<ThreadBlocks>> threads_;
  std::vector<std::unique_ptr<ThreadBlocks>> ended_;  // the last ones, oldest first
  struct Folded {
    uint64_t epoch = 0;
    BlockTotals totals;
  };
  std::map<uint32_t, Folded> folded_;  // by block: of threads that ended before those
  BlockProblems folded_problems_;
};

}  // namespace spprof
