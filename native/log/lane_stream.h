// Records out of chunks. A lane's chunks are pieces of one stream of bytes; LaneStream puts them
// together (a record may be split over chunks), skips what it has seen (a recovered ring repeats
// its first bytes) and counts what is missing. ForEachRecord walks a chunk that is whole in itself
// (kControl).
//
// Invariants: a record is handed out at most once; bytes in = bytes of records + lost_bytes() +
// pending_bytes()
// + bytes skipped as duplicates.
//
// Context: any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "log/log_format.h"
#include "region/records.h"

namespace spprof {

// Longest record that a reader accepts: a stack of 128k frames, far above what `maxFrames` allows.
inline constexpr uint32_t kMaxRecordBytes = 1u << 20;

// One record, header included; its size is what the header says, at least sizeof(RecordHeader). At
// any alignment.
struct RecordView {
  RecordHeader header;
  std::span<const std::byte> bytes;

  // The fixed part of the record; false when the record is too short for it.
  template <typename T>
  bool Read(T* out) const {
    if (bytes.size() < sizeof(T)) return false;
    memcpy(out, bytes.data(), sizeof(T));
    return true;
  }

  // `length` bytes from `offset` on; false when they are not all within the record. Any values are
  // safe.
  bool ReadText(size_t offset, uint64_t length, std::string_view* out) const {
    if (offset > bytes.size() || length > bytes.size() - offset) return false;
    *out = {reinterpret_cast<const char*>(bytes.data()) + offset, static_cast<size_t>(length)};
    return true;
  }
};

using RecordSink = std::function<void(const RecordView&)>;

// Calls `sink` for each whole record at the start of `bytes` and returns the number of bytes that
// they take. `*is_damaged` tells whether it stopped at something that is no record (and not at one
// that is merely not all there).
size_t ForEachRecord(std::span<const std::byte> bytes, const RecordSink& sink, bool* is_damaged);

class LaneStream {
 public:
  // kind: kDetail or kIndex; decides which records may begin a stream after a gap.
  explicit LaneStream(ChunkKind kind) : kind_(kind) {}

  // Takes the bytes of a chunk, which begin at `position` of the lane's stream.
  void Append(uint64_t position, std::span<const std::byte> payload, const RecordSink& sink);

  // Bytes that are missing from the log or could not be understood.
  uint64_t lost_bytes() const { return lost_bytes_; }
  // Bytes of a last record that is not all there.
  size_t pending_bytes() const { return pending_.size(); }

 private:
  bool MayBeginAfterGap(std::span<const std::byte> bytes) const;

  ChunkKind kind_;
  uint64_t end_ = 0;  // of the bytes seen, in the lane's stream
  uint64_t lost_bytes_ = 0;
  bool is_resynchronising_ = false;
  std::vector<std::byte> pending_;
};

}  // namespace spprof
