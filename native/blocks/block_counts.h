// Hits, total, shortest, longest and histogram of one block on one thread, in ticks. One thread
// writes; another copies, without stopping it, and never sees half of a hit.
//
// Before a hit begins it has put aside what it will overwrite, and the version says which bucket it
// will raise. So of a thread that has lost its core in the middle of a hit the state before the hit
// is copied: the bucket is one too high if all of them together are. Only a hit that begins or ends
// during a copy spoils it.
//
// clang-format off
// | word       | writer | reader | release at | acquire at | becomes visible                              | if weakened                                     |
// | version    | thread | any    | Add B1     | TryCopy B2 | the hits before it; its own, when it is over | half of a hit is copied                         |
// | all others | thread | any    | Add B3     | TryCopy B4 | that a next hit has begun                    | a field of the next hit is taken for this one's |
// clang-format on
//
// A reset is an epoch of the profiler: what the thread counted in a former one is nothing to the
// reader, and cleared by the thread itself at its next hit.
//
// Context: the owning thread (Add) | any thread (TryCopy).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cache_line.h"
#include "region/sequence.h"

namespace spprof {

template <typename Buckets>
class alignas(kCacheLine) BlockCounts {
 public:
  void Add(uint64_t ticks, uint64_t epoch) {
    if (Get(epoch_) != epoch) Clear(epoch);
    const size_t bucket = Buckets::Of(ticks);
    const uint64_t total = Get(total_), min = Get(min_), max = Get(max_);
    Put(total_before_, total);
    uint64_t version = Next(version_.load(std::memory_order_relaxed)) | bucket << kBucketShift;
    const bool is_extreme = ticks < min || ticks > max;
    if (is_extreme) {
      Put(min_before_, min);
      Put(max_before_, max);
      version |= kExtreme;
    }
    version_.store(version | kOpen, std::memory_order_release);  // B1
    Put(total_, total + ticks);
    if (is_extreme) {
      Put(min_, ticks < min ? ticks : min);
      Put(max_, ticks > max ? ticks : max);
    }
    Put(buckets_[bucket], Get(buckets_[bucket]) + 1);
    version_.store(version, std::memory_order_release);  // B1
  }

  // Adds the hits of `epoch` to `sum`. False: a hit has begun or ended meanwhile, and nothing was
  // added.
  template <typename Totals>
  bool TryCopy(uint64_t epoch, Totals* sum) const {
    const uint64_t version = version_.load(std::memory_order_acquire);  // B2
    if (Take(epoch_) != epoch || (version & kClearing) != 0) return true;
    const bool is_open = (version & kOpen) != 0;
    const bool was_other = is_open && (version & kExtreme) != 0;
    Totals copy;
    copy.hits = (version >> kHitShift) - (is_open ? 1 : 0) - Take(hits_before_);
    copy.total = Take(is_open ? total_before_ : total_);
    copy.min = Take(was_other ? min_before_ : min_);
    copy.max = Take(was_other ? max_before_ : max_);
    uint64_t in_buckets = 0;
    for (size_t i = 0; i < Buckets::kCount; i++) in_buckets += copy.buckets[i] = Take(buckets_[i]);
    if (version_.load(std::memory_order_relaxed) != version) return false;
    if (is_open) copy.buckets[version >> kBucketShift & kBucketMask] -= in_buckets - copy.hits;
    sum->Add(copy);
    return true;
  }

 private:
  // Of the version: whether its hit is under way, whether what a former epoch has left is being
  // cleared, whether the hit changes the extremes, its bucket, its number.
  static constexpr uint64_t kOpen = 1, kClearing = 2, kExtreme = 4, kBucketMask = 1023;
  static constexpr int kBucketShift = 3, kHitShift = 13;
  static_assert(Buckets::kCount <= kBucketMask + 1);
  static uint64_t Next(uint64_t version) {
    constexpr uint64_t kBelowHit = (uint64_t{1} << kHitShift) - 1;
    return (version | kBelowHit) + 1;
  }

  static uint64_t Get(const Sequence& word) { return word.load(std::memory_order_relaxed); }
  static uint64_t Take(const Sequence& word) { return word.load(std::memory_order_acquire); }  // B4
  static void Put(Sequence& word, uint64_t value) {
    word.store(value, std::memory_order_release);  // B3
  }
  void Clear(uint64_t epoch) {
    const uint64_t version = Next(version_.load(std::memory_order_relaxed));
    version_.store(version | kClearing, std::memory_order_release);  // B1
    Put(total_, 0);
    Put(min_, UINT64_MAX);
    Put(max_, 0);
    for (Sequence& bucket : buckets_) Put(bucket, 0);
    Put(hits_before_, version >> kHitShift);
    Put(epoch_, epoch);
    version_.store(version, std::memory_order_release);  // B1
  }

  Sequence version_{0};
  Sequence epoch_{0};
  Sequence hits_before_{0};  // the epoch
  Sequence total_{0};
  Sequence min_{UINT64_MAX};
  Sequence max_{0};
  Sequence total_before_{0};  // the hit that is under way, as the next two
  Sequence min_before_{0};
  Sequence max_before_{0};
  Sequence buckets_[Buckets::kCount]{};
};

}  // namespace spprof
