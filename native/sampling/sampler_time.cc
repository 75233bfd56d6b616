// The sampler's time: pauses, intervals, what they cost and what has come of them.
#include <algorithm>
#include <cstdio>

#include "platform/posix_timer.h"
#include "platform/thread_sleep.h"
#include "sampling/sampler.h"

namespace spprof {

bool Sampler::Pause() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning || timers_.is_paused()) return false;
  timers_.SetPaused(true);
  pause_began_ns_ = MonotonicNow();
  pause_began_cpu_ns_ = ProcessCpuNs();
  for (const auto& [tid, slot] : registry_.by_tid()) timers_.BeginPause(slot, tid);
  return true;
}

bool Sampler::Resume() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kRunning || !timers_.is_paused()) return false;
  for (const auto& [tid, slot] : registry_.by_tid()) timers_.EndPause(slot, tid);
  paused_ns_ += MonotonicNow() - pause_began_ns_;
  paused_cpu_ns_ += ProcessCpuNs() - pause_began_cpu_ns_;
  timers_.SetPaused(false);
  for (const auto& [tid, slot] : registry_.by_tid()) timers_.Arm(slot);
  return true;
}

SamplerReport Sampler::Report() const {
  std::lock_guard lock(mutex_);
  SamplerReport report{timers_.interval_ns(), paused_ns_, paused_cpu_ns_, delivery_ns_,
                       context_->signal};
  if (timers_.is_paused()) {
    report.paused_ns += MonotonicNow() - pause_began_ns_;
    report.paused_cpu_ns += ProcessCpuNs() - pause_began_cpu_ns_;
  }
  return report;
}

void Sampler::LimitOverhead(const OverheadGuard::Costs& costs) {
  std::lock_guard lock(mutex_);
  const uint64_t interval_ns = timers_.interval_ns();
  const uint64_t longer_ns = overhead_guard_.Judge(costs, interval_ns);
  if (longer_ns == 0) return;
  SetIntervalLocked(longer_ns);
  if (has_limited_overhead_) return;
  has_limited_overhead_ = true;
  char text[200];
  std::snprintf(
      text, sizeof(text),
      "sampling took %.1f %% of the CPU time, more than maxOverhead (%.1f %%): the interval "
      "was made longer, first from %.3g to %.3g ms",
      overhead_guard_.share() * 100, options_.max_overhead * 100,
      static_cast<double>(interval_ns) / 1e6, static_cast<double>(longer_ns) / 1e6);
  Warn(text);
}

void Sampler::SetInterval(uint64_t interval_ns) {
  std::lock_guard lock(mutex_);
  SetIntervalLocked(interval_ns);
}

void Sampler::SetIntervalLocked(uint64_t interval_ns) {
  if (state_ != State::kRunning) return;
  timers_.SetInterval(interval_ns);
  timer_watch_.SetInterval(interval_ns);
  for (const auto& [tid, slot] : registry_.by_tid()) {
    timers_.Arm(slot);
    context_->State(slot)->ticks.is_rearmed.store(1, std::memory_order_relaxed);
  }
}

pid_t Sampler::ThreadOf(uint32_t slot, uint32_t generation) {
  std::lock_guard lock(mutex_);
  const ThreadLaneSet* lanes = region_->Slot(slot);
  const auto tid = static_cast<pid_t>(lanes->tid);
  const bool is_it = state_ == State::kRunning && !is_silenced_ &&
                     registry_.FindByTid(tid) == slot &&
                     lanes->generation.load(std::memory_order_relaxed) == generation;
  return is_it ? tid : 0;
}

bool Sampler::IsSelected(uint32_t slot) const {
  const ThreadLaneSet* lanes = region_->Slot(slot);
  if (context_->State(slot)->is_left_out.load(std::memory_order_relaxed) != 0) return false;
  return !options_.javascript_threads_only ||
         lanes->has_javascript.load(std::memory_order_relaxed) != 0 ||
         lanes->kind.load(std::memory_order_relaxed) != static_cast<uint32_t>(ThreadKind::kNative);
}

// Without the lock: slots are given up by the drain thread, which is this one, alone.
SleepWalkResult Sampler::WalkSleeper(uint32_t slot, uint32_t generation, SleepWalk* out) {
  const pid_t tid = ThreadOf(slot, generation);
  if (tid == 0) return SleepWalkResult::kAwake;
  const SleepWalkResult result = sleep_walker_.Walk(slot, tid, out);
  if (result == SleepWalkResult::kWalked && (out->state & kStateRunsJavaScript) != 0)
    region_->Slot(slot)->has_javascript.store(1, std::memory_order_relaxed);
  return result;
}

std::optional<uint64_t> Sampler::RunDelayNs(uint32_t slot, uint32_t generation) {
  const pid_t tid = ThreadOf(slot, generation);
  return tid != 0 ? ThreadRunDelayNs(tid) : std::nullopt;
}

std::vector<ThreadClock> Sampler::ReadClocks(size_t at_most) {
  std::lock_guard lock(mutex_);
  std::vector<ThreadClock> clocks;
  const uint32_t count = region_->slot_count();
  for (uint32_t i = 0; i < count && clocks.size() < at_most; i++) {
    next_read_slot_ = (next_read_slot_ + 1) % count;
    const ThreadLaneSet* lanes = region_->Slot(next_read_slot_);
    const auto tid = static_cast<pid_t>(lanes->tid);
    if (registry_.FindByTid(tid) != next_read_slot_) continue;
    const uint64_t cpu_ns = ThreadCpuOf(tid);  // 0: it has just gone
    if (cpu_ns == 0) continue;
    const ThreadState* state = context_->State(next_read_slot_);
    clocks.push_back({next_read_slot_, lanes->generation.load(std::memory_order_relaxed),
                      cpu_ns - state->ticks.paused_cpu_ns.load(std::memory_order_relaxed)});
  }
  return clocks;
}

}  // namespace spprof
