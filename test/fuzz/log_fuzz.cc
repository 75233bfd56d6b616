// The log's reader, whole: chunks, records, the recording that is made of them.
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_target.h"
#include "log_seeds.h"
#include "profile/recording_builder.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kReaderCpuNs;

namespace {

// A file in memory, written anew for each input.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("spprof-fuzz", MFD_CLOEXEC)) { Require(fd_ >= 0, "no memfd"); }
  void Write(const std::string& content) {
    Require(ftruncate(fd_, 0) == 0 && pwrite(fd_, content.data(), content.size(), 0) ==
                                          static_cast<ssize_t>(content.size()),
            "the input could not be written");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace

std::vector<std::string> Seeds() {
  const LogSeed records = SeedRecords();
  fixture::LogWriter log;
  log.Control(records.control);
  log.Detail(0, 1, records.detail);
  log.Index(0, 1, records.index);
  log.Detail(1, 3, records.detail);
  log.Index(1, 3, records.index);
  return {log.bytes() + std::string(8, '\1'), log.bytes() + std::string(8, '\0')};
}

// The last eight bytes are no part of the log: whether its checksums are made right, and how much
// memory the recording may take.
void RunOne(Bytes bytes) {
  static MemoryFile file;
  if (bytes.size() < 8) return;
  const Bytes tail = bytes.subspan(bytes.size() - 8);
  std::string log(bytes.begin(), bytes.end() - 8);
  if ((tail[0] & 1) != 0) {
    if (log.size() >= sizeof(LogHeader)) {
      const LogHeader header{kLogMagic, kLogVersion, sizeof(LogHeader), {}};
      memcpy(log.data(), &header, sizeof(header));
    }
    fixture::RepairChecksums(&log);
  }
  file.Write(log);
  Recording recording;
  ReadLog(file.path(), &recording, (tail[1] & 1) != 0 ? 1 << 16 : RecordingBuilder::kUnbounded);
}

}  // namespace spprof::fuzz
