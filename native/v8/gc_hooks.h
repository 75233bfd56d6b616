// Announces garbage collections of this process's isolates to the handler
// (docs/design/v8-internals.md 4): V8 calls us before and after a collection, on the isolate's own
// thread.
//
// Install and Remove: on the isolate's thread. Attach and Detach: control thread; Detach returns
// when no callback uses the context any more.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "signal_safe/handler/handler.h"

namespace spprof {

// Registers callbacks with the current thread's isolate, once. False: no isolate here, or this V8
// does not export what is needed.
bool InstallGcHook();
// Before the isolate goes. Does nothing when there is no hook.
void RemoveGcHook();

// From now on the hook of thread `tid`, if it has one, reports to `context` for `slot`. The thread
// must not be sampled yet, or be the calling one.
void AttachGcHook(pid_t tid, HandlerContext* context, uint32_t slot);
// No hook reports to `context` any more.
void DetachGcHooks(HandlerContext* context);

}  // namespace spprof
