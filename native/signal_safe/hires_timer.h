// When the next tick of hires comes.
//
// Waits are memoryless (exponential), so that no tick knows of the one before: work that is set off
// by a timer, or by our own signal when that ends a wait early, is met at every point alike
// (docs/decisions/0012).
//
// Of a thread that has not left the CPU for some time ticks come in series: a few of them an
// interval apart, of which only the first is set, at random. Each interval has one tick, anywhere
// in it, so here too all work is met alike, for a quarter of the system calls
// (docs/decisions/0025).
//
// Context: signal, on the sampled thread.
#pragma once

#include "signal_safe/tick.h"

namespace spprof {

// A tick that comes so late found the thread off the CPU, ready or blocked, or in the kernel, which
// gives signals on its way out (of clearing pages, or of a long system call).
inline constexpr uint64_t kLateNs = 100'000;

// After `tick`, of which the handler has taken `handler_ns` by now. No nearer than that: however
// slow the handler is, and however short the interval, the program gets as much time as we do.
void SetNextTick(const HandlerContext& context, ThreadState* state, const Tick& tick,
                 uint64_t now_ns, uint64_t handler_ns);

// As it was set before, in case that the timer has been disarmed by the tick.
void RepeatNextTick(const HandlerContext& context, const ThreadState& state);

// The timer is not set again, but that on the thread's CPU clock.
void LeaveToKernelsTick(const HandlerContext& context, const ThreadState& state);

}  // namespace spprof
