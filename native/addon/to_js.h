// From the core's structures to the JavaScript objects of binding.d.ts.
// Context: JavaScript thread.
#pragma once

#include <napi.h>

#include "profile/live_decoder.h"
#include "profile/recording.h"
#include "session/profiler.h"

namespace spprof {

// The error of a failed Status, with its code, and syscall and errno where there are any.
Napi::Error ToError(Napi::Env env, const Status& status);
Napi::Object ToJs(Napi::Env env, const ProfilerStats& stats);
Napi::Object ToJs(Napi::Env env, const Recording& recording);
Napi::Object ToJs(Napi::Env env, const LiveBatch& batch);

}  // namespace spprof
