// The kernel's tick: when it looks at the timers of CPU clocks. It comes at multiples of its period
// on the monotonic clock, from a phase that is the machine's.
//
// Context: any, signal.
#pragma once

#include <cstdint>

namespace spprof {

inline constexpr uint64_t kUnknownPhase = UINT64_MAX;

// How long before `time_ns` (CLOCK_MONOTONIC) the last tick was; 0 if so little that a signal which
// it sent has not waited, or if that is not known.
constexpr uint64_t SinceTick(uint64_t time_ns, uint64_t tick_ns, uint64_t phase_ns) {
  if (tick_ns == 0 || phase_ns == kUnknownPhase) return 0;
  const uint64_t since = (time_ns + tick_ns - phase_ns) % tick_ns;
  // The interrupt takes a while, and those of other CPUs may come a little earlier.
  constexpr uint64_t kInterruptNs = 150'000;
  const bool is_at_tick =
      since < tick_ns / 16 || since < kInterruptNs || since >= tick_ns - tick_ns / 128;
  return is_at_tick ? 0 : since;
}

}  // namespace spprof
