// The SIGPROF handler: from a timer's signal to records in the thread's lanes.
//
// Context: signal. Touches only the HandlerContext, the thread's slot, its ThreadState, and what
// the walker reads. Saves nothing that it does not change: errno is never touched. Each signal for
// a live slot ends in exactly one of `written` and `dropped[reason]`.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>

#include "signal_safe/handler_context.h"
#include "signal_safe/timer_value.h"

namespace spprof {

// The context that the handler uses; null: our signals are ignored.
void SetHandlerContext(HandlerContext* context);
// Whether no handler that began before the caller's last store (seq_cst:
// SetHandlerContext(nullptr), or that samples are not accepted) is still at work: in all, or for
// `slot`.
//
// clang-format off
// | word        | writer  | reader  | order   | what for                                                               |
// | g_context   | control | handler | seq_cst | Dekker: a handler counts itself, then loads the context; control clears |
// | g_in_flight | handler | control | seq_cst | the context, then looks at the counts: one of the two sees the other    |
// clang-format on
bool AreHandlersQuiet();
bool IsHandlerQuiet(uint32_t slot);
// Waits for it. False: `deadline_ns` (CLOCK_MONOTONIC) has passed first. A handler takes
// microseconds; but on a loaded machine its thread may lose the CPU in the middle of it, and get it
// back after a tenth of a second.
bool WaitForHandlers(uint64_t deadline_ns);
// Those that are at work now will not be waited for any more: one that was left for good (its
// thread has been stopped by a debugger, say) would keep every later recording from ending. All
// that they may use must live on.
void AbandonHandlers();

// A perf event of ours has this descriptor: late signals of it are not the program's. Never undone.
void NoteEventNumber(int fd);
// After a thread has gone: what its handlers wrote is visible to the caller. (It is anyway, since
// the kernel has ended the thread; but no rule of C++ says so.)
void SeeHandlersOf(uint32_t slot);
// In a forked child: the handlers that were at work in the parent's other threads are not here.
void ForgetHandlers();
// Where foreign signals go when there is no context: somebody may have put a handler over ours that
// still calls us.
void SetFormerAction(const struct sigaction& action);
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
