// The kernel's tick as CLOCK_MONOTONIC_COARSE shows it, the clock that is advanced there.
//
// Context: any thread.
#pragma once

#include <cstdint>

namespace spprof {

// How often it comes, nanoseconds; 0: not known (clock_getres(2)).
uint64_t KernelTickNs();

// When it comes: CLOCK_MONOTONIC where its interrupt begins, modulo KernelTickNs(); kUnknownPhase
// (base/kernel_tick.h) if it could not be seen. Watches the clock until it moves, on the CPU: half
// a tick on average, eight at most.
uint64_t FindTickPhaseNs();

}  // namespace spprof
