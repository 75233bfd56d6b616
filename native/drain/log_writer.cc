#include "drain/log_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#include "drain/log_reader.h"

namespace spprof {

namespace {

// All of `parts`, or -1 with errno.
ssize_t WriteAll(int fd, iovec* parts, int count) {
  ssize_t total = 0;
  while (count > 0) {
    const ssize_t written = writev(fd, parts, count);
    if (written < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    total += written;
    size_t left = static_cast<size_t>(written);
    while (count > 0 && left >= parts->iov_len) {
      left -= parts->iov_len;
      parts++;
      count--;
    }
    if (count > 0) {
      parts->iov_base = static_cast<char*>(parts->iov_base) + left;
      parts->iov_len -= left;
    }
  }
  return total;
}

}  // namespace

LogWriter::~LogWriter() {
  if (fd_ >= 0) close(fd_);
}

Status LogWriter::Create(const std::string& path) {
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return Status::System("open", errno, "creating " + path);
  path_ = path;
  return WriteHeader();
}

Status LogWriter::CreateUnnamed() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
#ifdef O_TMPFILE
  fd_ = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
#endif
  if (fd_ < 0) fd_ = memfd_create("spprof-log", MFD_CLOEXEC);
  if (fd_ < 0) return Status::System("memfd_create", errno, "creating the log");
  path_ = "/proc/self/fd/" + std::to_string(fd_);
  return WriteHeader();
}

Status LogWriter::OpenToAppend(const std::string& path) {
  LogReader reader;
  Status status = LogReader::Open(path, &reader);
  if (!status.ok()) return status;
  LogChunk chunk;
  while (reader.Next(&chunk)) {
  }
  fd_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd_ < 0) return Status::System("open", errno, "opening " + path);
  if (ftruncate(fd_, static_cast<off_t>(reader.good_bytes())) != 0 ||
      lseek(fd_, static_cast<off_t>(reader.good_bytes()), SEEK_SET) < 0) {
    return Status::System("ftruncate", errno, "cutting the torn end of " + path);
  }
  path_ = path;
  sequence_ = reader.good_chunks();
  return Status::Ok();
}

Status LogWriter::WriteHeader() {
  LogHeader header{};
  header.magic = kLogMagic;
  header.version = kLogVersion;
  header.header_size = sizeof(header);
  iovec part = {&header, sizeof(header)};
  if (WriteAll(fd_, &part, 1) < 0)
    return Status::System("write", errno, "writing the log's header");
  bytes_written_ += sizeof(header);
  return Status::Ok();
}

bool LogWriter::AppendChunk(ChunkHeader header, const void* bytes, uint32_t length) {
  header.magic = kChunkMagic;
  header.length = length;
  header.sequence = sequence_;
  header.crc32c = ChunkCrc(header, std::span(static_cast<const std::byte*>(bytes), length));
  iovec parts[] = {{&header, sizeof(header)}, {const_cast<void*>(bytes), length}};
  const off_t before = lseek(fd_, 0, SEEK_END);
  if (WriteAll(fd_, parts, 2) < 0) {
    if (failure_.empty()) {
      failure_ = std::string("the log could not be written: ") + std::strerror(errno);
    }
    bytes_lost_ += length;
    // Half a chunk would hide all that may follow it.
    if (before >= 0 && ftruncate(fd_, before) == 0) lseek(fd_, before, SEEK_SET);
    return false;
  }
  sequence_++;
  bytes_written_ += sizeof(header) + length;
  return true;
}

bool LogWriter::AppendLane(ChunkKind kind, uint32_t slot, uint32_t generation,
                           uint64_t lane_position, const void* bytes, uint32_t length) {
  ChunkHeader header{};
  header.kind = kind;
  header.slot = slot;
  header.generation = generation;
  header.lane_position = lane_position;
  return AppendChunk(header, bytes, length);
}

bool LogWriter::Flush() {
  if (control_.empty()) return true;
  ChunkHeader header{};
  header.kind = ChunkKind::kControl;
  header.slot = 0xffffffff;
  const bool written = AppendChunk(header, control_.data(), static_cast<uint32_t>(control_.size()));
  control_.clear();
  return written;
}

Status LogWriter::Sync() {
  if (fdatasync(fd_) != 0 && errno != EINVAL)
    return Status::System("fdatasync", errno, "syncing the log");
  return Status::Ok();
}

}  // namespace spprof
