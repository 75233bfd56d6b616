#include "drain/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/crc32c.h"

namespace spprof {
namespace {

// Reads exactly `size` bytes; false at an early end of the file or an error.
bool ReadFully(int fd, void* out, size_t size, uint64_t offset) {
  auto* bytes = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t n = pread(fd, bytes, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

uint32_t ChunkCrc(const ChunkHeader& header, std::span<const std::byte> payload) {
  unsigned char bytes[sizeof(ChunkHeader)];
  memcpy(bytes, &header, sizeof(header));
  constexpr size_t kCovered = offsetof(ChunkHeader, kind);
  const uint32_t crc = Crc32c(bytes + kCovered, sizeof(bytes) - kCovered);
  return Crc32c(payload.data(), payload.size(), crc);
}

LogReader::~LogReader() {
  if (fd_ >= 0) close(fd_);
}

LogReader::LogReader(LogReader&& other) noexcept { *this = std::move(other); }

LogReader& LogReader::operator=(LogReader&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  std::swap(stop_reason_, other.stop_reason_);
  file_size_ = other.file_size_;
  position_ = other.position_;
  next_sequence_ = other.next_sequence_;
  is_stopped_ = other.is_stopped_;
  return *this;
}

Status LogReader::Open(const std::string& path, LogReader* out) {
  LogReader reader;
  // O_NONBLOCK: a FIFO under that name must not hold us up.
  reader.fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (reader.fd_ < 0) return Status::System("open", errno, "reading the recording " + path);
  struct stat info;
  if (fstat(reader.fd_, &info) != 0)
    return Status::System("fstat", errno, "reading the recording " + path);
  if (!S_ISREG(info.st_mode))
    return Status::Error(kErrBadRecording, path + " is not a regular file");
  reader.file_size_ = static_cast<uint64_t>(info.st_size);

  LogHeader header;
  if (reader.file_size_ < sizeof(header) || !ReadFully(reader.fd_, &header, sizeof(header), 0)) {
    return Status::Error(kErrBadRecording, path + " is shorter than a recording's header");
  }
  if (header.magic != kLogMagic)
    return Status::Error(kErrBadRecording, path + " is not an spprof recording");
  if (header.version != kLogVersion) {
    return Status::Error(kErrBadRecording, path + " has version " + std::to_string(header.version) +
                                               " of the format; this spprof reads version " +
                                               std::to_string(kLogVersion));
  }
  if (header.header_size < sizeof(header) || header.header_size % 8 != 0 ||
      header.header_size > reader.file_size_) {
    return Status::Error(kErrBadRecording, path + " has a damaged header");
  }
  reader.position_ = header.header_size;
  *out = std::move(reader);
  return Status::Ok();
}

void LogReader::LookAgain() {
  struct stat info;
  if (fd_ < 0 || fstat(fd_, &info) != 0) return;
  file_size_ = std::max(position_, static_cast<uint64_t>(info.st_size));
  is_stopped_ = false;
  stop_reason_.clear();
}

bool LogReader::Stop(const char* reason) {
  is_stopped_ = true;
  stop_reason_ = reason;
  return false;
}

bool LogReader::Next(LogChunk* out) {
  if (is_stopped_ || fd_ < 0) return false;
  const uint64_t left = file_size_ - position_;
  if (left == 0) return Stop("");
  ChunkHeader header;
  if (left < sizeof(header)) return Stop("the file ends within a chunk's header");
  if (!ReadFully(fd_, &header, sizeof(header), position_))
    return Stop("the file cannot be read further");
  if (header.magic != kChunkMagic) return Stop("no chunk begins here");
  if (header.length % 8 != 0 || header.length > kMaxChunkBytes)
    return Stop("a chunk's length is impossible");
  if (header.length > left - sizeof(header)) return Stop("the file ends within a chunk");
  buffer_.resize(header.length);
  if (!ReadFully(fd_, buffer_.data(), header.length, position_ + sizeof(header))) {
    return Stop("the file cannot be read further");
  }
  if (ChunkCrc(header, buffer_) != header.crc32c) return Stop("a chunk's checksum does not match");
  // Below the checksum, so that a flipped bit is called by its name.
  if (header.sequence != next_sequence_) return Stop("a chunk is missing");
  if (header.kind > ChunkKind::kIndex) return Stop("a chunk's kind is unknown");
  position_ += sizeof(header) + header.length;
  ++next_sequence_;
  *out = {header, buffer_};
  return true;
}

}  // namespace spprof
