// The functions of binding.d.ts that time blocks. Starts and stops are raw Node-API callbacks: half
// of what a call costs would otherwise be its wrapping.
//
// Context: JavaScript threads.
#pragma once

#include <napi.h>

namespace spprof {

void AddBlockFunctions(Napi::Env env, Napi::Object exports);

}  // namespace spprof
