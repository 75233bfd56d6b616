// A JavaScript function that is told of the running recording: LiveStream's listener, by way of a
// thread-safe function.
//
// Context: a JavaScript thread. Ends by itself with the recording, with close(), or with its
// environment, whichever comes first.
#pragma once

#include <napi.h>

namespace spprof {

// subscribe(wantsSamples, tell): see binding.d.ts.
Napi::Value Subscribe(const Napi::CallbackInfo& info);

}  // namespace spprof
