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

void AddTotals(const RegionMap& region, LogWriter* log) {
  const Totals totals = SumTotals(region);
  log->AddStat("signals", totals.signals);
  log->AddStat("written", totals.written);
  for (size_t i = 0; i < static_cast<size_t>(DropReason::kCount); i++) {
    log->AddStat(std::string("dropped.") + DropReasonName(static_cast<DropReason>(i)),
                 totals.dropped[i]);
  }
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
