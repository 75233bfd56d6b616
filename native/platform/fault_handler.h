// The SIGSEGV and SIGBUS handler that lets guarded loads (signal_safe/machine/guarded_load.h) fail
// instead of crash, and replaces what is lost of our own mapped files
// (signal_safe/machine/lost_mapping.h). Every other fault goes to whoever was there before, with
// its context intact: Node's WebAssembly trap handler, a crash reporter, or the kernel's default.
//
// Context: control thread for install and uninstall; FaultHandlerIsInstalled() on any thread. The
// handler itself is async-signal-safe, uses no thread-local storage and no lock. It runs with every
// signal blocked, and the previous handler with the mask that it asked for: a handler of the
// program's that interrupts it could leave it for good, and a fault of its own, on a signal stack
// that is too small, would repeat without end.
#pragma once

#include "base/status.h"

namespace spprof {

// Installs the handler for both signals, remembering the previous actions. Does nothing if it has
// been installed and not uninstalled since, even if somebody has put a handler on top
// (FaultHandlerIsInstalled() tells).
Status InstallFaultHandler();

// Puts the previous actions back where ours is still the current one. Where another handler lies on
// top, which may call ours, ours stays and passes everything on.
void UninstallFaultHandler();

// Whether ours is the current action of both signals: two system calls.
bool FaultHandlerIsInstalled();

}  // namespace spprof
