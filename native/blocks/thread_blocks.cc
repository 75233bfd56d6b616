#include "blocks/thread_blocks.h"

#include <algorithm>
#include <new>
#include <utility>

namespace spprof {

namespace {

constinit thread_local ThreadBlocks* t_own = nullptr;
constinit thread_local bool t_has_ended = false;

// Its destructor runs when the thread ends.
struct Retirement {
  bool is_wanted = false;
  ~Retirement() {
    if (!is_wanted) return;
    t_has_ended = true;
    try {
      BlockTables::Get().Retire(std::exchange(t_own, nullptr));
    } catch (const std::bad_alloc&) {  // it stays among those that live; its hits are there
    }
  }
};
thread_local Retirement t_retirement;

ThreadBlocks* MakeOwn() {
  if (t_has_ended) return nullptr;
  t_own = BlockTables::Get().Attach();
  t_retirement.is_wanted = t_own != nullptr;
  return t_own;
}

}  // namespace

ThreadBlocks* ThreadBlocks::Current() { return t_own != nullptr ? t_own : MakeOwn(); }

ThreadBlocks::ThreadBlocks(uint32_t thread_id, std::string thread_name)
    : tid(thread_id), name(std::move(thread_name)) {}

ThreadBlocks::~ThreadBlocks() {
  for (std::atomic<Chunk*>& entry : chunks_) {
    Chunk* chunk = entry.load(std::memory_order_acquire);
    if (chunk == nullptr) continue;
    for (std::atomic<BlockStats*>& stats : chunk->stats)
      delete stats.load(std::memory_order_acquire);
    delete chunk;
  }
}

bool ThreadBlocks::MakeRoom() {
  if (capacity_ >= kMaxDepth) return false;
  const uint64_t capacity = capacity_ == 0 ? 64 : 2 * capacity_;
  std::unique_ptr<Open[]> larger(new (std::nothrow) Open[capacity]);
  if (larger == nullptr) return false;
  std::copy_n(stack_.get(), depth_.load(std::memory_order_relaxed), larger.get());
  stack_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

uint32_t ThreadBlocks::FindLabel(uint32_t parent, const Block& block, CachedLabel* cached) {
  try {
    *cached = {parent, block.id, BlockTables::Get().Label(parent, block)};
    return cached->label;
  } catch (const std::bad_alloc&) {
    return 0;  // samples have no label
  }
}

void ThreadBlocks::CloseBelow(Open* open) {
  uint64_t at = static_cast<uint64_t>(open - stack_.get());
  const uint64_t depth = depth_.load(std::memory_order_relaxed) - 1;
  uint32_t label = at == 0 ? 0 : stack_[at - 1].label;
  for (; at < depth; at++) {
    stack_[at] = stack_[at + 1];
    label = stack_[at].label = LabelWithin(label, *stack_[at].block);
  }
  depth_.store(depth, std::memory_order_relaxed);
  label_.store(label, std::memory_order_relaxed);
}

uint64_t ThreadBlocks::Suspend(const Block& block, uint32_t serial) {
  Open* open = FindOpen(block, serial);
  if (open == nullptr) return 0;
  const uint64_t started = open->started;
  Close(open);
  return started;
}

void ThreadBlocks::Finish(const Block& block, uint64_t started) {
  Record(block, TickClock::Now() - started);
}

BlockStats* ThreadBlocks::MakeStats(const Block& block) {
  std::atomic<Chunk*>& entry = chunks_[block.id / kPerChunk];
  Chunk* chunk = entry.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new (std::nothrow) Chunk;
    if (chunk == nullptr) return nullptr;
    entry.store(chunk, std::memory_order_release);
  }
  auto* stats = new (std::nothrow) BlockStats;
  if (stats != nullptr) chunk->stats[block.id % kPerChunk].store(stats, std::memory_order_release);
  return stats;
}

BlockTotals ThreadBlocks::Copy(const Block& block) const {
  BlockStats* stats = StatsOf(block);
  if (stats == nullptr) return BlockTotals();
  return stats->Copy(block.track->profiler->epoch.load(std::memory_order_relaxed));
}

}  // namespace spprof
