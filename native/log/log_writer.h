// Appends chunks to the log (log/log_format.h). A chunk is one writev, so that a process killed
// between two of them leaves whole chunks, and at worst one torn tail that the CRC shows.
//
// Context: one thread at a time (drain thread, then whoever stops it).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "log/log_format.h"
#include "platform/descriptor.h"
#include "region/records.h"

namespace spprof {

class LogWriter {
 public:
  LogWriter() = default;
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A new file, mode 0600; it must not exist. It is locked as long as this process has it open:
  // whoever looks at it sees that its writer lives (session/liveness.h).
  Status Create(const std::string& path);
  // A file without a name, for a recording that nobody needs after the process: in the folder for
  // temporary files, else in memory.
  Status CreateUnnamed();
  // An existing log, to be continued behind its last good chunk; a torn tail is cut off.
  // ERR_SPPROF_RUNNING: the process that writes it has it locked.
  Status OpenToAppend(const std::string& path);

  // For readers in this process, whatever has become of its rights and its root folder since.
  const std::shared_ptr<Descriptor>& file() const { return file_; }
  bool is_locked() const { return is_locked_; }
  void Unlock();
  // Whether it cannot be written any more, ever.
  bool IsGone() const { return is_gone_; }

  // Bytes of one lane. False when they could not be written; nothing of them is in the file then,
  // and they are the caller's to keep.
  bool AppendLane(ChunkKind kind, uint32_t slot, uint32_t generation, uint64_t lane_position,
                  const void* bytes, uint32_t length);
  // Control records are collected; Flush writes them as one chunk, and keeps them when it cannot.
  // A record for which there is no room any more is counted in bytes_lost().
  template <typename Record>
  void AddControl(Record record, RecordType type, const std::string& first,
                  const std::string& second = {}) {
    record.header = {
        type, record.header.flags,
        static_cast<uint32_t>(RecordSize(sizeof(Record), first.size() + second.size()))};
    if (!MakeRoom(record.header.size)) return;
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
  // Why a chunk could not be written the first time; empty: all could.
  const std::string& failure() const { return failure_; }

 private:
  Status WriteHeader();
  bool MakeRoom(size_t size);
  // The descriptor; -1: the program has closed it, and it has no name by which to open it again.
  int Reach();
  void Fail(const std::string& reason);
  bool AppendChunk(ChunkHeader header, const void* bytes, uint32_t length);

  std::shared_ptr<Descriptor> file_;
  std::string path_;  // empty: it has no name
  bool is_locked_ = false;
  bool is_gone_ = false;
  uint64_t sequence_ = 0;
  uint64_t bytes_written_ = 0;
  uint64_t bytes_lost_ = 0;
  std::string failure_;
  std::vector<char> control_;
};

}  // namespace spprof
