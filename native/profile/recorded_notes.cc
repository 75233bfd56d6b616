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

bool RecordedLog::AddSourceMap(const RecordView& record) {
  SourceMapRecord piece;
  RecordedSourceMap result{};
  if (!record.Read(&piece) ||
      !ReadControlText(record, sizeof(piece), piece.script_length, &result.script,
                       kMaxRecordBytes) ||
      !ReadControlText(record, sizeof(piece) + piece.script_length, piece.piece_length, &result.map,
                       kMaxRecordBytes)) {
    return false;
  }
  result.source_length = piece.source_length;
  result.length = piece.map_length;
  if ((piece.header.flags & kSourceMapGoesOn) == 0) {
    source_maps_.push_back(std::move(result));
    return true;
  }
  if (source_maps_.empty()) return false;
  RecordedSourceMap& begun = source_maps_.back();
  if (begun.script != result.script || begun.map.size() + result.map.size() > begun.length)
    return false;
  begun.map += result.map;
  return true;
}

}  // namespace spprof
