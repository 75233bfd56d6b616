#include "session/liveness.h"

#include <fcntl.h>

#include "log/lane_stream.h"
#include "log/log_reader.h"

namespace spprof {

namespace {

bool IsLocked(const Descriptor& log) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return fcntl(log.Get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

// What the log's first chunk says of its process.
struct Writer {
  bool is_known = false;
  bool has_lock = false;
  ProcessIdentity identity;
};

Writer ReadWriter(LogReader* reader) {
  Writer writer;
  LogChunk chunk;
  if (!reader->Next(&chunk) || chunk.header.kind != ChunkKind::kControl) return writer;
  bool is_damaged = false;
  ForEachRecord(
      chunk.payload,
      [&](const RecordView& view) {
        ProcessRecord record;
        std::string_view boot_id;
        if (view.header.type != RecordType::kProcess || !view.Read(&record) ||
            !view.ReadText(sizeof(record), record.boot_id_length, &boot_id)) {
          return;
        }
        writer.is_known = true;
        writer.has_lock = (view.header.flags & kProcessHasLock) != 0;
        writer.identity = {record.pid, record.start_ticks, record.pid_namespace,
                           std::string(boot_id)};
      },
      &is_damaged);
  return writer;
}

}  // namespace

ProcessState StateOfRecording(const std::string& folder) {
  const int fd = open((folder + "/log").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ProcessState::kUnknown;
  const auto log = std::make_shared<Descriptor>(fd);
  if (IsLocked(*log)) return ProcessState::kAlive;
  LogReader reader;
  if (!LogReader::OpenShared(log, folder + "/log", &reader).ok()) return ProcessState::kUnknown;
  const Writer writer = ReadWriter(&reader);
  if (!writer.is_known) return ProcessState::kUnknown;
  return writer.has_lock ? ProcessState::kDead : FindProcess(writer.identity);
}

}  // namespace spprof
