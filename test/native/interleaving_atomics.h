// Queue, ring and lane (native/region/) and a block's counts (native/blocks/) a second time, over
// atomics whose every load and store the model checker of interleaving_support.h decides: the code
// itself is checked, not a copy.
//
// Context: tests only.
#pragma once

#include "interleaving_support.h"

// The project's code over these atomics: inside this namespace its `std` is found first.
namespace spprof_model {
namespace std {
using namespace ::std;

template <typename T>
class atomic {
 public:
  static constexpr bool is_always_lock_free = true;
  atomic() = default;
  atomic(T value) { store(value, memory_order_relaxed); }
  T load(memory_order order) const {
    auto* explorer = spprof::interleaving::Explorer::Current();
    if (explorer->IsShared(this)) return static_cast<T>(explorer->Load(this, order));
    const uint64_t* settled = explorer->Settled(this);
    return settled != nullptr ? static_cast<T>(*settled) : value_;
  }
  void store(T value, memory_order order) {
    auto* explorer = spprof::interleaving::Explorer::Current();
    if (explorer->IsShared(this)) return explorer->Write(this, value, order);
    uint64_t* settled = explorer->Settled(this);
    if (settled != nullptr) *settled = value;
    value_ = value;
  }

 private:
  T value_;
};

// Between the rings' bytes and elsewhere: whole words.
inline void* memcpy(void* to, const void* from, size_t length) {
  auto* explorer = spprof::interleaving::Explorer::Current();
  auto* target = static_cast<uint8_t*>(to);
  const auto* source = static_cast<const uint8_t*>(from);
  for (size_t at = 0; at + 8 <= length; at += 8) {
    uint64_t word;
    if (explorer->IsInArena(source + at)) {
      word = explorer->IsShared(source + at) ? explorer->Load(source + at, memory_order_relaxed)
                                             : *explorer->Settled(source + at);
    } else {
      ::std::memcpy(&word, source + at, 8);
    }
    if (explorer->IsInArena(target + at)) {
      explorer->Write(target + at, word, memory_order_relaxed);
    } else {
      ::std::memcpy(target + at, &word, 8);
    }
  }
  return to;
}

}  // namespace std
}  // namespace spprof_model

#define spprof spprof_model
#include "base/cache_line.h"
#include "blocks/block_counts.h"
#include "region/lane.cc"
#include "region/lane.h"
#include "region/ring.h"
#include "region/sequence.h"
#include "region/spsc_queue.h"
#undef spprof
