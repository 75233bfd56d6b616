// The blocks of one thread: the stack of those that are open, and what those that were stopped have
// taken. Only the thread itself writes; nothing here is shared with another writer, and nothing
// waits.
//
// A start and its stop need not nest: a stop closes the innermost open start of its block (or, with
// a serial, that one start), wherever it lies in the stack, so that blocks of overlapping
// asynchronous work do not close each other.
//
// Context: the thread itself; open, unbalanced_stops and lost from any thread; Copy from any, under
// the lock of the tables.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "blocks/block_tables.h"
#include "blocks/tick_clock.h"

namespace spprof {

class ThreadBlocks {
 public:
  // The calling thread's, made at the first call; null: the thread is ending.
  static ThreadBlocks* Current();

  ThreadBlocks(uint32_t tid, std::string name);
  ~ThreadBlocks();

  // `serial`: any number that tells open starts of one block apart, not 0; 0: it need not be told.
  void Start(const Block& block, uint32_t serial = 0);
  // `serial` 0: the innermost one. False: there is no such start.
  bool Stop(const Block& block, uint32_t serial = 0);
  // Takes a start off the stack without counting it: it goes on elsewhere, and is counted by
  // Finish. Returns its reading of TickClock; 0: there is no such start.
  uint64_t Suspend(const Block& block, uint32_t serial);
  void Finish(const Block& block, uint64_t started);

  BlockTotals Copy(const Block& block) const;
  const Word* label() const { return &label_; }
  uint64_t open() const { return depth_.load(std::memory_order_relaxed); }
  uint64_t unbalanced_stops() const { return unbalanced_.load(std::memory_order_relaxed); }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // Of the tables, under their lock.
  uint32_t tid;
  std::string name;

 private:
  struct Open {
    const Block* block;
    uint64_t started;
    uint32_t label;
    uint32_t serial;
  };
  struct CachedLabel {
    uint32_t parent;
    uint32_t block;  // 0: empty
    uint32_t label;
  };
  static constexpr uint32_t kPerChunk = 128;
  static constexpr uint32_t kChunks = kMaxBlocks / kPerChunk;
  static constexpr uint32_t kCachedLabels = 64;
  static constexpr uint64_t kMaxDepth = 1 << 16;
  struct Chunk {
    std::atomic<BlockStats*> stats[kPerChunk]{};
  };

  bool MakeRoom();
  uint32_t LabelWithin(uint32_t parent, const Block& block);
  uint32_t FindLabel(uint32_t parent, const Block& block, CachedLabel* cached);
  Open* FindOpen(const Block& block, uint32_t serial);
  // Takes it off the stack.
  void Close(Open* open);
  void CloseBelow(Open* open);
  void Record(const Block& block, uint64_t ticks);
  BlockStats* MakeStats(const Block& block);
  BlockStats* StatsOf(const Block& block) const;

  Word label_{0};  // for the handler
  Sequence depth_{0};
  uint64_t capacity_ = 0;
  std::unique_ptr<Open[]> stack_;
  Sequence unbalanced_{0};
  Sequence lost_{0};
  CachedLabel cached_labels_[kCachedLabels]{};
  std::atomic<Chunk*> chunks_[kChunks]{};
};

inline BlockStats* ThreadBlocks::StatsOf(const Block& block) const {
  const Chunk* chunk = chunks_[block.id / kPerChunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr
                          : chunk->stats[block.id % kPerChunk].load(std::memory_order_acquire);
}

inline uint32_t ThreadBlocks::LabelWithin(uint32_t parent, const Block& block) {
  CachedLabel* cached = &cached_labels_[(parent * 31 + block.id) % kCachedLabels];
  if (cached->parent == parent && cached->block == block.id) return cached->label;
  return FindLabel(parent, block, cached);
}

inline void ThreadBlocks::Start(const Block& block, uint32_t serial) {
  if (block.track->is_enabled.load(std::memory_order_relaxed) == 0) return;
  const uint64_t depth = depth_.load(std::memory_order_relaxed);
  if (depth >= capacity_ && !MakeRoom()) {
    AddOwned(lost_, 1);
    return;
  }
  Open& open = stack_[depth];
  open.block = &block;
  open.serial = serial;
  open.label = LabelWithin(depth == 0 ? 0 : stack_[depth - 1].label, block);
  depth_.store(depth + 1, std::memory_order_relaxed);
  label_.store(open.label, std::memory_order_relaxed);
  open.started = TickClock::Now();
}

inline void ThreadBlocks::Record(const Block& block, uint64_t ticks) {
  BlockStats* stats = StatsOf(block);
  if (stats == nullptr) stats = MakeStats(block);
  if (stats == nullptr) return AddOwned(lost_, 1);
  // Readings on two cores may differ by some ticks.
  if (static_cast<int64_t>(ticks) < 0) ticks = 0;
  stats->Add(ticks, block.track->profiler->epoch.load(std::memory_order_relaxed));
}

inline void ThreadBlocks::Close(Open* open) {
  const uint64_t depth = depth_.load(std::memory_order_relaxed) - 1;
  if (open != &stack_[depth]) return CloseBelow(open);
  depth_.store(depth, std::memory_order_relaxed);
  label_.store(depth == 0 ? 0 : stack_[depth - 1].label, std::memory_order_relaxed);
}

inline bool ThreadBlocks::Stop(const Block& block, uint32_t serial) {
  const uint64_t now = TickClock::Now();
  Open* open = FindOpen(block, serial);
  if (open == nullptr) {
    // What was started while the track was disabled has no start.
    if (block.track->is_enabled.load(std::memory_order_relaxed) != 0) AddOwned(unbalanced_, 1);
    return false;
  }
  const uint64_t ticks = now - open->started;
  Close(open);
  Record(block, ticks);
  return true;
}

inline ThreadBlocks::Open* ThreadBlocks::FindOpen(const Block& block, uint32_t serial) {
  for (uint64_t i = depth_.load(std::memory_order_relaxed); i > 0; i--) {
    Open& open = stack_[i - 1];
    if (open.block == &block && (serial == 0 || open.serial == serial)) return &open;
  }
  return nullptr;
}

}  // namespace spprof
