// The clock of blocks: the processor's time-stamp counter where it runs at one rate on all cores
// and the kernel itself goes by it, else CLOCK_MONOTONIC. A reading costs half as much as
// clock_gettime. Ticks become nanoseconds only when results are asked for, by what both clocks have
// advanced since the first use; so nothing has to be calibrated in advance.
//
// Context: any thread, after Prepare on some thread that it was synchronized with.
#pragma once

#include <cstdint>

#include "base/clock.h"
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace spprof {

class TickClock {
 public:
  // Chooses the clock, once. Idempotent; one caller at a time.
  static void Prepare();
  static bool IsCounter() { return is_counter_; }
  // Not ordered with the instructions around it, by some tens of cycles.
  static uint64_t Now() {
#if defined(__x86_64__)
    if (is_counter_) return __rdtsc();
#elif defined(__aarch64__)
    if (is_counter_) {
      uint64_t ticks;
      asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
      return ticks;
    }
#endif
    return ReadClock(CLOCK_MONOTONIC);
  }
  // The reading when Prepare was called.
  static uint64_t Base() { return base_ticks_; }
  // Waits until two milliseconds have passed since Prepare: then it is exact to 0.01 %.
  static double NsPerTick();

 private:
  static bool is_counter_;
  static uint64_t base_ticks_;
  static uint64_t base_ns_;
};

}  // namespace spprof
