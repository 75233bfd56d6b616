// A small writer of logs for the tests of their readers: chunks in memory, with right sequences,
// positions and checksums. Context: tests.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "log/log_format.h"
#include "log/log_reader.h"
#include "region/records.h"

namespace spprof::fixture {

template <typename T>
void Append(std::string* out, const T& value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// A record of a fixed part and a tail, padded.
template <typename T>
std::string Record(RecordType type, T fixed, const std::string& tail = {}, uint16_t flags = 0) {
  fixed.header = {type, flags, static_cast<uint32_t>(RecordSize(sizeof(T), tail.size()))};
  std::string out;
  Append(&out, fixed);
  out += tail;
  out.resize(fixed.header.size, '\0');
  return out;
}

inline std::string Session(uint32_t pid, uint64_t start_ns, const std::string& version = "v22.0.0",
                           const std::string& path = "/usr/bin/node") {
  return Record(RecordType::kSession,
                SessionRecord{{},
                              1'700'000'000'000'000'000,
                              start_ns,
                              1'000'000,
                              pid,
                              0,
                              0,
                              static_cast<uint32_t>(version.size()),
                              static_cast<uint32_t>(path.size())},
                version + path);
}

inline std::string Sample(uint64_t time_ns, uint64_t cpu_ns, uint32_t stack_id,
                          uint32_t state = kVmStateUnknown, uint32_t handler_ns = 700,
                          uint32_t overruns = 0) {
  return Record(RecordType::kSample,
                SampleRecord{{}, time_ns, cpu_ns, stack_id, overruns, state, handler_ns});
}

inline std::string Stack(uint32_t stack_id, const std::vector<Frame>& leaf_first) {
  return Record(RecordType::kStack,
                StackRecord{{}, stack_id, static_cast<uint32_t>(leaf_first.size())},
                std::string(reinterpret_cast<const char*>(leaf_first.data()),
                            leaf_first.size() * sizeof(Frame)));
}

struct FunctionFields {
  int32_t script_id = -1;
  int32_t start_offset = -1;
  int32_t line = 0;
  int32_t column = 0;
  std::string line_lengths = {};
};

inline std::string Function(uint32_t id, const std::string& name, FunctionFields fields = {}) {
  return Record(RecordType::kFunction,
                FunctionRecord{{},
                               id,
                               fields.script_id,
                               1,
                               fields.start_offset,
                               fields.start_offset + 10,
                               fields.line,
                               fields.column,
                               static_cast<uint32_t>(name.size()),
                               static_cast<uint32_t>(fields.line_lengths.size()),
                               0},
                name + fields.line_lengths);
}

inline std::string FunctionUtf16(uint32_t id, const std::u16string& name) {
  return Record(
      RecordType::kFunction,
      FunctionRecord{{}, id, -1, 1, -1, -1, 0, 0, static_cast<uint32_t>(name.size()), 0, 0},
      std::string(reinterpret_cast<const char*>(name.data()), name.size() * 2), kTextTwoByte);
}

inline std::string Script(int32_t id, const std::string& name, uint32_t source_length = 0) {
  return Record(
      RecordType::kScript,
      ScriptRecord{{}, id, source_length, 0, 0, static_cast<uint32_t>(name.size()), 0, 0, 0}, name);
}

inline std::string Module(uint64_t start, uint64_t end, uint64_t file_offset,
                          const std::string& path, const std::string& build_id = {}) {
  return Record(RecordType::kModule,
                ModuleRecord{{},
                             start,
                             end,
                             file_offset,
                             static_cast<uint32_t>(path.size()),
                             static_cast<uint32_t>(build_id.size())},
                path + build_id);
}

inline std::string Thread(uint32_t slot, uint32_t generation, uint32_t tid, const std::string& name,
                          uint32_t kind = 0) {
  return Record(
      RecordType::kThread,
      ThreadRecord{{}, slot, generation, tid, kind, 1, static_cast<uint32_t>(name.size()), 0},
      name);
}

inline std::string Stat(const std::string& name, uint64_t value) {
  return Record(RecordType::kStats, StatRecord{{}, value, static_cast<uint32_t>(name.size()), 0},
                name);
}

inline std::string End(uint64_t monotonic_ns) {
  return Record(RecordType::kEnd, EndRecord{{}, monotonic_ns});
}

inline std::span<const std::byte> BytesOf(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

class LogWriter {
 public:
  LogWriter() { Append(&bytes_, LogHeader{kLogMagic, kLogVersion, sizeof(LogHeader), {}}); }

  void Control(const std::string& records) {
    Chunk(ChunkKind::kControl, 0xffffffff, 0, 0, records);
  }
  // The next bytes of a lane.
  void Detail(uint32_t slot, uint32_t generation, const std::string& bytes) {
    Lane(ChunkKind::kDetail, slot, generation, bytes);
  }
  void Index(uint32_t slot, uint32_t generation, const std::string& bytes) {
    Lane(ChunkKind::kIndex, slot, generation, bytes);
  }
  // Bytes at any position of a lane; the next ones follow behind them.
  void LaneAt(ChunkKind kind, uint32_t slot, uint32_t generation, uint64_t position,
              const std::string& bytes) {
    Chunk(kind, slot, generation, position, bytes);
    positions_[{kind, slot, generation}] = position + bytes.size();
  }

  const std::string& bytes() const { return bytes_; }
  // Where each chunk begins, and where the last one ends.
  std::vector<size_t> Boundaries() const {
    std::vector<size_t> result = chunk_starts_;
    result.push_back(bytes_.size());
    return result;
  }

 private:
  void Lane(ChunkKind kind, uint32_t slot, uint32_t generation, const std::string& bytes) {
    LaneAt(kind, slot, generation, positions_[{kind, slot, generation}], bytes);
  }

  void Chunk(ChunkKind kind, uint32_t slot, uint32_t generation, uint64_t position,
             const std::string& payload) {
    chunk_starts_.push_back(bytes_.size());
    ChunkHeader header{kChunkMagic, 0,          kind,        static_cast<uint32_t>(payload.size()),
                       slot,        generation, sequence_++, position};
    header.crc32c = ChunkCrc(header, BytesOf(payload));
    Append(&bytes_, header);
    bytes_ += payload;
  }

  std::string bytes_;
  std::vector<size_t> chunk_starts_;
  uint64_t sequence_ = 0;
  std::map<std::tuple<ChunkKind, uint32_t, uint32_t>, uint64_t> positions_;
};

// Makes the checksums and magics of the chunks of a damaged log right again, as far as its lengths
// lead, so that what is behind the checksum meets hostile bytes too.
inline void RepairChecksums(std::string* log) {
  size_t at = sizeof(LogHeader);
  uint64_t sequence = 0;
  while (log->size() >= at + sizeof(ChunkHeader)) {
    ChunkHeader header;
    memcpy(&header, log->data() + at, sizeof(header));
    if (header.length > log->size() - at - sizeof(header)) break;
    header.magic = kChunkMagic;
    header.sequence = sequence++;
    header.crc32c = ChunkCrc(header, BytesOf(*log).subspan(at + sizeof(header), header.length));
    memcpy(log->data() + at, &header, sizeof(header));
    at += sizeof(header) + header.length;
  }
}

// A file with a content of our choice, gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content = {}, const std::string& suffix = {}) {
    path_ = "/tmp/spprof_test_XXXXXX" + suffix;
    const int fd = mkstemps(path_.data(), static_cast<int>(suffix.size()));
    if (fd < 0) abort();
    close(fd);
    Write(content);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void Write(const std::string& content) {
    FILE* file = fopen(path_.c_str(), "wb");
    if (file == nullptr || fwrite(content.data(), 1, content.size(), file) != content.size())
      abort();
    fclose(file);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace spprof::fixture
