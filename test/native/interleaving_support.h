// A model checker for two threads: runs the project's own queue, ring and lane (native/region/) and
// the counts of a block (native/blocks/), compiled a second time, over the atomics below, in every
// interleaving, and with every value that a load may see, within bounds.
//
// Modelled: memory as C++ has it. Each word has a history of stores;
// each thread a view, the oldest store of each word that it may still read. A load reads any store
// that its view allows (a store that waits in a store buffer, or two loads that the hardware swaps,
// look like that), and moves the view on. A release store carries its thread's view; an acquire
// load that reads it takes it over. (Kang et al., "A promising semantics for relaxed-memory
// concurrency", POPL 2017, without its promises.)
//
// Not modelled: a load that takes effect after a store behind it. That is what the acquire on a
// consumed index (rows Q4, R4) and the release of it (Q3, R3) forbid; in its stead the reading of
// an entry or a byte must *happen before* its overwriting, by vector clocks, and its writing before
// its reading. Nor fences, read-modify-writes, words with two writers, more than two threads, or
// the compiler.
//
// How: a depth-first search over the choices (who goes on before each load of the other's word;
// which store is read), each run from the start. A store needs no choice: it is there at once, and
// who reads may still read what was there before. A state that has been seen is not gone on from:
// what a thread holds (what AtRest is told, and what has been read since), what it may still read,
// and the views.
//
// Context: tests only; one exploration at a time, on one thread.
#pragma once

#include <ucontext.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace spprof::interleaving {

// What a shared word is, in the words of the ordering tables. kNone: nobody else reads it, so its
// loads and stores are no steps.
enum class Kind : uint8_t {
  kNone,
  kQueueHead,
  kQueueTail,
  kEntry,
  kRingHead,
  kRingTail,
  kLaneBase,
  kActive,
  kVersion,
  kCount,
  kBytes
};

// One row of an ordering table, made relaxed.
struct Weakening {
  const char* row = "none";
  Kind kind = Kind::kNone;
  bool of_store = false;
};

struct Result {
  uint64_t runs = 0;
  uint64_t states = 0;
  std::string violation;  // empty: none in any run
};

inline constexpr int kMaxLocations = 64;
inline constexpr int kMaxStores = 24;
inline constexpr size_t kArenaBytes = 8192;

class Explorer {
 public:
  static Explorer*& Current() {
    static Explorer* current = nullptr;
    return current;
  }
  Explorer()
      : stacks_{std::make_unique<char[]>(kStackBytes), std::make_unique<char[]>(kStackBytes)} {
    std::memset(index_, 0, sizeof(index_));
    Current() = this;
  }
  ~Explorer() { Current() = nullptr; }

  // Where what the two threads share lives.
  uint8_t* arena() { return arena_; }
  void Name(const void* word, Kind kind) {
    locations_.push_back({});
    locations_.back().kind = kind;
    if (locations_.size() > kMaxLocations) std::abort();
    index_[OffsetOf(word)] = static_cast<uint8_t>(locations_.size());
  }
  void Weaken(const Weakening& weakening) { weakening_ = weakening; }
  // Off: only what the threads themselves see counts, not what merely is unordered.
  void CheckHappensBefore(bool on) { checks_order_ = on; }

  // All runs of the two threads between `setup` and `finish` (which see everything), up to the
  // first violation.
  Result Explore(const std::function<void()>& setup, const std::function<void()>& producer,
                 const std::function<void()>& consumer, const std::function<void()>& finish) {
    bodies_[0] = producer;
    bodies_[1] = consumer;
    do {
      Begin();
      setup();
      for (thread_ = 0; thread_ < 2; thread_++) StartThread();
      thread_ = 0;
      if (Decide()) Resume(thread_);
      thread_ = kNobody;
      if (!is_pruned_ && result_.violation.empty()) finish();
      result_.runs++;
    } while (result_.violation.empty() && NextPath());
    result_.states = seen_.size();
    return result_;
  }

  // Ends the exploration, unless the claim holds.
  void Require(bool claim, const char* what) {
    if (claim || !result_.violation.empty()) return;
    result_.violation = what;
    Abandon();
  }

  // The running thread is between two operations, and `holds` says all that it remembers.
  void AtRest(uint64_t holds) { traces_[thread_] = Mix(holds, static_cast<uint64_t>(thread_) + 1); }

  // Of the atomics.
  bool IsShared(const void* word) const { return thread_ != kNobody && Find(word) != nullptr; }
  uint64_t Load(const void* word, std::memory_order order) {
    Location& location = *Find(word);
    View& view = views_[thread_];
    const auto at = static_cast<size_t>(&location - locations_.data());
    const bool is_data = location.kind == Kind::kEntry || location.kind == Kind::kBytes;
    if (location.writer != thread_ && !is_data) Step();
    const uint32_t choices = location.count - view.at[at];
    if (is_data && checks_order_) Require(choices == 1, "read while it may still be being written");
    const uint32_t picked = location.count - 1 - Choose(choices);
    const Store& store = location.stores[picked];
    view.at[at] = static_cast<uint8_t>(picked);
    if (order == std::memory_order_acquire && !IsWeak(location.kind, false)) view.Join(store.view);
    if (is_data) location.last_read[thread_] = ++view.clock[thread_];
    Trace(picked + 1);
    return store.value;
  }
  void Write(const void* word, uint64_t value, std::memory_order order) {
    Location& location = *Find(word);
    View& view = views_[thread_];
    const auto at = static_cast<size_t>(&location - locations_.data());
    const int other = 1 - thread_;
    if (location.kind == Kind::kEntry || location.kind == Kind::kBytes) {
      if (checks_order_)
        Require(location.last_read[other] <= view.clock[other],
                "overwritten while it may still be being read");
    }
    if (location.count == kMaxStores || location.writer == other) std::abort();  // not modelled
    location.writer = thread_;
    view.at[at] = static_cast<uint8_t>(location.count);
    Store& store = location.stores[location.count++];
    store.value = value;
    store.view = View{};
    store.view.at[at] = view.at[at];
    if (order == std::memory_order_release && !IsWeak(location.kind, true)) store.view = view;
  }
  // Between the threads' lives: the newest value, changed in place.
  uint64_t* Settled(const void* word) {
    Location* location = Find(word);
    return location != nullptr ? &location->stores[location->count - 1].value : nullptr;
  }
  bool IsInArena(const void* address) const {
    const auto* byte = static_cast<const uint8_t*>(address);
    return byte >= arena_ && byte < arena_ + kArenaBytes;
  }

 private:
  static constexpr size_t kStackBytes = 256 * 1024;
  static constexpr int kNobody = -1;

  struct View {
    uint8_t at[kMaxLocations] = {};
    uint16_t clock[2] = {};  // reads of entries and bytes, by thread
    void Join(const View& other) {
      for (int i = 0; i < kMaxLocations; i++) at[i] = at[i] > other.at[i] ? at[i] : other.at[i];
      for (int i = 0; i < 2; i++) clock[i] = clock[i] > other.clock[i] ? clock[i] : other.clock[i];
    }
  };
  struct Store {
    uint64_t value = 0;
    View view;
  };
  struct Location {
    Kind kind = Kind::kNone;
    int writer = kNobody;
    uint32_t count = 1;
    uint16_t last_read[2] = {};
    Store stores[kMaxStores];
  };
  struct Choice {
    uint32_t taken, of;
  };

  size_t OffsetOf(const void* word) const {
    return static_cast<size_t>(static_cast<const uint8_t*>(word) - arena_) / 4;
  }
  Location* Find(const void* word) {
    const uint8_t index = IsInArena(word) ? index_[OffsetOf(word)] : 0;
    return index != 0 ? &locations_[index - 1u] : nullptr;
  }
  const Location* Find(const void* word) const { return const_cast<Explorer*>(this)->Find(word); }
  bool IsWeak(Kind kind, bool of_store) const {
    return weakening_.kind == kind && weakening_.of_store == of_store;
  }
  static uint64_t Mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
  }
  void Trace(uint64_t read) { traces_[thread_] = Mix(traces_[thread_], read); }
  static uint64_t HashView(uint64_t hash, const View& view, const View& over, size_t locations) {
    View joined = view;
    joined.Join(over);
    for (size_t i = 0; i < locations; i += 8) {
      uint64_t word;
      std::memcpy(&word, joined.at + i, 8);
      hash = Mix(hash, word);
    }
    return Mix(hash, static_cast<uint64_t>(joined.clock[0]) << 16 | joined.clock[1]);
  }
  uint64_t State() const {
    const size_t locations = locations_.size();
    uint64_t hash = Mix(traces_[0], traces_[1] + static_cast<uint64_t>(is_done_[0]) +
                                        2 * static_cast<uint64_t>(is_done_[1]));
    for (const View& view : views_) hash = HashView(hash, view, view, locations);
    for (size_t at = 0; at < locations; at++) {
      const Location& location = locations_[at];
      if (location.writer == kNobody) continue;
      const int reader = 1 - location.writer;
      if (location.last_read[reader] > views_[location.writer].clock[reader])
        hash = Mix(hash, location.last_read[reader]);
      hash = Mix(hash, location.stores[location.count - 1].value);  // the writer's own
      for (uint32_t i = views_[reader].at[at]; i < location.count; i++) {
        hash = HashView(Mix(hash, location.stores[i].value), location.stores[i].view,
                        views_[reader], locations);
      }
    }
    return hash;
  }

  void Begin() {
    thread_ = kNobody;
    depth_ = 0;
    is_pruned_ = false;
    for (Location& location : locations_) {
      location.writer = kNobody;
      location.count = 1;
      location.last_read[0] = location.last_read[1] = 0;
      location.stores[0] = Store{};
    }
    for (int i = 0; i < 2; i++) {
      views_[i] = View{};
      traces_[i] = 0;
      is_parked_[i] = is_done_[i] = false;
    }
  }
  // Up to its first step.
  void StartThread() {
    getcontext(&contexts_[thread_]);
    contexts_[thread_].uc_stack.ss_sp = stacks_[thread_].get();
    contexts_[thread_].uc_stack.ss_size = kStackBytes;
    contexts_[thread_].uc_link = nullptr;
    makecontext(&contexts_[thread_], &Explorer::RunThread, 0);
    swapcontext(&main_, &contexts_[thread_]);
  }
  static void RunThread() {
    Explorer* self = Current();
    const int own = self->thread_;
    self->bodies_[own]();
    self->is_done_[own] = true;
    if (!self->is_parked_[own] || self->is_done_[1 - own]) self->Abandon();
    self->thread_ = 1 - own;
    setcontext(&self->contexts_[1 - own]);
  }
  void Resume(int thread) {
    thread_ = thread;
    swapcontext(&main_, &contexts_[thread]);
  }
  void Abandon() {
    if (thread_ != kNobody) setcontext(&main_);
  }

  // Before each step of a thread: who goes on?
  void Step() {
    const int own = thread_;
    if (!is_parked_[own]) {
      is_parked_[own] = true;
      swapcontext(&contexts_[own], &main_);
      return;
    }
    if (!Decide()) Abandon();
    if (thread_ != own) swapcontext(&contexts_[own], &contexts_[thread_]);
  }
  // False: all that follows has been seen.
  bool Decide() {
    if (depth_ == path_.size() && !seen_.insert(State()).second) {
      is_pruned_ = true;
      return false;
    }
    if (!is_done_[1 - thread_] && Choose(2) == 1) thread_ = 1 - thread_;
    return true;
  }
  uint32_t Choose(uint32_t of) {
    if (of <= 1) return 0;
    if (depth_ == path_.size()) path_.push_back({0, of});
    return path_[depth_++].taken;
  }
  bool NextPath() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().of) path_.pop_back();
    if (path_.empty()) return false;
    path_.back().taken++;
    return true;
  }

  alignas(128) uint8_t arena_[kArenaBytes] = {};
  uint8_t index_[kArenaBytes / 4];  // 1 + location of the word there
  std::vector<Location> locations_;
  Weakening weakening_;
  bool checks_order_ = true;

  std::function<void()> bodies_[2];
  std::unique_ptr<char[]> stacks_[2];
  ucontext_t contexts_[2], main_;
  bool is_parked_[2], is_done_[2];
  int thread_ = kNobody;
  View views_[2];
  uint64_t traces_[2];  // a hash of what the thread was at rest and has read since

  std::vector<Choice> path_;
  size_t depth_ = 0;
  bool is_pruned_ = false;
  std::unordered_set<uint64_t> seen_;
  Result result_;
};

}  // namespace spprof::interleaving
