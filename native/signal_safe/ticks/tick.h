// A signal of a timer's, and what all engines ask about it.
//
// Context: signal, on the sampled thread.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "signal_safe/ticks/tick_context.h"

namespace spprof {

struct Tick {
  uint64_t cpu_ns = 0;      // that the sample stands for; 0: there is none
  bool is_due = true;       // false: not at this tick
  uint32_t overruns = 0;    // ticks that should have come before this one
  bool is_last = false;     // hires: the thread sleeps; its CPU clock wakes us again
  bool keeps_next = false;  // hires: the one after it comes as it was set
  bool is_stale = false;    // hires: of a timer that has been set anew since
  uint64_t begin_ns = 0;    // when it began, on the monotonic clock
  // And on the thread's, as CountedCpuNs; hires: at most; tick: to some 10 us.
  uint64_t begin_cpu_ns = 0;
};

// CPU time of the calling thread, without that in pauses.
uint64_t CountedCpuNs(const TickState& state);

// What the tick has cost the thread so far. Not the time that others had the CPU meanwhile: what
// has been preempted takes milliseconds, and is no reason to sample less.
uint64_t CostNs(const TickState& state, const Tick& tick);

// Whether the interval is longer than the kernel's tick.
bool IsThinned(const TickContext& context, uint64_t interval_ns);

// Of the kernel's ticks, as many as the interval asks for, at random. Not the first one after so
// much CPU time: little has passed since the last tick where a burst of work begins, and what runs
// there would seldom be seen.
bool IsDue(const TickContext& context, TickState* state, uint64_t interval_ns);

// What a tick of the kernel's stands for that stands for `ns` by itself: of ticks that are taken at
// random, one stands for those that are not.
uint64_t ForAllTicks(const TickContext& context, uint64_t ns, uint64_t interval_ns);

// Whether the signal came at the end of a system call.
bool EndsSystemCall(const ucontext_t& ucontext);

// Whether the signal woke the thread out of a system call: the kernel then returns -EINTR, or backs
// up to make the call again.
bool WasBlocked(const ucontext_t& ucontext);

}  // namespace spprof
