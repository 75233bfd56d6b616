// Signals by name: those that a recording may use, and what messages call them.
//
// Context: control thread.
#pragma once

#include <string>

namespace spprof {

// One that nobody in this process has a handler for: a real-time signal, SIGPROF if there is none
// left.
int FreeSignal();
// `SIGUSR2`, `SIGRTMIN+3`; 0: not one that can be used.
int SignalByName(const std::string& name);
std::string SignalName(int signal);

}  // namespace spprof
