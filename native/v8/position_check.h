// Self-test of source positions (docs/design/v8-internals.md): the script that calls
// binding.start() is on the stack, and what its position table says of the call must be where
// `start(` stands in its source.
//
// Context: control thread, once, called from JavaScript; reads the own stack and V8's heap through
// guarded loads, so the fault handler must be installed.
#pragma once

#include <string>
#include <vector>

#include "signal_safe/v8_heap/v8_layout.h"

namespace spprof {

// Keeps in `v8` what has been seen to be right, or what a tested version has where no interpreted
// frame is found to try it on; else takes lines out of it, with a warning.
void CheckPositions(V8Layout* v8, std::vector<std::string>* warnings);

}  // namespace spprof
