// The kernel's tick as CLOCK_MONOTONIC_COARSE shows it, the clock that is advanced there.
//
// Context: any thread.
#pragma once

#include <cstdint>

namespace spprof {

// How often it comes, nanoseconds; 0: not known (clock_getres(2)).
uint64_t KernelTickNs();

// When it comes: CLOCK_MONOTONIC where its interrupt begins, modulo KernelTickNs(). Watches the
// clock until it moves, on the CPU: half a tick on average. kUnknownPhase (base/kernel_tick.h) if
// the tick is not known, or as soon as the thread is kept from looking.
uint64_t FindTickPhaseNs();

}  // namespace spprof
