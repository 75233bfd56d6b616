// The engine hires: a timer on the monotonic clock, set by the handler (hires_timer.h). A tick
// counts when it meets the thread on the CPU, and the thread's CPU clock keeps the sum right.
//
//            a tick of the kernel's finds it awake
//   waiting ────────────────────────────────────▶ ticking
//      ▲   (CPU timer, one shot)                    │  ticks on the monotonic clock
//      └────────────────────────────────────────────┘
//            50 ms of ticks that did not count; on threads without JavaScript, two
//
// docs/decisions/0024 has the reasons and what was measured.
//
// Context: signal, on the sampled thread.
#pragma once

#include "signal_safe/ticks/tick.h"

namespace spprof {

struct HiresSignal {
  bool is_own;           // of the timer on the monotonic clock; false: of that on the CPU clock
  bool is_rearmed;       // timers have been set anew
  bool runs_javascript;  // the thread does
  uint64_t now_ns;
};

Tick BeginHiresTick(const TickContext& context, TickState* state, const HiresSignal& signal,
                    const ucontext_t& ucontext);

// Sets the next tick. The sample stands for what its handler has cost, too, which no other tick can
// meet: caches are cold at the beginning of a burst.
void EndHiresTick(const TickContext& context, TickState* state, Tick* tick);

}  // namespace spprof
