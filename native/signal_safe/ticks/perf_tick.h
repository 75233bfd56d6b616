// The engine perf. Two things send signals, and both come only while the thread is on the CPU, so
// that none wakes a sleeping thread, and none tells where a thread has waited for a CPU:
//
// - an event of the kernel's task clock, each time the thread has used an interval, if that time
//   ends in the program's own code (platform/perf_event.h): its sample stands for an interval;
// - a timer on the thread's CPU clock, at the kernel's tick, for the time in the kernel. Only ticks
//   whose signal comes at the end of a system call count, and each stands for a tick, or for all
//   that no event has counted since the last one, if the call was longer.
//
// The CPU clock, which is read at the kernel's ticks and now and then at an event, says how much
// time no event has counted. Where system calls have been given more than that, it was theirs, and
// what is left over is shared out slowly, so that nobody pays who happens to come after a call.
// Else it was what the program's own code does in the kernel (page faults), and the next samples
// pay it.
//
// Context: signal, on the sampled thread.
#pragma once

#include "signal_safe/ticks/tick.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof {

Tick BeginPerfTick(const TickContext& context, TickState* state, TickSource source,
                   uint64_t interval_ns, bool is_rearmed, const ucontext_t& ucontext);

}  // namespace spprof
