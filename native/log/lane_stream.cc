#include "log/lane_stream.h"

#include <limits>

namespace spprof {

size_t ForEachRecord(std::span<const std::byte> bytes, const RecordSink& sink, bool* is_damaged) {
  *is_damaged = false;
  size_t done = 0;
  while (bytes.size() - done >= sizeof(RecordHeader)) {
    RecordView record;
    memcpy(&record.header, bytes.data() + done, sizeof(RecordHeader));
    const uint32_t size = record.header.size;
    if (size < sizeof(RecordHeader) || size % 8 != 0 || size > kMaxRecordBytes) {
      *is_damaged = true;
      break;
    }
    if (size > bytes.size() - done) break;
    record.bytes = bytes.subspan(done, size);
    sink(record);
    done += size;
  }
  return done;
}

bool LaneStream::MayBeginAfterGap(std::span<const std::byte> bytes) const {
  if (bytes.size() < sizeof(RecordHeader)) return false;
  RecordHeader header;
  memcpy(&header, bytes.data(), sizeof(header));
  switch (header.type) {
    case RecordType::kSample:
      return kind_ == ChunkKind::kIndex && header.size == sizeof(SampleRecord);
    case RecordType::kStack:
    case RecordType::kFunction:
    case RecordType::kScript:
    case RecordType::kMapPiece:
      return kind_ == ChunkKind::kDetail;
    default:
      return false;
  }
}

void LaneStream::Append(uint64_t position, std::span<const std::byte> payload,
                        const RecordSink& sink) {
  if (payload.empty()) return;
  if (position > std::numeric_limits<uint64_t>::max() - payload.size()) {
    lost_bytes_ += payload.size();
    return;
  }
  if (position < end_) {
    const uint64_t seen = end_ - position;
    if (seen >= payload.size()) return;
    payload = payload.subspan(static_cast<size_t>(seen));
    position = end_;
  }
  if (position > end_) {
    lost_bytes_ += position - end_ + pending_.size();
    pending_.clear();
    is_resynchronising_ = true;
  }
  end_ = position + payload.size();

  if (is_resynchronising_) {
    // Chunks usually begin with a record, but a record that the gap has cut may go on here.
    if (!MayBeginAfterGap(payload)) {
      lost_bytes_ += payload.size();
      return;
    }
    is_resynchronising_ = false;
  }

  bool is_damaged = false;
  if (pending_.empty()) {
    const size_t done = ForEachRecord(payload, sink, &is_damaged);
    payload = payload.subspan(done);
    if (!is_damaged) pending_.assign(payload.begin(), payload.end());
    if (is_damaged) lost_bytes_ += payload.size();
  } else {
    pending_.insert(pending_.end(), payload.begin(), payload.end());
    const size_t done = ForEachRecord(pending_, sink, &is_damaged);
    if (done > 0)
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
    if (is_damaged) {
      lost_bytes_ += pending_.size();
      pending_.clear();
    }
  }
  if (is_damaged) is_resynchronising_ = true;
}

}  // namespace spprof
