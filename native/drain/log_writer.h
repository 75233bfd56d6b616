// Appends chunks to the log (drain/log_format.h). A chunk is one writev, so that a process killed
// between two of them leaves whole chunks, and at worst one torn tail that the CRC shows.
//
// Context: one thread at a time (drain thread, then whoever stops it).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "drain/log_format.h"
#include "region/records.h"

namespace spprof {

class LogWriter {
 public:
  LogWriter() = default;
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A new file, mode 0600; it must not exist.
  Status Create(const std::string& path);
  // A file without a name, for a recording that nobody needs after the process: in the folder for
  // temporary files, else in memory.
  Status CreateUnnamed();
  // An existing log, to be continued behind its last good chunk; a torn tail is cut off.
  Status OpenToAppend(const std::string& path);

  // Path under which the file can be opened as long as this writer lives.
  const std::string& path() const { return path_; }

  // Bytes of one lane. False when they could not be written (counted in bytes_lost, and warned of
  // once).
  bool AppendLane(ChunkKind kind, uint32_t slot, uint32_t generation, uint64_t lane_position,
                  const void* bytes, uint32_t length);
  // Control records are collected; Flush writes them as one chunk.
  template <typename Record>
  void AddControl(Record record, RecordType type, const std::string& first,
                  const std::string& second = {}) {
    record.header = {
        type, record.header.flags,
        static_cast<uint32_t>(RecordSize(sizeof(Record), first.size() + second.size()))};
    const size_t end = control_.size() + record.header.size;
    const auto* bytes = reinterpret_cast<const char*>(&record);
    control_.insert(control_.end(), bytes, bytes + sizeof(Record));
    control_.insert(control_.end(), first.begin(), first.end());
    control_.insert(control_.end(), second.begin(), second.end());
    control_.resize(end);
  }
  void AddStat(const std::string& name, uint64_t value) {
    StatRecord record{};
    record.value = value;
    record.name_length = static_cast<uint32_t>(name.size());
    AddControl(record, RecordType::kStats, name);
  }
  bool Flush();
  Status Sync();

  uint64_t bytes_written() const { return bytes_written_; }
  uint64_t bytes_lost() const { return bytes_lost_; }
  // Why the first lost chunk was lost; empty: none was.
  const std::string& failure() const { return failure_; }

 private:
  Status WriteHeader();
  bool AppendChunk(ChunkHeader header, const void* bytes, uint32_t length);

  int fd_ = -1;
  std::string path_;
  uint64_t sequence_ = 0;
  uint64_t bytes_written_ = 0;
  uint64_t bytes_lost_ = 0;
  std::string failure_;
  std::vector<char> control_;
};

}  // namespace spprof
