#include "profile/recording_stats.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "platform/signal_names.h"

namespace spprof {
namespace {

// What the samples themselves tell.
struct Totals {
  uint64_t samples = 0;
  uint64_t overruns = 0;
  uint64_t cpu_ns = 0;
  uint64_t truncated = 0;
  uint64_t incomplete = 0;
  HandlerTimes handler_ns;
};

Totals TotalsOf(const RecordedLog& log) {
  Totals totals;
  std::vector<uint32_t> durations;
  for (const auto& thread : log.threads()) {
    for (const SampleRecord& sample : thread->samples) {
      if ((sample.state & kStateOffCpu) != 0) continue;
      totals.overruns += sample.overruns;
      totals.cpu_ns += sample.cpu_ns;
      if ((sample.state & kStateTruncated) != 0) ++totals.truncated;
      if ((sample.state & kStateIncomplete) != 0) ++totals.incomplete;
      totals.handler_ns.total += sample.handler_ns;
      durations.push_back(sample.handler_ns);
    }
  }
  const FoldedSamples& folded = log.folded();
  totals.samples = durations.size() + folded.samples + log.probes();
  if (durations.empty()) return totals;
  // Nearest rank.
  const auto percentile = [&](size_t percent) -> uint64_t {
    const size_t rank = (durations.size() * percent + 99) / 100;
    const auto at = durations.begin() + static_cast<std::ptrdiff_t>(rank == 0 ? 0 : rank - 1);
    std::nth_element(durations.begin(), at, durations.end());
    return *at;
  };
  totals.handler_ns.p50 = percentile(50);
  totals.handler_ns.p99 = percentile(99);
  totals.handler_ns.max = std::max(percentile(100), folded.handler_max_ns);
  totals.handler_ns.total += folded.handler_total_ns;
  totals.handler_ns.mean = totals.handler_ns.total / totals.samples;
  totals.truncated += folded.truncated;
  totals.incomplete += folded.incomplete;
  return totals;
}

// What ShutdownManager's report has left in the log.
RecordingShutdown ShutdownOf(const RecordedLog& log) {
  RecordingShutdown shutdown;
  constexpr std::string_view kReason = "shutdown.reason.", kPhase = "shutdown.phase.";
  for (const auto& [name, value] : log.counters()) {
    if (name.compare(0, kReason.size(), kReason) == 0)
      shutdown.reason = name.substr(kReason.size());
    if (name == "shutdown.total_ns") shutdown.total_ns = value;
    if (name == "shutdown.wait_ns") shutdown.wait_ns = value;
  }
  for (const std::string& name : log.counter_order()) {
    if (name.compare(0, kPhase.size(), kPhase) != 0) continue;
    const std::string phase = name.substr(kPhase.size());
    shutdown.phases.push_back(
        {phase, log.counters().at(name), log.counters().count("shutdown.cut_short." + phase) != 0});
  }
  return shutdown;
}

}  // namespace

RecordingStats MakeStats(const RecordedLog& log, uint64_t log_bytes) {
  constexpr std::string_view kDropped = "dropped.";
  constexpr std::string_view kWarning = "warning.";
  RecordingStats stats;
  uint64_t dropped = 0;
  for (const auto& [name, value] : log.counters()) {
    if (name.compare(0, kDropped.size(), kDropped) == 0) {
      stats.dropped[name.substr(kDropped.size())] = value;
      dropped += value;
    } else if (name.compare(0, kWarning.size(), kWarning) == 0) {
      stats.warnings.push_back(name.substr(kWarning.size()));
    }
  }
  stats.shutdown = ShutdownOf(log);
  const Totals totals = TotalsOf(log);
  const auto counter = [&](const char* name, uint64_t otherwise) {
    const auto found = log.counters().find(name);
    return found == log.counters().end() ? otherwise : found->second;
  };
  // The last counters of a process that was killed are older than its last samples.
  const auto at_least = [&](const char* name, uint64_t floor) {
    return log.end_ns().has_value() ? counter(name, floor) : std::max(counter(name, floor), floor);
  };
  stats.written = at_least("written", totals.samples);
  stats.drained = at_least("drained", totals.samples);
  stats.signals = at_least("signals", stats.written + dropped);
  stats.overruns = at_least("overruns", totals.overruns);
  stats.truncated = totals.truncated;
  stats.incomplete = totals.incomplete;
  stats.threads_live = counter("threads_live", 0);
  stats.threads_seen = at_least("threads_seen", log.threads().size());
  stats.threads_refused = counter("threads_refused", 0);
  stats.handler_ns.p50 = counter("handler_ns_p50", totals.handler_ns.p50);
  stats.handler_ns.p99 = counter("handler_ns_p99", totals.handler_ns.p99);
  stats.handler_ns.max = at_least("handler_ns_max", totals.handler_ns.max);
  // They are bounds of a histogram's classes, which may lie above the longest of all.
  stats.handler_ns.p50 = std::min(stats.handler_ns.p50, stats.handler_ns.max);
  stats.handler_ns.p99 = std::min(stats.handler_ns.p99, stats.handler_ns.max);
  stats.handler_ns.mean = counter("handler_ns_mean", totals.handler_ns.mean);
  stats.handler_ns.total = at_least("handler_ns_total", totals.handler_ns.total);
  stats.folded = log.folded().samples;
  stats.cpu_ns = at_least("cpu_ns", totals.cpu_ns);
  stats.probes = log.probes();
  stats.sampled_cpu_ns = at_least("sampled_cpu_ns", totals.cpu_ns);
  stats.drain_cpu_ns = counter("drain_cpu_ns", 0);
  if (log.session().has_value()) {
    stats.interval_ns = counter("interval_ns", log.session()->interval_ns);
    stats.clock = ClockOf(static_cast<TimerEngine>(log.session()->timer));
  }
  if (const auto signal = static_cast<int>(counter("signal", 0)); signal != 0)
    stats.signal = SignalName(signal);
  stats.paused_ns = counter("paused_ns", 0);
  stats.paused_cpu_ns = counter("paused_cpu_ns", 0);
  stats.delivery_ns = counter("delivery_ns", 0);
  Derive(&stats);
  stats.bytes = at_least("bytes", log_bytes);
  stats.drain_lag_ns = counter("drain_lag_ns", 0);
  if (const uint64_t lost = log.LostBytes(); lost > 0) {
    stats.warnings.push_back(std::to_string(lost) +
                             " bytes of samples and stacks are missing from the log");
  }
  if (const uint64_t lost = counter("lost_marks", 0); lost > 0)
    stats.warnings.push_back(std::to_string(lost) + " marks came too fast to be written");
  if (log.bad_records() > 0) {
    stats.warnings.push_back(std::to_string(log.bad_records()) + " damaged records were left out");
  }
  return stats;
}

}  // namespace spprof
