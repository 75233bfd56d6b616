// What a timer's signal means: how much CPU time its sample stands for, and when the next one
// comes. One engine each way (docs/design/time-and-weights.md):
//
// - tick: a periodic timer on the thread's CPU clock, which rides on the kernel's tick: a sample at
//   every tick that meets the thread, or at as many as a longer interval asks for.
// - hires: a timer on the monotonic clock (signal_safe/ticks/hires_tick.h).
// - perf: the kernel's count of the thread's CPU time (perf_event_open), a signal every interval,
//   and a timer as that of tick for the time in the kernel (signal_safe/ticks/perf_tick.h);
// - itimer: one timer on the process's CPU time, at the kernel's tick, whose signal goes to a
//   thread that runs then.
//
// With tick and itimer a sample stands for what the thread's CPU clock has moved since the last
// one; how that is shared out: profile/sample_weights.h.
//
// Context: signal, on the sampled thread.
#pragma once

#include "signal_safe/ticks/tick.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof {

// `kernel_overruns`: siginfo's si_overrun.
Tick BeginTick(const TickContext& context, TickState* state, TickSource source, int kernel_overruns,
               bool runs_javascript, uint64_t now_ns, const ucontext_t& ucontext);

// After the sample has been taken.
void EndTick(const TickContext& context, TickState* state, Tick* tick);

}  // namespace spprof
