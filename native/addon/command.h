// The functions of binding.d.ts that the command `spprof` needs of the system, and Node.js does not
// give. Context: main thread of the command.
#pragma once

#include <napi.h>

namespace spprof {

void AddCommandFunctions(Napi::Env env, Napi::Object exports);

}  // namespace spprof
