// Signals that are not ours, although they have the number of ours: whose they are, and what would
// have happened to them without us.
//
// Context: signal, except where a function says otherwise.
#pragma once

#include <signal.h>

#include <cstdint>

namespace spprof {

// The kernel had no room for the signal's details (RLIMIT_SIGPENDING, which all processes of a user
// share) and says nothing but its number: it may be the interval timer's or an event's.
bool IsWithoutDetails(const siginfo_t& info);

// Whether a perf event of ours has sent the signal: it may be taken when the event has gone, by a
// thread that had it on its way.
bool IsOfEvent(const siginfo_t& info);
// A perf event of ours has this descriptor: late signals of it are not the program's. Never undone.
void NoteEventNumber(int fd);

// Where foreign signals go when there is no recording: another handler may lie over ours and still
// call us. Control thread.
void SetFormerAction(const struct sigaction& action);
struct sigaction FormerAction();

// A handler of the program's, under the mask that it has asked for. Returning from ours restores
// the mask of the interrupted code, as returning from its own would have.
void ForwardSignal(const struct sigaction& previous, int signal, siginfo_t* info, void* ucontext);

}  // namespace spprof
