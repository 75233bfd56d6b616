#include "blocks/block_tables.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "blocks/thread_blocks.h"
#include "platform/threads.h"

namespace spprof {

namespace {

constexpr uint32_t kMaxNesting = 64;  // of one label; a block that lies deeper begins a new one
constexpr size_t kKeptThreads = 256;  // that have ended, one by one

constinit std::atomic<const Block*> g_blocks[kMaxBlocks];

BlockRow RowOf(const Block& block, const BlockTotals& totals, double ns_per_tick) {
  BlockRow row;
  row.block = &block;
  row.place = block.place;
  row.hits = totals.hits;
  row.total_ns = static_cast<double>(totals.total) * ns_per_tick;
  row.min_ns = static_cast<double>(totals.min) * ns_per_tick;
  row.max_ns = static_cast<double>(totals.max) * ns_per_tick;
  row.mean_ns = row.total_ns / static_cast<double>(totals.hits);
  row.p50_ns = totals.Percentile(0.50) * ns_per_tick;
  row.p99_ns = totals.Percentile(0.99) * ns_per_tick;
  return row;
}

}  // namespace

BlockTables& BlockTables::Get() {
  static BlockTables* const tables = new BlockTables;
  return *tables;
}

BlockTables::BlockTables() {
  TickClock::Prepare();
  ended_.reserve(kKeptThreads + 1);
  pthread_atfork([] { Get().LockForFork(); }, [] { Get().UnlockAfterFork(); },
                 [] { Get().UnlockAfterFork(); });
}

BlockProfiler* BlockTables::ProfilerOf(const std::string& name) {
  std::unique_ptr<BlockProfiler>& profiler = profilers_[name];
  if (profiler == nullptr) {
    profiler = std::make_unique<BlockProfiler>();
    profiler->name = name;
  }
  return profiler.get();
}

BlockTrack* BlockTables::TrackOf(const std::string& profiler, const std::string& track) {
  std::unique_ptr<BlockTrack>& entry = tracks_[{profiler, track}];
  if (entry == nullptr) {
    entry = std::make_unique<BlockTrack>();
    entry->profiler = ProfilerOf(profiler);
    entry->name = track;
    ApplyTo(entry.get());
  }
  return entry.get();
}

const Block* BlockTables::Register(const std::string& profiler, const std::string& track,
                                   const std::string& name, const BlockPlace& place) {
  std::lock_guard lock(mutex_);
  BlockTrack* owner = TrackOf(profiler, track);
  const auto known = blocks_.find({owner, name});
  if (known != blocks_.end()) {
    if (known->second->place.file.empty()) known->second->place = place;
    return known->second.get();
  }
  if (blocks_.size() + 1 >= kMaxBlocks) return nullptr;
  auto block = std::make_unique<Block>();
  block->enabled = reinterpret_cast<const uint32_t*>(&owner->is_enabled);
  block->id = static_cast<uint32_t>(blocks_.size() + 1);
  block->track = owner;
  block->name = name;
  block->place = place;
  const Block* result = block.get();
  blocks_.emplace(std::tuple(owner, name), std::move(block));
  g_blocks[result->id].store(result, std::memory_order_release);
  return result;
}

const Block* BlockTables::Find(uint32_t id) {
  return id < kMaxBlocks ? g_blocks[id].load(std::memory_order_acquire) : nullptr;
}

uint32_t BlockTables::Label(uint32_t parent, const Block& block) {
  std::lock_guard lock(mutex_);
  // A block that calls itself is in itself.
  if (parent != 0 && labels_[parent - 1]->block == block.id) return parent;
  if (parent != 0 && labels_[parent - 1]->depth >= kMaxNesting) parent = 0;
  uint32_t& number = label_numbers_[{parent, block.id}];
  if (number != 0 || labels_.size() >= kMaxLabels) return number;
  auto label = std::make_unique<LabelText>();
  const std::string& profiler = block.track->profiler->name;
  const std::string& track = block.track->name;
  label->block = block.id;
  label->depth = parent == 0 ? 1 : labels_[parent - 1]->depth + 1;
  label->text = profiler + track + block.name;
  label->definition = {parent, static_cast<uint32_t>(profiler.size()),
                       static_cast<uint32_t>(track.size()),
                       static_cast<uint32_t>(block.name.size()), label->text.data()};
  number = static_cast<uint32_t>(labels_.size() + 1);
  DefineLabel(number, &label->definition);
  labels_.push_back(std::move(label));
  return number;
}

void BlockTables::Enable(const std::string& profiler, const std::string& track, bool is_enabled) {
  std::lock_guard lock(mutex_);
  BlockTrack* owner = TrackOf(profiler, track);
  owner->is_wanted = is_enabled;
  ApplyTo(owner);
}

void BlockTables::EnableAll(bool is_enabled) {
  std::lock_guard lock(mutex_);
  is_enabled_ = is_enabled;
  for (auto& [key, track] : tracks_) ApplyTo(track.get());
}

bool BlockTables::IsEnabled() {
  std::lock_guard lock(mutex_);
  return is_enabled_;
}

void BlockTables::ApplyTo(BlockTrack* track) {
  const uint32_t value = track->is_wanted && is_enabled_ ? 1 : 0;
  track->is_enabled.store(value, std::memory_order_relaxed);
  for (Word* copy : track->copies) copy->store(value, std::memory_order_relaxed);
}

void BlockTables::AddCopy(const std::string& profiler, const std::string& track, Word* copy) {
  std::lock_guard lock(mutex_);
  BlockTrack* owner = TrackOf(profiler, track);
  copy->store(owner->is_enabled.load(std::memory_order_relaxed), std::memory_order_relaxed);
  owner->copies.push_back(copy);
}

void BlockTables::ForgetCopy(Word* copy) {
  std::lock_guard lock(mutex_);
  for (auto& [key, track] : tracks_) {
    std::vector<Word*>& copies = track->copies;
    copies.erase(std::remove(copies.begin(), copies.end(), copy), copies.end());
  }
}

void BlockTables::Reset(const std::string& profiler) {
  std::lock_guard lock(mutex_);
  ProfilerOf(profiler)->epoch.fetch_add(1, std::memory_order_relaxed);
}

ThreadBlocks* BlockTables::Attach() {
  const auto tid = static_cast<uint32_t>(CurrentThreadId());
  std::lock_guard lock(mutex_);
  threads_.push_back(std::make_unique<ThreadBlocks>(tid, std::string()));
  ThreadBlocks* thread = threads_.back().get();
  AttachLabel(tid, thread->label());
  return thread;
}

void BlockTables::Retire(ThreadBlocks* thread) {
  std::string name = ThreadName(static_cast<pid_t>(thread->tid));
  std::lock_guard lock(mutex_);
  DetachLabel(thread->tid);
  if (thread->name.empty()) thread->name = std::move(name);
  const auto at = std::find_if(threads_.begin(), threads_.end(),
                               [&](const auto& each) { return each.get() == thread; });
  ended_.push_back(std::move(*at));
  threads_.erase(at);
  if (ended_.size() > kKeptThreads) FoldOldest();
}

void BlockTables::FoldOldest() {
  const ThreadBlocks& thread = *ended_.front();
  for (const auto& [key, block] : blocks_) {
    const BlockTotals totals = thread.Copy(*block);
    if (totals.hits == 0) continue;
    const uint64_t epoch = block->track->profiler->epoch.load(std::memory_order_relaxed);
    Folded& folded = folded_[block->id];
    if (folded.epoch != epoch) folded = {epoch, BlockTotals()};
    folded.totals.Add(totals);
  }
  folded_problems_.unbalanced_stops += thread.unbalanced_stops();
  folded_problems_.open += thread.open();
  folded_problems_.lost += thread.lost();
  ended_.erase(ended_.begin());
}

void BlockTables::NameThread(ThreadBlocks* thread, const std::string& name) {
  std::lock_guard lock(mutex_);
  thread->name = name;
}

std::vector<BlockRow> BlockTables::Results(const std::string& profiler, bool per_thread) {
  const double ns_per_tick = TickClock::NsPerTick();
  std::lock_guard lock(mutex_);
  std::vector<BlockRow> rows;
  for (uint32_t id = 1; id <= blocks_.size(); id++) {
    const Block& block = *Find(id);
    if (block.track->profiler->name != profiler) continue;
    BlockTotals sum;
    const auto add = [&](const BlockTotals& totals, const ThreadBlocks* thread, bool has_ended) {
      if (totals.hits == 0) return;
      if (!per_thread) return sum.Add(totals);
      BlockRow row = RowOf(block, totals, ns_per_tick);
      row.has_ended = has_ended;
      if (thread != nullptr) {
        row.tid = thread->tid;
        row.thread_name = thread->name.empty() && !has_ended
                              ? ThreadName(static_cast<pid_t>(thread->tid))
                              : thread->name;
      }
      rows.push_back(std::move(row));
    };
    for (const auto& thread : threads_) add(thread->Copy(block), thread.get(), false);
    for (const auto& thread : ended_) add(thread->Copy(block), thread.get(), true);
    const auto folded = folded_.find(id);
    if (folded != folded_.end() &&
        folded->second.epoch == block.track->profiler->epoch.load(std::memory_order_relaxed)) {
      add(folded->second.totals, nullptr, true);
    }
    if (sum.hits != 0) rows.push_back(RowOf(block, sum, ns_per_tick));
  }
  return rows;
}

BlockProblems BlockTables::Problems() {
  std::lock_guard lock(mutex_);
  BlockProblems problems = folded_problems_;
  for (const auto* threads : {&threads_, &ended_}) {
    for (const auto& thread : *threads) {
      problems.unbalanced_stops += thread->unbalanced_stops();
      problems.open += thread->open();
      problems.lost += thread->lost();
    }
  }
  return problems;
}

}  // namespace spprof
