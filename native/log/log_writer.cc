#include "log/log_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

#include "log/log_reader.h"

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

// Held by the open file, not by the process: closing another descriptor of the file leaves it, and
// a forked child gives it up (platform/descriptor.h). 0, or why it could not be had.
int LockFile(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

}  // namespace

void LogWriter::Unlock() {
  struct flock lock {};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  const int fd = file_->Get();
  if (fd >= 0) fcntl(fd, F_OFD_SETLK, &lock);
  is_locked_ = false;
}

Status LogWriter::Create(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return Status::System("open", errno, "creating " + path);
  file_ = std::make_shared<Descriptor>(fd);
  path_ = path;
  is_locked_ = LockFile(file_->Get()) == 0;
  return WriteHeader();
}

Status LogWriter::CreateUnnamed() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
  int fd = -1;
#ifdef O_TMPFILE
  fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
#endif
  if (fd < 0) fd = memfd_create("spprof-log", MFD_CLOEXEC);
  if (fd < 0) return Status::System("memfd_create", errno, "creating the log");
  file_ = std::make_shared<Descriptor>(fd);
  return WriteHeader();
}

Status LogWriter::OpenToAppend(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Status::System("open", errno, "opening " + path);
  file_ = std::make_shared<Descriptor>(fd);
  const int locked = LockFile(file_->Get());
  if (locked == EAGAIN || locked == EACCES)
    return Status::Error(kErrRunning, "the process that records into " + path + " still runs");
  is_locked_ = locked == 0;
  LogReader reader;
  Status status = LogReader::OpenShared(file_, path, &reader);
  if (!status.ok()) return status;
  LogChunk chunk;
  while (reader.Next(&chunk)) {
  }
  if (ftruncate(file_->Get(), static_cast<off_t>(reader.good_bytes())) != 0 ||
      lseek(file_->Get(), static_cast<off_t>(reader.good_bytes()), SEEK_SET) < 0) {
    return Status::System("ftruncate", errno, "cutting the torn end of " + path);
  }
  path_ = path;
  sequence_ = reader.next_sequence();
  return Status::Ok();
}

Status LogWriter::WriteHeader() {
  LogHeader header{};
  header.magic = kLogMagic;
  header.version = kLogVersion;
  header.header_size = sizeof(header);
  iovec part = {&header, sizeof(header)};
  if (WriteAll(file_->Get(), &part, 1) < 0)
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
  const int fd = Reach();
  is_gone_ = fd < 0;
  if (is_gone_) {
    Fail("the program has closed its descriptor");
    return false;
  }
  const off_t before = lseek(fd, 0, SEEK_END);
  if (WriteAll(fd, parts, 2) < 0) {
    Fail(std::strerror(errno));
    // Half a chunk would have to be searched for those that may follow it.
    if (before >= 0 && ftruncate(fd, before) == 0) lseek(fd, before, SEEK_SET);
    return false;
  }
  sequence_++;
  bytes_written_ += sizeof(header) + length;
  return true;
}

void LogWriter::Fail(const std::string& reason) {
  if (failure_.empty()) failure_ = "the log could not be written: " + reason;
}

int LogWriter::Reach() {
  const int fd = file_->Get();
  if (fd >= 0 || path_.empty()) return fd;
  // Of another file under that name it is not known who reads it.
  Descriptor again(open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!again.IsSameFile(*file_)) return -1;
  is_locked_ = LockFile(again.Get()) == 0;
  *file_ = std::move(again);
  return file_->Get();
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

bool LogWriter::MakeRoom(size_t size) {
  // A chunk is far shorter than what readers accept, and a disk that stays full costs some memory
  // only.
  constexpr size_t kMaxPendingBytes = 4 << 20;
  if (control_.size() + size <= kMaxPendingBytes || Flush()) return true;
  bytes_lost_ += size;
  return false;
}

bool LogWriter::Flush() {
  if (control_.empty()) return true;
  ChunkHeader header{};
  header.kind = ChunkKind::kControl;
  header.slot = 0xffffffff;
  if (!AppendChunk(header, control_.data(), static_cast<uint32_t>(control_.size()))) return false;
  control_.clear();
  return true;
}

Status LogWriter::Sync() {
  if (fdatasync(Reach()) != 0 && errno != EINVAL)
    return Status::System("fdatasync", errno, "syncing the log");
  return Status::Ok();
}

}  // namespace spprof
