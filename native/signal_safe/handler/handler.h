// The SIGPROF handler: from a timer's signal to records in the thread's lanes.
//
// Context: signal. Touches only the HandlerContext, the thread's slot, its ThreadState, and what
// the walker reads. Saves nothing that it does not change: errno is never touched. Each signal for
// a live slot ends in exactly one of `written` and `dropped[reason]`.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>

#include "signal_safe/handler/foreign_signals.h"
#include "signal_safe/handler/handler_context.h"
#include "signal_safe/handler/in_flight.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof {

// The context that the handler uses; null: our signals are ignored.
void SetHandlerContext(HandlerContext* context);
HandlerContext* GetHandlerContext();

// The sa_sigaction function.
void HandleProfilingSignal(int signal, siginfo_t* info, void* ucontext);

// The handler's work on one of our signals, apart from how it came: for benchmarks and tests too.
// `overruns` as in siginfo.
void TakeSample(HandlerContext* context, uint32_t slot, TickSource source, int overruns,
                const ucontext_t& ucontext);

// V8's garbage-collection callbacks on the thread of `slot`; see WalkOptions::heap_is_moving.
void OnGcBegin(HandlerContext* context, uint32_t slot, bool is_young_only,
               const ucontext_t& ucontext);
void OnGcEnd(HandlerContext* context, uint32_t slot);

}  // namespace spprof
