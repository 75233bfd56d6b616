#include "registry/totals.h"

#include <algorithm>

namespace spprof {

namespace {

constexpr size_t kReasons = static_cast<size_t>(DropReason::kCount);

uint64_t Get(const Sequence& counter) { return counter.load(std::memory_order_relaxed); }

void Add(const Counters& counters, Totals* totals) {
  // The outcome of a signal that comes between the loads may be counted and the signal itself not.
  const uint64_t signals = Get(counters.signals);
  uint64_t outcomes = Get(counters.written);
  totals->written += outcomes;
  for (size_t i = 0; i < kReasons; i++) {
    const uint64_t dropped = Get(counters.dropped[i]);
    totals->dropped[i] += dropped;
    outcomes += dropped;
  }
  totals->signals += std::max(signals, outcomes);
  totals->in_flight += signals > outcomes ? signals - outcomes : 0;
  totals->overruns += Get(counters.overruns);
  totals->handler_total_ns += Get(counters.handler_total_ns);
  totals->handler_max_ns = std::max(totals->handler_max_ns, Get(counters.handler_max_ns));
}

}  // namespace

void ClearCounters(Counters* counters) {
  for (Sequence* counter : {&counters->signals, &counters->written, &counters->overruns,
                            &counters->handler_total_ns, &counters->handler_max_ns}) {
    counter->store(0, std::memory_order_relaxed);
  }
  for (Sequence& dropped : counters->dropped) dropped.store(0, std::memory_order_relaxed);
}

void AddCounters(const Counters& from, Counters* to) {
  to->signals.fetch_add(Get(from.signals), std::memory_order_relaxed);
  to->written.fetch_add(Get(from.written), std::memory_order_relaxed);
  for (size_t i = 0; i < kReasons; i++) {
    to->dropped[i].fetch_add(Get(from.dropped[i]), std::memory_order_relaxed);
  }
  to->overruns.fetch_add(Get(from.overruns), std::memory_order_relaxed);
  to->handler_total_ns.fetch_add(Get(from.handler_total_ns), std::memory_order_relaxed);
  to->handler_max_ns.store(std::max(Get(to->handler_max_ns), Get(from.handler_max_ns)),
                           std::memory_order_relaxed);
}

Totals SumTotals(const RegionMap& region) {
  Totals totals;
  Add(region.header()->retired, &totals);
  for (uint32_t slot = 0; slot < region.slot_count(); slot++) {
    const ThreadLaneSet* lanes = region.Slot(slot);
    if (lanes->state.load(std::memory_order_acquire) !=
        static_cast<uint32_t>(SlotState::kFree)) {  // S2
      Add(lanes->counters, &totals);
    }
  }
  return totals;
}

}  // namespace spprof
