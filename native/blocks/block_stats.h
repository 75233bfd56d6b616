// Hits, total, shortest, longest and histogram of one block on one thread, in ticks. One thread
// writes; others copy it at any time, without stopping it, and never see half of a hit.
//
// clang-format off
// | word                         | writer | reader | release at | acquire at | becomes visible                | if weakened                 |
// | version (odd: being written) | thread | any    | Add B1     | Copy B2    | all fields of a whole hit      | half of a hit is copied     |
// | the fields                   | thread | any    | Add B3     | Copy B4    | that version had become odd    | a field of the next hit is taken for this one's |
// clang-format on
//
// A reset is an epoch of the profiler: what the thread counted in a former one is nothing to the
// reader, and cleared by the thread itself at its next hit.
//
// Context: the owning thread (Add) | any thread (Copy).
#pragma once

#include <sched.h>

#include <cstdint>
#include <vector>

#include "base/cache_line.h"
#include "base/log_linear.h"
#include "region/sequence.h"

namespace spprof {

using BlockBuckets = LogLinearBuckets<4, 44>;  // a bucket is a sixteenth wide; up to 2^48 ticks

// A sum over threads.
struct BlockTotals {
  uint64_t hits = 0;
  uint64_t total = 0;
  uint64_t min = UINT64_MAX;
  uint64_t max = 0;
  std::vector<uint64_t> buckets = std::vector<uint64_t>(BlockBuckets::kCount);

  void Add(const BlockTotals& other);
  // Interpolated within its bucket.
  double Percentile(double share) const;
};

class alignas(kCacheLine) BlockStats {
 public:
  void Add(uint64_t ticks, uint64_t epoch) {
    const uint64_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    if (epoch_.load(std::memory_order_relaxed) != epoch) Clear(epoch);
    Put(hits_, Get(hits_) + 1);
    Put(total_, Get(total_) + ticks);
    if (ticks < Get(min_)) Put(min_, ticks);
    if (ticks > Get(max_)) Put(max_, ticks);
    Sequence& bucket = buckets_[BlockBuckets::Of(ticks)];
    Put(bucket, Get(bucket) + 1);
    version_.store(version + 2, std::memory_order_release);  // B1
  }

  // Nothing when there was no hit in this epoch.
  BlockTotals Copy(uint64_t epoch) const {
    BlockTotals copy;
    for (uint32_t attempt = 0;; attempt++) {
      const uint64_t version = version_.load(std::memory_order_acquire);  // B2
      const bool is_whole = (version & 1) == 0;
      // The thread may have lost its core in the middle of a hit, and need ours.
      if (!is_whole && attempt < kPatience) {
        sched_yield();
        continue;
      }
      if (epoch_.load(std::memory_order_acquire) != epoch) return BlockTotals();
      CopyFields(&copy);
      if (version_.load(std::memory_order_relaxed) == version || attempt >= kPatience) return copy;
    }
  }

 private:
  static constexpr uint32_t kPatience = 10'000;

  static uint64_t Get(const Sequence& word) { return word.load(std::memory_order_relaxed); }
  static void Put(Sequence& word, uint64_t value) {
    word.store(value, std::memory_order_release);  // B3
  }
  void Clear(uint64_t epoch);
  void CopyFields(BlockTotals* copy) const;

  Sequence version_{0};
  Sequence epoch_{0};
  Sequence hits_{0};
  Sequence total_{0};
  Sequence min_{UINT64_MAX};
  Sequence max_{0};
  Sequence buckets_[BlockBuckets::kCount]{};
};

}  // namespace spprof
