// A histogram of durations in nanoseconds, eight buckets an octave (a bucket is at most 12.5 %
// wide), for percentiles of the handler's time.
//
// Context: one thread at a time.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace spprof {

class DurationHistogram {
 public:
  void Add(uint64_t ns) {
    buckets_[BucketOf(ns)]++;
    count_++;
  }

  // The duration below which `share` (0 to 1) of all lie: the upper end of the bucket; 0 when there
  // is none.
  uint64_t Percentile(double share) const {
    if (count_ == 0) return 0;
    auto wanted = static_cast<uint64_t>(share * static_cast<double>(count_));
    if (wanted >= count_) wanted = count_ - 1;  // all of them: the longest
    uint64_t seen = 0;
    size_t bucket = 0;
    for (; bucket < buckets_.size(); bucket++) {
      seen += buckets_[bucket];
      if (seen > wanted) break;
    }
    return UpperEndOf(bucket);
  }

 private:
  static constexpr size_t kPerOctave = 8;

  static size_t BucketOf(uint64_t ns) {
    if (ns < kPerOctave) return ns;
    const int shift = std::bit_width(ns) - 4;  // keeps the leading one and three bits
    const size_t bucket = static_cast<size_t>(shift) * kPerOctave + (ns >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  static uint64_t UpperEndOf(size_t bucket) {
    if (bucket < 2 * kPerOctave) return bucket;
    const size_t shift = bucket / kPerOctave - 1;
    return ((kPerOctave + bucket % kPerOctave + 1) << shift) - 1;
  }

  static constexpr size_t kBuckets = 40 * kPerOctave;  // up to 2^42 ns, an hour
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace spprof
