#include "profile/recording.h"

#include <algorithm>

namespace spprof {

const char* NameOf(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kMain:
      return "main";
    case ThreadKind::kWorker:
      return "worker";
    case ThreadKind::kNative:
      return "native";
  }
  return "native";
}

const char* NameOf(FrameKind kind) {
  switch (kind) {
    case FrameKind::kJs:
      return "js";
    case FrameKind::kNative:
      return "native";
    case FrameKind::kBuiltin:
      return "builtin";
    case FrameKind::kGc:
      return "gc";
    case FrameKind::kTruncated:
      return "truncated";
    case FrameKind::kUnknownJs:
      return "unknown-js";
  }
  return "native";
}

const char* NameOf(FrameTier tier) {
  switch (tier) {
    case FrameTier::kNone:
      return "";
    case FrameTier::kInterpreted:
      return "interpreted";
    case FrameTier::kBaseline:
      return "baseline";
    case FrameTier::kMaglev:
      return "maglev";
    case FrameTier::kTurbofan:
      return "turbofan";
    case FrameTier::kOptimized:
      return "optimized";
  }
  return "";
}

const char* NameOf(TimerEngine engine) {
  switch (engine) {
    case TimerEngine::kTick:
      return "tick";
    case TimerEngine::kHires:
      return "hires";
    case TimerEngine::kPerf:
      return "perf";
    case TimerEngine::kItimer:
      return "itimer";
  }
  return "";
}

const char* ClockOf(TimerEngine engine) {
  switch (engine) {
    case TimerEngine::kTick:
      return "thread-cpu";
    case TimerEngine::kHires:
      return "monotonic";
    case TimerEngine::kPerf:
      return "task-clock";
    case TimerEngine::kItimer:
      return "process-cpu";
  }
  return "";
}

void Derive(RecordingStats* stats) {
  if (stats->interval_ns != 0) stats->rate_asked = 1e9 / static_cast<double>(stats->interval_ns);
  const auto cpu_ns =
      static_cast<double>(stats->cpu_ns - std::min(stats->cpu_ns, stats->paused_cpu_ns));
  if (stats->sampled_cpu_ns != 0) {
    const uint64_t samples = stats->drained - std::min(stats->drained, stats->probes);
    stats->rate_achieved =
        static_cast<double>(samples) * 1e9 / static_cast<double>(stats->sampled_cpu_ns);
  }
  if (stats->cpu_ns != 0) {
    stats->drain_percent =
        static_cast<double>(stats->drain_cpu_ns) * 100 / static_cast<double>(stats->cpu_ns);
  }
  if (cpu_ns == 0) return;
  stats->handler_percent = static_cast<double>(stats->handler_ns.total) * 100 / cpu_ns;
  stats->delivery_percent = static_cast<double>(stats->signals * stats->delivery_ns) * 100 / cpu_ns;
}

}  // namespace spprof
