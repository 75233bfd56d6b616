// What is looked at again while threads run: their names, their events and their timers.
#include <algorithm>

#include "platform/threads.h"
#include "sampling/sampler.h"

namespace spprof {

void Sampler::RefreshNames() {
  std::lock_guard lock(mutex_);
  ReadNamesAgain();
}

// A thread has its creator's name until it has set its own, so the names of young ones are read
// again. A name that RegisterCurrentThread has given it since stays.
void Sampler::ReadNamesAgain() {
  constexpr uint64_t kYoungNs = 1'000'000'000;
  const uint64_t now = MonotonicNow();
  for (auto young = young_threads_.begin(); young != young_threads_.end();) {
    const auto& [tid, seen] = *young;
    const uint32_t slot = registry_.FindByTid(tid);
    const std::string name = slot == kNoSlot ? std::string() : ThreadName(tid);
    if (!name.empty()) {
      ThreadLaneSet* lanes = region_->Slot(slot);
      if (seen.name == lanes->name && name != seen.name) {
        std::fill(std::begin(lanes->name), std::end(lanes->name), '\0');
        std::copy_n(name.data(), std::min(name.size(), sizeof(lanes->name) - 1), lanes->name);
        young->second.name = name;
        thread_version_.fetch_add(1, std::memory_order_release);
      }
    }
    young = name.empty() || now - seen.time_ns > kYoungNs ? young_threads_.erase(young)
                                                          : std::next(young);
  }
}

void Sampler::LookAtEvents() {
  constexpr uint32_t kAtOnce = 16;
  const uint32_t count = region_->slot_count();
  for (uint32_t i = 0; i < std::min(kAtOnce, count); i++) {
    next_event_slot_ = (next_event_slot_ + 1) % count;
    const auto tid = static_cast<pid_t>(region_->Slot(next_event_slot_)->tid);
    if (registry_.FindByTid(tid) == next_event_slot_ && timers_.HasLostEvent(next_event_slot_)) {
      Warn(
          "the program has closed file descriptors of spprof: their threads have samples at the "
          "kernel's tick only");
    }
  }
}

void Sampler::RestartLostTimers() {
  constexpr uint32_t kWatchedAtOnce = 16;
  const uint32_t count = region_->slot_count();
  for (uint32_t i = 0; i < std::min(kWatchedAtOnce, count); i++) {
    next_watched_slot_ = (next_watched_slot_ + 1) % count;
    const ThreadLaneSet& lanes = *region_->Slot(next_watched_slot_);
    if (registry_.FindByTid(static_cast<pid_t>(lanes.tid)) == next_watched_slot_ &&
        timer_watch_.HasLostTicks(next_watched_slot_, lanes)) {
      timers_.Arm(next_watched_slot_);
      context_->State(next_watched_slot_)->ticks.is_rearmed.store(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace spprof
