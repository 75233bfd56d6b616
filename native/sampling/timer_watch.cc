#include "sampling/timer_watch.h"

#include <algorithm>

#include "platform/posix_timer.h"

namespace spprof {

namespace {

// Of hires: several of the kernel's ticks, 10 ms at the longest (HZ=100), which the CPU clock's
// timers wait for. Whoever is set again needlessly loses nothing: the thread's CPU clock says what
// the next sample stands for.
constexpr uint64_t kHiresPatienceNs = 30'000'000;
// Of those that the kernel's tick carries: on a contended core the kernel's ticks may pass a thread
// by for 40 ms of its CPU time, and a timer that is set again forgets what it has counted
// meanwhile.
constexpr uint64_t kTickPatienceNs = 1'000'000'000;
constexpr uint64_t kPatienceIntervals = 4;

}  // namespace

TimerWatch::TimerWatch(TimerEngine engine, uint64_t interval_ns)
    : shortest_patience_ns_(engine == TimerEngine::kHires ? kHiresPatienceNs : kTickPatienceNs) {
  SetInterval(interval_ns);
}

void TimerWatch::SetInterval(uint64_t interval_ns) {
  patience_ns_ = std::max(shortest_patience_ns_, kPatienceIntervals * interval_ns);
}

bool TimerWatch::HasLostTicks(uint32_t slot, const ThreadLaneSet& lanes) {
  if (slot >= seen_.size()) seen_.resize(slot + 1);
  Seen& seen = seen_[slot];
  const uint32_t generation = lanes.generation.load(std::memory_order_relaxed);
  const uint64_t signals = lanes.counters.signals.load(std::memory_order_relaxed);
  if (seen.generation != generation || seen.signals != signals) {
    seen = {generation, signals, 0};
    return false;
  }
  const uint64_t cpu_ns = ThreadCpuOf(static_cast<pid_t>(lanes.tid));
  if (seen.cpu_ns == 0) seen.cpu_ns = cpu_ns;
  if (cpu_ns - std::min(seen.cpu_ns, cpu_ns) < patience_ns_) return false;
  seen.cpu_ns = cpu_ns;
  return true;
}

}  // namespace spprof
