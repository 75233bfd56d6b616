#include "drain/control_records.h"

namespace spprof {

void AddModuleRecord(const LoadedModule& module, LogWriter* log) {
  ModuleRecord record{};
  record.start = module.range.start;
  record.end = module.range.end;
  record.file_offset = module.file_offset;
  record.path_length = static_cast<uint32_t>(module.path.size());
  record.build_id_length = static_cast<uint32_t>(module.build_id.size());
  log->AddControl(record, RecordType::kModule, module.path, module.build_id);
}

void AddThreadTotals(const ThreadLaneSet& lanes, LogWriter* log) {
  const Counters& counters = lanes.counters;
  ThreadTotalsRecord record{};
  record.slot = lanes.slot;
  record.generation = lanes.generation.load(std::memory_order_acquire);  // S4
  record.signals = counters.signals.load(std::memory_order_relaxed);
  record.written = counters.written.load(std::memory_order_relaxed);
  record.overruns = counters.overruns.load(std::memory_order_relaxed);
  record.handler_ns = counters.handler_total_ns.load(std::memory_order_relaxed);
  record.reason_count = static_cast<uint32_t>(DropReason::kCount);
  std::string dropped;
  for (const Sequence& reason : counters.dropped) {
    const uint64_t count = reason.load(std::memory_order_relaxed);
    dropped.append(reinterpret_cast<const char*>(&count), sizeof(count));
  }
  log->AddControl(record, RecordType::kThreadTotals, dropped);
}

void AddTotals(const RegionMap& region, LogWriter* log) {
  for (uint32_t slot = 0; slot < region.slot_count(); slot++) {
    const ThreadLaneSet* lanes = region.Slot(slot);
    if (lanes->state.load(std::memory_order_acquire) != static_cast<uint32_t>(SlotState::kFree))
      AddThreadTotals(*lanes, log);  // S2
  }
  const Totals totals = SumTotals(region);
  log->AddStat("signals", totals.signals);
  log->AddStat("written", totals.written);
  for (size_t i = 0; i < static_cast<size_t>(DropReason::kCount); i++) {
    log->AddStat(std::string("dropped.") + DropReasonName(static_cast<DropReason>(i)),
                 totals.dropped[i]);
  }
  log->AddStat("dropped.in_flight", totals.in_flight);
  log->AddStat("overruns", totals.overruns);
  log->AddStat("handler_ns_total", totals.handler_total_ns);
  log->AddStat("handler_ns_max", totals.handler_max_ns);
  if (totals.written != 0)
    log->AddStat("handler_ns_mean", totals.handler_total_ns / totals.written);
  const RegionHeader* header = region.header();
  log->AddStat("threads_live", header->thread_count.load(std::memory_order_relaxed));
  log->AddStat("threads_seen", header->threads_seen.load(std::memory_order_relaxed));
  log->AddStat("threads_refused", header->threads_refused.load(std::memory_order_relaxed));
}

}  // namespace spprof
