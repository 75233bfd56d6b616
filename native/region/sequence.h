// The atomics of the shared region. Every word that two parties share is one of these types, so
// that the tables in spsc_queue.h, ring.h, lane.h and layout.h can name each of them. All are
// lock-free and address-free: they work across processes and in a signal handler.
#pragma once

#include <atomic>
#include <cstdint>

namespace spprof {

using Sequence = std::atomic<uint64_t>;  // a monotonic index or counter
using Word = std::atomic<uint32_t>;      // a flag, a state, an id

static_assert(Sequence::is_always_lock_free && sizeof(Sequence) == 8);
static_assert(Word::is_always_lock_free && sizeof(Word) == 4);

// Adds to a counter that only one thread writes: a load and a store instead of a locked
// instruction. Relaxed: a counter orders nothing.
inline void AddOwned(Sequence& counter, uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

}  // namespace spprof
