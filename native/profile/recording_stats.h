// Statistics of a recording: from the counters that the drain wrote, and from the samples where
// there are none (the process was killed) or where the samples know more (what was published after
// the last counters). Context: any thread.
#pragma once

#include <cstdint>

#include "profile/recorded_log.h"
#include "profile/recording.h"

namespace spprof {

// `log_bytes`: stands in for the counter `bytes`.
RecordingStats MakeStats(const RecordedLog& log, uint64_t log_bytes);

}  // namespace spprof
