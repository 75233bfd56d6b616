// Random numbers in the handler.
//
// Context: any, signal.
#pragma once

#include <cstdint>

namespace spprof {

// xorshift64 (Marsaglia 2003). `state` is never 0, nor is the result.
inline uint64_t NextRandom(uint64_t* state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

// The natural logarithm of 1 + x for 0 <= x <= 1, to 1e-5 (Abramowitz and Stegun, 4.1.43).
inline double LogOnePlus(double x) {
  return x *
         (0.99949556 + x * (-0.49190896 + x * (0.28947478 + x * (-0.13606275 + x * 0.03215845))));
}

// An exponentially distributed time: -mean * ln(u), with u uniform in (0, 1).
inline uint64_t NextWait(uint64_t* state, uint64_t mean_ns) {
  constexpr double kLog2 = 0.6931471805599453;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  const uint64_t random = NextRandom(state);
  const int zeros = __builtin_clzll(random);
  const double mantissa = static_cast<double>((random << zeros) & INT64_MAX) / kTwoTo63;
  const double minus_log = (zeros + 1) * kLog2 - LogOnePlus(mantissa);
  return static_cast<uint64_t>(minus_log * static_cast<double>(mean_ns));
}

}  // namespace spprof
