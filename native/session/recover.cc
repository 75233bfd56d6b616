// RecoverRecording: what a process could not drain because it died.
#include <string>

#include "drain/control_records.h"
#include "drain/lane_drainer.h"
#include "registry/dump.h"
#include "session/profiler.h"

namespace spprof {

Status RecoverRecording(const std::string& folder, uint64_t* bytes) {
  *bytes = 0;
  std::unique_ptr<RegionMap> region;
  Status status = RegionMap::Open(folder + "/region", &region);
  if (!status.ok()) return status;
  LogWriter log;
  status = log.OpenToAppend(folder + "/log");
  if (!status.ok()) return status;
  LaneDrainer drainer(region.get(), &log);
  for (uint32_t slot = 0; slot < region->slot_count(); slot++) {
    const uint32_t state = region->Slot(slot)->state.load(std::memory_order_relaxed);
    if (state == static_cast<uint32_t>(SlotState::kFree)) continue;
    if (!region->CheckSlot(slot)) continue;
    *bytes += drainer.DrainSlot(slot);
  }
  if (*bytes != 0) {
    AddTotals(*region, &log);
    log.AddStat("bytes", log.bytes_written());
  }
  log.Flush();
  if (log.bytes_lost() != 0) return Status::Error(kErrSystem, log.failure());
  return log.Sync();
}

Status DumpRecording(const std::string& folder, std::string* out) {
  std::unique_ptr<RegionMap> region;
  const Status status = RegionMap::Open(folder + "/region", &region);
  if (status.ok()) *out = DumpRegion(*region);
  return status;
}

}  // namespace spprof
