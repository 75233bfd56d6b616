// Signals of the command `spprof` while a program runs: each that can be caught is passed on to
// the program. A handler does it, not the event loop: it knows who sent the signal (what a terminal
// sends reaches the program by itself), and Node.js listens for no real-time signal.
//
//   from whom                         what happens
//   kill(), sigqueue()                the program gets it, with its value
//   the terminal, program in our      nothing: it has gone to the whole group
//   group (SIGHUP: unless we lead
//   the session)
//   SIGTSTP                           as above, then this process stops; SIGCONT lets both go on
//   this process, by abort(), and     what was there before: a crash of ours stays a crash
//   by a fault of its own
//   SIGKILL, SIGSTOP                  cannot be caught; SIGTTIN, SIGTTOU stop this process alone
//
// It also notes how the program ends: Node.js has no name for a real-time signal, and calls that an
// exit with 0.
//
// Context: control thread; the handlers are async-signal-safe.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace spprof {

struct ProgramEnd {
  bool has_ended = false;
  int exit_code = 0;  // if `signal` is 0
  int signal = 0;
  int64_t cpu_ns = -1;  // of it and of the children that it has waited for; -1: not known
};

// Catches the signals. Those that come before RelaySignalsTo are kept for the program.
Status CatchSignals();
// After the program has been started, before the event loop runs again (it would take the status).
Status RelaySignalsTo(int32_t pid);
// How the program ended. From its end on signals are counted and go to nobody; the third SIGINT,
// SIGQUIT or SIGTERM from then on does what it would have done without us.
ProgramEnd RelayedProgramEnd();
// How often `signal` came to this process, the terminal's included.
uint32_t CaughtSignals(int signal);
// The former actions are back.
void ReleaseSignals();

}  // namespace spprof
