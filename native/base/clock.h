// The clocks of clock_gettime(2) in nanoseconds. It is async-signal-safe (POSIX.1-2008).
//
// Context: any, signal.
#pragma once

#include <time.h>

#include <cstdint>

namespace spprof {

inline uint64_t ToNs(const struct timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// 0: there is no such clock (that of a thread which has gone).
inline uint64_t ReadClock(clockid_t clock) {
  struct timespec now {};
  clock_gettime(clock, &now);
  return ToNs(now);
}

}  // namespace spprof
