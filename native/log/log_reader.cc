#include "log/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/crc32c.h"

namespace spprof {
namespace {

// How often a byte may be read in the search for good chunks.
constexpr uint64_t kSearchedTimes = 8;

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

Status LogReader::Open(const std::string& path, LogReader* out, const LogRange& range) {
  // O_NONBLOCK: a FIFO under that name must not hold us up.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Status::System("open", errno, "reading the recording " + path);
  return OpenShared(std::make_shared<Descriptor>(fd), path, out, range);
}

Status LogReader::OpenShared(std::shared_ptr<const Descriptor> file, const std::string& path,
                             LogReader* out, const LogRange& range) {
  LogReader reader;
  const int fd = file->Get();
  if (fd < 0) {
    return Status::Error(kErrBadRecording,
                         "the recording cannot be read: the program has closed its descriptor");
  }
  reader.file_ = std::move(file);
  struct stat info;
  if (fstat(fd, &info) != 0) return Status::System("fstat", errno, "reading the recording " + path);
  if (!S_ISREG(info.st_mode))
    return Status::Error(kErrBadRecording, path + " is not a regular file");
  const auto file_size = static_cast<uint64_t>(info.st_size);
  if (range.offset > file_size)
    return Status::Error(kErrBadRecording, path + " ends before the recording begins");
  reader.begin_ = range.offset;
  reader.end_ = range.offset + std::min(range.length, file_size - range.offset);

  LogHeader header;
  if (reader.log_bytes() < sizeof(header) ||
      !ReadFully(fd, &header, sizeof(header), reader.begin_)) {
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
      header.header_size > reader.log_bytes()) {
    return Status::Error(kErrBadRecording, path + " has a damaged header");
  }
  reader.position_ = reader.begin_ + header.header_size;
  reader.search_budget_ = kSearchedTimes * reader.log_bytes() + kMaxChunkBytes;
  *out = std::move(reader);
  return Status::Ok();
}

void LogReader::LookAgain() {
  is_live_ = true;
  struct stat info;
  if (file_ == nullptr || fstat(file_->Get(), &info) != 0) return;
  end_ = std::max(position_, static_cast<uint64_t>(info.st_size));
  is_stopped_ = false;
  stop_reason_.clear();
}

bool LogReader::Stop(const char* reason) {
  is_stopped_ = true;
  stop_reason_ = reason;
  return false;
}

const char* LogReader::ReadChunk(uint64_t position, ChunkHeader* header) {
  static constexpr char kUnreadable[] = "the file cannot be read further";
  const uint64_t left = end_ - position;
  if (left < sizeof(*header)) return "the file ends within a chunk's header";
  const int fd = file_->Get();
  if (!ReadFully(fd, header, sizeof(*header), position)) return kUnreadable;
  if (header->magic != kChunkMagic) return "no chunk begins here";
  if (header->length % 8 != 0 || header->length > kMaxChunkBytes)
    return "a chunk's length is impossible";
  if (header->length > left - sizeof(*header)) return "the file ends within a chunk";
  buffer_.resize(header->length);
  if (!ReadFully(fd, buffer_.data(), header->length, position + sizeof(*header)))
    return kUnreadable;
  if (ChunkCrc(*header, buffer_) != header->crc32c) return "a chunk's checksum does not match";
  // Below the checksum, so that a flipped bit is called by its name.
  if (header->sequence < next_sequence_) return "a chunk comes twice";
  if (header->kind > ChunkKind::kIndex) return "a chunk's kind is unknown";
  return nullptr;
}

bool LogReader::FindChunk(uint64_t position, ChunkHeader* header, uint64_t* found) {
  constexpr size_t kWindow = 1 << 16;
  const std::string_view magic(reinterpret_cast<const char*>(&kChunkMagic), sizeof(kChunkMagic));
  std::string window;
  while (position + sizeof(*header) <= end_) {
    const size_t length = std::min<uint64_t>(kWindow, end_ - position);
    if (search_budget_ < length) return false;
    search_budget_ -= length;
    window.resize(length);
    if (!ReadFully(file_->Get(), window.data(), length, position)) return false;
    for (size_t at = 0; (at = window.find(magic, at)) != std::string::npos; at++) {
      *found = position + at;
      if (ReadChunk(*found, header) == nullptr) return true;
      // Made to harm, a file has one chunk in the other.
      const uint64_t read = std::min(header->length, kMaxChunkBytes);
      if (search_budget_ < read) return false;
      search_budget_ -= read;
    }
    position += length - (magic.size() - 1);  // where the magic may be cut
  }
  return false;
}

bool LogReader::Next(LogChunk* out) {
  if (is_stopped_ || file_ == nullptr) return false;
  if (end_ == position_) return Stop("");
  ChunkHeader header;
  uint64_t found = position_;
  const char* problem = ReadChunk(position_, &header);
  if (problem != nullptr) {
    if (is_live_ || !FindChunk(position_ + 1, &header, &found)) return Stop(problem);
    skipped_bytes_ += found - position_;
    skipped_places_++;
  }
  position_ = found + sizeof(header) + header.length;
  missing_chunks_ += header.sequence - next_sequence_;
  next_sequence_ = header.sequence + 1;
  *out = {header, buffer_};
  return true;
}

}  // namespace spprof
