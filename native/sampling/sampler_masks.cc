// Threads that block the profiling signal have no timers while they do.
#include <algorithm>

#include "platform/signal_names.h"
#include "platform/thread_signals.h"
#include "sampling/sampler.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {

std::optional<bool> Sampler::BlocksTicks(pid_t tid) const {
  const std::optional<ThreadSignals> signals = SignalsOf(tid);
  if (!signals) return std::nullopt;
  return (signals->blocked & SignalBit(context_->signal)) != 0;
}

void Sampler::LookAtMasks() {
  // The interval timer's signal goes to the process: to a thread that does not block it.
  if (context_->ticks.engine == TimerEngine::kItimer) return;
  // Those without timers first: libc may have been making them when they were added.
  constexpr int kBlockingAtOnce = 16;  // Each costs some 20 us.
  int looks = kBlockingAtOnce;
  for (uint32_t slot : std::vector<uint32_t>(blocking_.begin(), blocking_.end())) {
    if (looks == 0) break;
    looks -= LookAtMask(slot);
  }
  constexpr uint32_t kAtOnce = 16;
  const uint32_t count = region_->slot_count();
  looks = 4;
  for (uint32_t i = 0; i < std::min(kAtOnce, count) && looks > 0; i++) {
    next_masked_slot_ = (next_masked_slot_ + 1) % count;
    looks -= LookAtMask(next_masked_slot_);
  }
}

bool Sampler::LookAtMask(uint32_t slot) {
  const ThreadLaneSet& lanes = *region_->Slot(slot);
  const auto tid = static_cast<pid_t>(lanes.tid);
  if (registry_.FindByTid(tid) != slot || small_stacks_.count(slot) != 0) return false;
  const uint64_t signals_before = lanes.counters.signals.load(std::memory_order_relaxed);
  if (!mask_watch_.IsDue(slot, lanes)) return false;
  const std::optional<bool> is_blocking = BlocksTicks(tid);
  // A handler of ours blocks the signal, too: one that has been at work meanwhile is no proof.
  if (!is_blocking || lanes.counters.signals.load(std::memory_order_relaxed) != signals_before)
    return true;
  if (mask_watch_.Note(slot, *is_blocking)) {
    EndTicks(slot, tid);
  } else if (!*is_blocking && blocking_.count(slot) != 0) {
    if (timers_.Start(slot, tid).ok()) {
      blocking_.erase(slot);
    } else {
      timers_.Delete(slot, tid);  // the next look tries again
    }
  }
  return true;
}

void Sampler::EndTicks(uint32_t slot, pid_t tid) {
  // No timer may be set once it is deleted and its id is anybody's.
  if (blocking_.count(slot) != 0 || !IsHandlerQuiet(slot)) return;
  timers_.Delete(slot, tid);
  blocking_.insert(slot);
  const std::optional<ThreadSignals> signals = SignalsOf(tid);
  // Kernels before 6.13 keep the signal of a timer that is deleted.
  const bool is_waiting = signals && (signals->pending & SignalBit(context_->signal)) != 0;
  if (is_waiting) signal_.Discard();
}

}  // namespace spprof
