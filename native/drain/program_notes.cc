#include "drain/program_notes.h"

#include "base/clock.h"
#include "platform/threads.h"

namespace spprof {

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

void ProgramNotes::WriteTo(LogWriter* log) {
  std::vector<PendingMark> marks;
  {
    std::lock_guard lock(mutex_);
    marks.swap(marks_);
    bytes_ = 0;
    if (lost_marks_ != 0) log->AddStat("lost_marks", lost_marks_);
  }
  for (const PendingMark& mark : marks)
    log->AddControl(mark.record, RecordType::kMark, mark.name, mark.detail);
}

}  // namespace spprof
