// The process's timer on its own CPU time: setitimer(ITIMER_PROF) of POSIX, which sends SIGPROF to
// the process. There is one; not inherited by a child.
//
// Context: control thread.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace spprof {

// Whether somebody uses it.
bool IsIntervalTimerSet();
// Microseconds at the finest. 0 stops it.
Status SetIntervalTimer(uint64_t interval_ns);

}  // namespace spprof
