#include "platform/kernel_tick_clock.h"

#include <time.h>

#include "base/clock.h"
#include "base/kernel_tick.h"

namespace spprof {

uint64_t KernelTickNs() {
  constexpr int64_t kShortest = 500'000, kLongest = 20'000'000;  // HZ of 2,000 and of 50
  struct timespec tick {};
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0 || tick.tv_sec != 0) return 0;
  return tick.tv_nsec < kShortest || tick.tv_nsec > kLongest ? 0
                                                             : static_cast<uint64_t>(tick.tv_nsec);
}

// When its interrupt begins: between the two looks before the last, or the last two.
uint64_t FindTickPhaseNs() {
  const uint64_t tick_ns = KernelTickNs();
  if (tick_ns == 0) return kUnknownPhase;
  const uint64_t start_ns = ReadClock(CLOCK_MONOTONIC);  // first: no tick goes by unseen
  const uint64_t before = ReadClock(CLOCK_MONOTONIC_COARSE);
  uint64_t earlier_ns = start_ns, last_ns = start_ns;
  while (last_ns - start_ns < tick_ns + tick_ns / 4) {
    const bool has_moved = ReadClock(CLOCK_MONOTONIC_COARSE) != before;
    const uint64_t now_ns = ReadClock(CLOCK_MONOTONIC);
    if (now_ns - earlier_ns >= tick_ns / 16) break;
    if (has_moved) return earlier_ns % tick_ns;
    earlier_ns = last_ns;
    last_ns = now_ns;
  }
  return kUnknownPhase;
}

}  // namespace spprof
