// When the next ticks of hires come.
//
// Waits are memoryless (exponential), so that no tick knows of the one before: work that is set off
// by a timer, or by our own signal when that ends a wait early, is met at every point alike
// (docs/decisions/0012).
//
// Two timers take turns, so that the tick after the next is always set, too. The kernel then finds
// the next one when a timer expires, and need not program the clock's hardware a second time when
// the handler sets a timer (docs/decisions/0025).
//
// Context: signal, on the sampled thread.
#pragma once

#include "signal_safe/ticks/tick.h"

namespace spprof {

// A tick that comes so late found the thread off the CPU, ready or blocked, or in the kernel, which
// gives signals on its way out (of clearing pages, or of a long system call).
inline constexpr uint64_t kLateNs = 100'000;

// After `tick`, of which the handler has taken `handler_ns` by now. No nearer than that: however
// slow the handler is, and however short the interval, the program gets as much time as we do.
void SetNextTicks(const TickContext& context, TickState* state, const Tick& tick, uint64_t now_ns,
                  uint64_t handler_ns);

// As they were set before, in case that the timer has been disarmed by the tick.
void RepeatNextTicks(const TickContext& context, const TickState& state);

// No tick more, but of the timer on the thread's CPU clock.
void LeaveToKernelsTick(const TickContext& context, TickState* state);

}  // namespace spprof
