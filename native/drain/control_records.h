// Control records that more than one place writes.
//
// Context: whoever owns the log.
#pragma once

#include "log/log_writer.h"
#include "platform/modules.h"
#include "registry/totals.h"

namespace spprof {

void AddModuleRecord(const LoadedModule& module, LogWriter* log);
// The counters of the thread that has or had the slot.
void AddThreadTotals(const ThreadLaneSet& lanes, LogWriter* log);
// The region's counters, under the names of NativeStats, and those of each thread in it.
void AddTotals(const RegionMap& region, LogWriter* log);

}  // namespace spprof
