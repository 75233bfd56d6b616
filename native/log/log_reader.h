// Reads a log (log/log_format.h), chunk by chunk. The file is hostile: it may be cut anywhere,
// overwritten, or made to harm; every length is checked against the file before it is used. Reads
// with pread, not a mapping, so that a file that shrinks meanwhile ends the reading and not the
// process (a mapping's lost pages raise SIGBUS).
//
// What is damaged hides nothing behind it: reading goes on at the next chunk whose checksum is
// right, and skipped_bytes() counts what lies between. The readable part ends behind the last such
// chunk; good_bytes() and stop_reason() tell how far it went and why.
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
#include "log/log_format.h"
#include "platform/descriptor.h"

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
  // Opens `path` and checks the file header. ERR_SPPROF_SYSTEM: it cannot be opened or read;
  // ERR_SPPROF_BAD_RECORDING: it is not a log, or one of another version, or `range` does not begin
  // within it.
  static Status Open(const std::string& path, LogReader* out, const LogRange& range = {});
  // The same with a file that is open already; `name` is for messages.
  static Status OpenShared(std::shared_ptr<const Descriptor> file, const std::string& name,
                           LogReader* out, const LogRange& range = {});

  // The next good chunk; false at the end of the readable part, from then on always.
  bool Next(LogChunk* out);

  // The file may have grown since reading stopped, for its writer is still at work. From the first
  // call on, what is not whole ends the reading: it may become so.
  void LookAgain();

  // Bytes from the start of the log to the end of the last good chunk.
  uint64_t good_bytes() const { return position_ - begin_; }
  // The sequence number after the last good chunk's.
  uint64_t next_sequence() const { return next_sequence_; }
  uint64_t log_bytes() const { return end_ - begin_; }
  // Of damage between good chunks, and in how many places it was.
  uint64_t skipped_bytes() const { return skipped_bytes_; }
  uint64_t skipped_places() const { return skipped_places_; }
  // By the numbers of those that are there.
  uint64_t missing_chunks() const { return missing_chunks_; }
  // Why reading stopped; empty: the file ends with its last chunk (or reading goes on).
  const std::string& stop_reason() const { return stop_reason_; }

 private:
  bool Stop(const char* reason);
  // Why no good chunk begins at `position`; nullptr: one does, and is in `header` and the buffer.
  const char* ReadChunk(uint64_t position, ChunkHeader* header);
  // The next place behind `position` where a good chunk begins; false: there is none.
  bool FindChunk(uint64_t position, ChunkHeader* header, uint64_t* found);

  std::shared_ptr<const Descriptor> file_;
  uint64_t begin_ = 0;  // of the log, in the file
  uint64_t end_ = 0;
  uint64_t position_ = 0;
  uint64_t next_sequence_ = 0;
  uint64_t skipped_bytes_ = 0;
  uint64_t skipped_places_ = 0;
  uint64_t missing_chunks_ = 0;
  uint64_t search_budget_ = 0;  // bytes that may still be read in searches
  bool is_live_ = false;
  bool is_stopped_ = false;
  std::string stop_reason_;
  std::vector<std::byte> buffer_;
};

}  // namespace spprof
