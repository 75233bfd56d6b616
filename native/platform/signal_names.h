// Signals by name: those that a recording may use, and what messages call them.
//
// Context: control thread.
#pragma once

#include <string>

namespace spprof {

// One that nobody in this process has a handler for: a real-time signal, SIGPROF if there is none
// left.
int FreeSignal();
// The same for perf events: where a real-time signal of theirs cannot be queued, the kernel sends
// SIGIO, which would end the process. SIGURG, which a program that has no handler for it ignores:
// one that is on its way when another program is executed does no harm. SIGPROF, if that is taken.
int FreeStandardSignal();
// `SIGUSR2`, `SIGRTMIN+3`; 0: not one that can be used.
int SignalByName(const std::string& name);
std::string SignalName(int signal);

}  // namespace spprof
