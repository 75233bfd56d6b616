// A histogram of durations in nanoseconds, eight buckets an octave (a bucket is at most 12.5 %
// wide), for percentiles of the handler's time.
//
// Context: one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/log_linear.h"

namespace spprof {

class DurationHistogram {
 public:
  void Add(uint64_t ns) {
    buckets_[Buckets::Of(ns)]++;
    count_++;
    max_ns_ = std::max(max_ns_, ns);
  }

  // The duration below which `share` (0 to 1) of all lie: the upper end of the bucket, but not more
  // than the longest; 0 when there is none.
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
    return std::min(Buckets::UpperEndOf(bucket), max_ns_);
  }

 private:
  using Buckets = LogLinearBuckets<3, 40>;  // up to 2^42 ns, an hour
  std::array<uint64_t, Buckets::kCount> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ns_ = 0;
};

}  // namespace spprof
