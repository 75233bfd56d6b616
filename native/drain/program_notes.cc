#include "drain/program_notes.h"

#include <algorithm>

#include "base/clock.h"
#include "platform/threads.h"

namespace spprof {

namespace {

// Of one record: readers take longer ones for damage.
constexpr size_t kMapPiece = 512 << 10;

// A map in pieces, which follow each other.
void WriteMap(SourceMapRecord record, const std::string& script, const std::string& map,
              LogWriter* log) {
  for (size_t at = 0; at < map.size(); at += kMapPiece) {
    const std::string piece = map.substr(at, kMapPiece);
    record.header.flags = at == 0 ? 0 : kSourceMapGoesOn;
    record.piece_length = static_cast<uint32_t>(piece.size());
    log->AddControl(record, RecordType::kSourceMap, script, piece);
  }
}

}  // namespace

bool ProgramNotes::Take(size_t bytes, uint64_t* lost) {
  constexpr size_t kMaxPendingBytes = 64 << 20;
  bytes_ += bytes;
  if (bytes_ > kMaxPendingBytes) {
    ++*lost;
    return false;
  }
  return true;
}

void ProgramNotes::Mark(const std::string& name, const std::string& detail) {
  PendingMark mark{{}, name, detail};
  mark.record.time_ns = MonotonicNow();
  mark.record.tid = static_cast<uint32_t>(CurrentThreadId());
  mark.record.name_length = static_cast<uint32_t>(name.size());
  mark.record.detail_length = static_cast<uint32_t>(detail.size());
  std::lock_guard lock(mutex_);
  if (!Take(name.size() + detail.size(), &lost_marks_)) return;
  marks_.push_back(std::move(mark));
  // Into the log at once: the next thing may be the program's death.
  if (marks_.size() == 1) waker_->Wake();
}

void ProgramNotes::SourceMap(const std::string& script, uint32_t source_length,
                             const std::string& map) {
  PendingMap pending{{}, script, map};
  pending.record.source_length = source_length;
  pending.record.script_length = static_cast<uint32_t>(script.size());
  pending.record.map_length = static_cast<uint32_t>(map.size());
  std::lock_guard lock(mutex_);
  if (!Take(script.size() + map.size(), &lost_maps_)) return;
  maps_.push_back(std::move(pending));
}

void ProgramNotes::WriteTo(LogWriter* log) {
  std::vector<PendingMark> marks;
  std::vector<PendingMap> maps;
  {
    std::lock_guard lock(mutex_);
    marks.swap(marks_);
    maps.swap(maps_);
    bytes_ = 0;
    if (lost_marks_ != 0) log->AddStat("lost_marks", lost_marks_);
    if (lost_maps_ != 0) log->AddStat("lost_source_maps", lost_maps_);
  }
  for (const PendingMark& mark : marks)
    log->AddControl(mark.record, RecordType::kMark, mark.name, mark.detail);
  for (const PendingMap& map : maps) WriteMap(map.record, map.script, map.map, log);
}

}  // namespace spprof
