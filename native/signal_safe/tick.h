// What a timer's signal means: how much CPU time its sample stands for, and when the next one
// comes. One engine each way (DESIGN D6):
//
// - tick: a periodic timer on the thread's CPU clock, which rides on the kernel's tick: a sample at
//   every tick that meets the thread, or at as many as a longer interval asks for.
// - hires: a one-shot timer on the monotonic clock, set again by the handler; a tick counts when it
//   meets the thread on the CPU, and the thread's CPU clock keeps the sum right.
//
//            a tick of the kernel's finds it awake
//   waiting ────────────────────────────────────▶ ticking
//      ▲   (CPU timer, one shot)                    │  ticks on the monotonic clock
//      └────────────────────────────────────────────┘
//            50 ms of ticks that did not count; on threads without JavaScript, two
//
// - perf: the kernel's count of the thread's CPU time (perf_event_open), a signal every interval;
// - itimer: one timer on the process's CPU time, at the kernel's tick, whose signal goes to a
//   thread that runs then.
//
// But for hires, a sample stands for what the thread's CPU clock has moved since the last one;
// how that of tick and itimer is shared out: profile/sample_weights.h.
//
// Context: signal, on the sampled thread.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "signal_safe/handler_context.h"
#include "signal_safe/timer_value.h"

namespace spprof {

struct Tick {
  uint64_t cpu_ns = 0;    // that the sample stands for; 0: there is none
  bool is_due = true;     // false: not at this tick
  uint32_t overruns = 0;  // ticks that should have come before this one
  bool is_last = false;   // hires: the thread sleeps; its CPU clock wakes us again
  bool is_probe = false;  // no time: the drain asks for the stack
  uint64_t begin_ns = 0;  // when it began, on the monotonic clock
  // And on the thread's, as CountedCpuNs; hires: at most; tick: to some 10 us.
  uint64_t begin_cpu_ns = 0;
};

// CPU time of the calling thread, without that in pauses.
uint64_t CountedCpuNs(const ThreadState& state);

// `kernel_overruns`: siginfo's si_overrun.
Tick BeginTick(const HandlerContext& context, ThreadState* state, TickSource source,
               int kernel_overruns, bool runs_javascript, uint64_t now_ns,
               const ucontext_t& ucontext);

// What the tick has cost the thread so far. Not the time that others had the CPU meanwhile: what
// has been preempted takes milliseconds, and is no reason to sample less.
uint64_t CostNs(const ThreadState& state, const Tick& tick);

// After the sample has been taken. It stands for what the handler has cost, too, which no other
// tick can meet: caches are cold at the beginning of a burst. Sets the next hires tick, no nearer
// than the handler took: however slow the handler is, and however short the interval, the program
// gets as much time as we do.
void EndTick(const HandlerContext& context, ThreadState* state, Tick* tick);

}  // namespace spprof
