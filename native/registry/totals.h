// Sums of the handler's counters over all threads, in a live region or in a dead process's.
//
// Context: any thread. Counters are read one by one while they move, so a sum is exact only when
// the sampling has stopped.
#pragma once

#include <cstdint>

#include "platform/region_map.h"

namespace spprof {

struct Totals {
  uint64_t signals = 0;
  uint64_t written = 0;
  uint64_t dropped[static_cast<size_t>(DropReason::kCount)] = {};
  // Signals whose handler had not come to an end: signals = written + dropped + in_flight.
  uint64_t in_flight = 0;
  uint64_t overruns = 0;
  uint64_t handler_total_ns = 0;
  uint64_t handler_max_ns = 0;
};

void ClearCounters(Counters* counters);
void AddCounters(const Counters& from, Counters* to);
// Of the released slots and of all that are in use.
Totals SumTotals(const RegionMap& region);

}  // namespace spprof
