// RecoverRecording: what a process could not drain because it died.
#include <cerrno>
#include <string>
#include <vector>

#include "drain/control_records.h"
#include "drain/lane_drainer.h"
#include "platform/region_file.h"
#include "registry/dump.h"
#include "session/profiler.h"

namespace spprof {

namespace {

// Into the log and onto the disk first; only then the region is told that it has been taken. Killed
// in between, the next recovery writes it again, and readers know it by its position.
Status MoveLanes(RegionMap* region, LogWriter* log, uint64_t* bytes) {
  LaneDrainer drainer(region, log);
  std::vector<uint32_t> drained;
  for (uint32_t slot = 0; slot < region->slot_count() && log->failure().empty(); slot++) {
    const uint32_t state = region->Slot(slot)->state.load(std::memory_order_relaxed);
    if (state == static_cast<uint32_t>(SlotState::kFree)) continue;
    if (!region->CheckSlot(slot)) continue;
    const uint64_t moved = drainer.DrainSlot(slot);
    if (moved == 0) continue;
    *bytes += moved;
    drained.push_back(slot);
  }
  if (*bytes != 0) {
    AddTotals(*region, log);
    log->AddStat("bytes", log->bytes_written());
  }
  log->Flush();
  Status status = log->Sync();
  for (const uint32_t slot : drained) {
    if (status.ok()) status = region->WriteSlot(slot);
  }
  if (!log->failure().empty()) return Status::Error(kErrSystem, log->failure());
  return status;
}

}  // namespace

Status RecoverRecording(const std::string& folder, uint64_t* bytes) {
  *bytes = 0;
  const std::string region_path = folder + "/region";
  std::unique_ptr<RegionMap> region;
  Status status = RegionMap::Open(region_path, &region);
  const bool has_region = status.ok() || status.error_number() != ENOENT;
  if (!status.ok() && has_region) return status;
  LogWriter log;
  status = log.OpenToAppend(folder + "/log");
  if (!status.ok() || !has_region) return status;
  status = MoveLanes(region.get(), &log, bytes);
  if (status.ok()) ForgetSharedRegion(region_path);
  return status;
}

Status DumpRecording(const std::string& folder, std::string* out) {
  std::unique_ptr<RegionMap> region;
  const Status status = RegionMap::Open(folder + "/region", &region);
  if (status.ok()) *out = DumpRegion(*region);
  return status;
}

}  // namespace spprof
