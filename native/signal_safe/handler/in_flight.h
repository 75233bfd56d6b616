// Which handlers are at work now: what the control side waits for before it takes away what they
// use.
//
// Context: signal (InFlightOf) | control thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cache_line.h"
#include "region/sequence.h"

namespace spprof {

// Handlers that run now, spread over lines so that threads on many cores do not meet.
constexpr size_t kInFlightShards = 32;
struct alignas(kCacheLine) InFlight {
  Word count{0};
};
inline constinit InFlight g_in_flight[kInFlightShards];

// The handler's count, of a signal for `slot`.
inline Word& InFlightOf(uint32_t slot) { return g_in_flight[slot % kInFlightShards].count; }

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
// After a thread has gone: what its handlers wrote is visible to the caller. (It is anyway, since
// the kernel has ended the thread; but no rule of C++ says so.)
void SeeHandlersOf(uint32_t slot);
// In a forked child: the handlers that were at work in the parent's other threads are not here.
void ForgetHandlers();

}  // namespace spprof
