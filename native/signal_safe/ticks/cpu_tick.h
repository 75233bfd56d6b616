// Ticks whose samples stand for what the thread's CPU clock has moved since the last one, and what
// they mean: of the engines tick (BeginCpuTick) and itimer (BeginCountedTick).
//
// Context: signal, on the sampled thread.
#pragma once

#include "signal_safe/ticks/tick.h"

namespace spprof {

// The timer's own count, which needs no system call: that of the CPU clock takes 8 us where the
// kernel's caches are cold, a fifth of such a tick. But what has been used before the timer was
// set, and was not noticed by then, only the clock knows.
Tick BeginCpuTick(const TickContext& context, TickState* state, int kernel_overruns,
                  uint64_t interval_ns, bool is_rearmed);

// Signals that are merged on their way, or that the kernel does not count, are in the CPU clock. A
// thread that has been woken (nobody else could take the process's signal) has not worked: what it
// is charged for waking up is the next sample's.
Tick BeginCountedTick(const TickContext& context, TickState* state, uint64_t interval_ns,
                      const ucontext_t& ucontext);

}  // namespace spprof
