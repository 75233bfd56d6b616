// Where an isolate keeps V8's state (collecting, running JavaScript, ...): two words behind the
// stack pointer with which JavaScript was entered (docs/design/v8-internals.md 2.2). That word can
// be told from all others of the isolate: it is the frame pointer of an entry frame of this
// thread's own stack.
//
// Context: control thread, once, called from JavaScript; guarded loads, so the fault handler must
// be installed.
#pragma once

#include <cstdint>

#include "signal_safe/v8_heap/v8_layout.h"

namespace spprof {

// The offset of the state within `isolate`, the current one; `frames` has the markers of entry
// frames. 0: it cannot be told.
uint32_t FindVmState(uintptr_t isolate, const V8Layout& frames);

}  // namespace spprof
