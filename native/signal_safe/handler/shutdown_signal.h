// The SIGINT and SIGTERM handler: notes the signal and wakes the end thread, which does all the
// rest (session/shutdown_manager.h). Installed by session/shutdown_signals.h.
//
//   first signal   shutdown is asked for, the watchdog is armed
//   second         nothing: the shutdown runs once
//   third within two seconds, or the watchdog: the former disposition is put back and the signal
//                  sent again, whatever the shutdown has come to
//
// Context: signal; SetShutdownSignalContext and WaitForShutdownSignals on the control side.
//
// clang-format off
// | word               | writer  | reader  | order                 | what for                                               |
// | g_context          | control | handler | seq_cst, with         | as in handler.h: a handler counts itself, then loads   |
// | g_in_flight        | handler | control | seq_cst               | the context; control clears it, then waits             |
// | signal             | handler | drain   | release / acquire     | who reads it has waited for the handlers, or polls     |
// | shutdown_requested | handler | drain   | H4 (region/layout.h)  |                                                        |
// clang-format on
#pragma once

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "region/sequence.h"
#include "signal_safe/machine/waker.h"

namespace spprof {

inline constexpr int kShutdownSignals[] = {SIGINT, SIGTERM};
inline constexpr size_t kShutdownSignalCount = std::size(kShutdownSignals);

struct ShutdownSignalContext {
  int32_t pid = 0;
  Waker* waker = nullptr;
  Word* shutdown_requested = nullptr;
  uint64_t watchdog_ns = 0;
  struct {
    struct sigaction previous {};
    int32_t watchdog = -1;  // kernel timer that sends this signal; -1: none
  } signals[kShutdownSignalCount];

  std::atomic<int32_t> signal{0};  // that came first; 0: none
  Word count{0};
  Sequence first_ns{0};
};

// What the watchdog's signal carries.
inline constexpr uint64_t kWatchdogValue = 0x53505057'41544348;  // "SPPWATCH"

void SetShutdownSignalContext(ShutdownSignalContext* context);
// After SetShutdownSignalContext(nullptr): returns when no handler uses the former one any more.
// False: `deadline_ns` (CLOCK_MONOTONIC) has passed first.
bool WaitForShutdownSignals(uint64_t deadline_ns);
// The former dispositions come back, where ours is still in place.
void RestoreShutdownSignals(const ShutdownSignalContext& context);
// In a forked child, which has no drain thread: it takes these signals as without us.
void ForgetShutdownSignals();

// The sa_sigaction function.
void HandleShutdownSignal(int signal, siginfo_t* info, void* ucontext);

}  // namespace spprof
