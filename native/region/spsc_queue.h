// Single-producer single-consumer queue of small numbers (ring indices) in shared memory.
//
// Thread safety: exactly one producer and one consumer at a time, possibly in different processes;
// both sides are wait-free and async-signal-safe. Invariants: tail <= head <= tail + kCapacity;
// indices never decrease and are masked on use. Each side keeps what it has last seen of the
// other's index, and looks again only when that makes the queue full or empty.
//
// clang-format off
// | word      | writer   | reader   | release | acquire | becomes visible        | if weakened                       |
// | head      | producer | consumer | Push Q1 | Pop Q2  | entries[head - 1]      | the consumer reads a stale entry   |
// | tail      | consumer | producer | Pop Q3  | Push Q4 | the entry has been read | the producer overwrites it too soon |
// | entries[] | producer | consumer | through head      |                        |                                   |
// clang-format on
#pragma once

#include "base/cache_line.h"
#include "region/sequence.h"

namespace spprof {

template <uint32_t kCapacity>
class SpscQueue {
  static_assert(kCapacity > 0 && (kCapacity & (kCapacity - 1)) == 0, "a power of two");

 public:
  // Both sides must be idle.
  void Reset() {
    head_.store(0, std::memory_order_relaxed);
    tail_.store(0, std::memory_order_relaxed);
    head_seen_ = tail_seen_ = 0;
  }

  // Producer. False when full.
  bool Push(uint32_t value) {
    const uint64_t head = head_.load(std::memory_order_relaxed);  // own word
    if (head - tail_seen_ >= kCapacity) {
      tail_seen_ = tail_.load(std::memory_order_acquire);  // Q4
      if (head - tail_seen_ >= kCapacity) return false;
    }
    entries_[head & (kCapacity - 1)].store(value, std::memory_order_relaxed);  // ordered by Q1
    head_.store(head + 1, std::memory_order_release);                          // Q1
    return true;
  }

  // Consumer: what Pop would give, left in the queue. False when empty.
  bool Peek(uint32_t* value) {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);  // own word
    if (tail == head_seen_) {
      head_seen_ = head_.load(std::memory_order_acquire);  // Q2
      if (tail == head_seen_) return false;
    }
    *value = entries_[tail & (kCapacity - 1)].load(std::memory_order_relaxed);  // ordered by Q2
    return true;
  }

  // Consumer. False when empty.
  bool Pop(uint32_t* value) {
    if (!Peek(value)) return false;
    tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release);  // Q3
    return true;
  }

  // Consumer. May be stale by the time it returns, but only in that more may have been pushed.
  bool IsEmpty() const {
    return tail_.load(std::memory_order_relaxed) == head_.load(std::memory_order_acquire);  // Q2
  }

 private:
  alignas(kCacheLine) Sequence head_;
  uint64_t tail_seen_;  // the producer's
  Word entries_[kCapacity];
  alignas(kCacheLine) Sequence tail_;
  uint64_t head_seen_;  // the consumer's
};

}  // namespace spprof
