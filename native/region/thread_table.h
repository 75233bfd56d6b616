// Which slot a thread has, by its kernel id, for signals that do not carry it (engines perf and
// itimer). A hash table of single words with open addressing; what is looked for lies within a few
// words of its place, or is not there.
//
// Thread safety: Find from signal handlers, on any thread; Insert and Remove one at a time. A word
// changes as a whole, and orders nothing: a thread finds its own slot, which was set up before its
// timers were (S3, S4), and one that is missed gives up a tick, not its CPU time.
//
// Context: signal (Find) | control side (Insert, Remove).
#pragma once

#include <cstdint>

#include "region/sequence.h"

namespace spprof {

class ThreadTable {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  constexpr ThreadTable() = default;
  // As after Use.
  constexpr ThreadTable(Sequence* words, uint32_t count) : words_(words), mask_(count - 1) {}

  // `words`: `count` zeroed ones, a power of two, some times the number of threads.
  void Use(Sequence* words, uint32_t count) {
    words_ = words;
    mask_ = count - 1;
  }

  uint32_t Find(uint32_t tid) const {
    if (words_ == nullptr) return kNone;
    for (uint32_t probe = 0; probe < kMaxProbes; probe++) {
      const uint64_t word = At(tid, probe).load(std::memory_order_relaxed);
      if (word >> 32 == tid) return static_cast<uint32_t>(word) - 1;
      if (word == 0) return kNone;
    }
    return kNone;
  }

  // False: too many neighbours.
  bool Insert(uint32_t tid, uint32_t slot) {
    for (uint32_t probe = 0; probe < kMaxProbes; probe++) {
      Sequence& word = At(tid, probe);
      if (word.load(std::memory_order_relaxed) >> 32 != 0) continue;
      word.store(static_cast<uint64_t>(tid) << 32 | (slot + 1), std::memory_order_relaxed);
      return true;
    }
    return false;
  }

  void Remove(uint32_t tid) {
    for (uint32_t probe = 0; probe < kMaxProbes; probe++) {
      Sequence& word = At(tid, probe);
      if (word.load(std::memory_order_relaxed) >> 32 != tid) continue;
      word.store(kRemoved, std::memory_order_relaxed);
      return;
    }
  }

 private:
  static constexpr uint32_t kMaxProbes = 32;
  static constexpr uint64_t kRemoved = 1;  // of no thread; lookups go on behind it

  Sequence& At(uint32_t tid, uint32_t probe) const {
    constexpr uint32_t kGolden = 2654435769;  // Fibonacci hashing (Knuth, TAOCP 6.4)
    return words_[((tid * kGolden >> 8) + probe) & mask_];
  }

  Sequence* words_ = nullptr;
  uint32_t mask_ = 0;
};

}  // namespace spprof
