// The buckets of a log-linear histogram, as HdrHistogram (Tene) has them: 2^kBits buckets an
// octave, so that a bucket is at most 1 / 2^kBits of its value wide; below 2^(kBits+1) they are
// exact.
//
// Context: any; no state.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace spprof {

template <int kBits, size_t kOctaves>
struct LogLinearBuckets {
  static constexpr size_t kPerOctave = size_t{1} << kBits;
  static constexpr size_t kCount = kOctaves * kPerOctave;

  // Values beyond the last bucket are in it.
  static size_t Of(uint64_t value) {
    if (value < kPerOctave) return value;
    const int shift = std::bit_width(value) - kBits - 1;  // keeps the leading one and kBits bits
    const size_t bucket = static_cast<size_t>(shift) * kPerOctave + (value >> shift);
    return bucket < kCount ? bucket : kCount - 1;
  }
  static uint64_t LowerEndOf(size_t bucket) {
    if (bucket < 2 * kPerOctave) return bucket;
    return (kPerOctave + bucket % kPerOctave) << (bucket / kPerOctave - 1);
  }
  static uint64_t UpperEndOf(size_t bucket) { return LowerEndOf(bucket + 1) - 1; }
};

}  // namespace spprof
