// Reads a log (drain/log_format.h), chunk by chunk. The file is hostile: it may be cut anywhere,
// overwritten, or made to harm; every length is checked against the file before it is used. Reads
// with pread, not a mapping, so that a file that shrinks meanwhile ends the reading and not the
// process (a mapping's lost pages raise SIGBUS).
//
// The readable part ends at the first chunk that is not whole, or at the end of the file;
// good_bytes(), good_chunks() and stop_reason() tell how far it went and why.
//
// Context: any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "drain/log_format.h"

namespace spprof {

// No writer makes longer chunks (a lane's rings are far smaller); what claims to be longer is
// damage.
inline constexpr uint32_t kMaxChunkBytes = 64u << 20;

struct LogChunk {
  ChunkHeader header;
  std::span<const std::byte> payload;  // valid until the next chunk is read
};

// The checksum that belongs into `header`, over its fields after crc32c and the payload.
uint32_t ChunkCrc(const ChunkHeader& header, std::span<const std::byte> payload);

class LogReader {
 public:
  LogReader() = default;
  ~LogReader();
  LogReader(LogReader&& other) noexcept;
  LogReader& operator=(LogReader&& other) noexcept;

  // Opens `path` and checks the file header. ERR_SPPROF_SYSTEM: it cannot be opened or read;
  // ERR_SPPROF_BAD_RECORDING: it is not a log, or one of another version.
  static Status Open(const std::string& path, LogReader* out);

  // The next good chunk; false at the end of the readable part, from then on always.
  bool Next(LogChunk* out);

  // The file may have grown since reading stopped, for its writer is still at work.
  void LookAgain();

  // Bytes from the start of the file to the end of the last good chunk.
  uint64_t good_bytes() const { return position_; }
  uint64_t good_chunks() const { return next_sequence_; }
  uint64_t file_bytes() const { return file_size_; }
  // Why reading stopped; empty: the file ends with its last chunk (or reading goes on).
  const std::string& stop_reason() const { return stop_reason_; }

 private:
  bool Stop(const char* reason);

  int fd_ = -1;
  uint64_t file_size_ = 0;
  uint64_t position_ = 0;
  uint64_t next_sequence_ = 0;
  bool is_stopped_ = false;
  std::string stop_reason_;
  std::vector<std::byte> buffer_;
};

}  // namespace spprof
