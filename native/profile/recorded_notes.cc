#include "profile/control_text.h"
#include "profile/recorded_log.h"

// What the program has added to the log (drain/program_notes.h).

namespace spprof {

bool RecordedLog::AddMark(const RecordView& record) {
  MarkRecord mark;
  RecordedMark result{};
  if (!record.Read(&mark) ||
      !ReadControlText(record, sizeof(mark), mark.name_length, &result.name, kMaxRecordBytes) ||
      !ReadControlText(record, sizeof(mark) + mark.name_length, mark.detail_length, &result.detail,
                       kMaxRecordBytes)) {
    return false;
  }
  result.time_ns = mark.time_ns;
  result.tid = mark.tid;
  marks_.push_back(std::move(result));
  return true;
}

}  // namespace spprof
