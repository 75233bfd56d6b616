#include "sampling/mask_watch.h"

#include <algorithm>

#include "platform/posix_timer.h"

namespace spprof {

namespace {

constexpr uint32_t kTimesForGood = 3;

}  // namespace

bool MaskWatch::IsDoubtful(const Seen& seen) const {
  return !seen.has_run || (seen.times_blocking > 0 && seen.times_blocking < kTimesForGood);
}

bool MaskWatch::IsDue(uint32_t slot, const ThreadLaneSet& lanes) {
  // A look costs some 20 us. On a contended core a thread may go without a tick for longer, and is
  // looked at in vain.
  constexpr uint64_t kPatienceNs = 10'000'000;
  if (slot >= seen_.size()) seen_.resize(slot + 1);
  Seen& seen = seen_[slot];
  const uint32_t generation = lanes.generation.load(std::memory_order_relaxed);
  const uint64_t signals = lanes.counters.signals.load(std::memory_order_relaxed);
  if (seen.generation == generation && seen.signals != signals) {
    seen = {generation, 0, true, signals, 0};
    return false;
  }
  const uint64_t cpu_ns = ThreadCpuOf(static_cast<pid_t>(lanes.tid));
  if (seen.generation != generation) {
    seen = {generation, 0, false, signals, cpu_ns};
    return false;
  }
  if (seen.cpu_ns == 0) seen.cpu_ns = cpu_ns;
  // A thread blocks signals at its beginning, or seldom.
  const uint64_t used_ns = cpu_ns - std::min(seen.cpu_ns, cpu_ns);
  if (used_ns < (IsDoubtful(seen) ? 1 : kPatienceNs)) return false;
  seen.has_run = true;
  seen.cpu_ns = cpu_ns;
  return true;
}

bool MaskWatch::Note(uint32_t slot, bool is_blocking) {
  Seen& seen = seen_[slot];
  seen.times_blocking = is_blocking ? std::min(seen.times_blocking + 1, kTimesForGood) : 0;
  return seen.times_blocking == kTimesForGood;
}

}  // namespace spprof
