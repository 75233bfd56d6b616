// The decoder of a log that grows: chunks in any order, batches in between.
#include "fuzz_target.h"
#include "log_seeds.h"
#include "profile/live_decoder.h"

namespace spprof::fuzz {

namespace {

struct Head {
  uint8_t kind;  // of the chunk; 0x80: a batch is taken behind it
  uint8_t slot;
  uint8_t generation;
  uint8_t gap;  // words of the lane that are missing before it
  uint16_t length;
};

void AppendChunk(std::string* out, ChunkKind kind, uint8_t slot, const std::string& records) {
  Append(out, Head{static_cast<uint8_t>(static_cast<uint8_t>(kind) | 0x80), slot, 1, 0,
                   static_cast<uint16_t>(records.size())});
  *out += records;
}

void Check(const LiveBatch& batch) {
  size_t frames = 0;
  for (const uint32_t length : batch.new_stack_lengths) frames += length;
  Require(frames == batch.new_stack_frames.size(), "stacks and their frames differ");
  for (const uint32_t frame : batch.new_stack_frames)
    Require(frame < batch.first_frame + batch.frames.size(), "a frame that was not told");
  Require(batch.stack_ids.size() == batch.times_ms.size() &&
              batch.thread_ids.size() == batch.times_ms.size(),
          "columns of different lengths");
}

}  // namespace

const uint64_t kMaxCpuNs = kReaderCpuNs;

std::vector<std::string> Seeds() {
  const LogSeed records = SeedRecords();
  std::string seed;
  AppendChunk(&seed, ChunkKind::kControl, 0, records.control);
  for (const uint8_t slot : {0, 1}) {
    AppendChunk(&seed, ChunkKind::kDetail, slot, records.detail);
    AppendChunk(&seed, ChunkKind::kIndex, slot, records.index);
  }
  return {seed};
}

void RunOne(Bytes bytes) {
  Input input(bytes);
  LiveDecoder decoder;
  std::map<std::tuple<uint8_t, uint8_t, uint8_t>, uint64_t> positions;
  while (!input.is_empty()) {
    const auto head = input.Take<Head>();
    const Bytes payload = input.TakeBytes(head.length);
    uint64_t& position = positions[{head.kind & 3, head.slot, head.generation}];
    position += head.gap * 8u;
    ChunkHeader header{};
    header.kind = static_cast<ChunkKind>((head.kind & 3) % 3);
    header.slot = head.slot;
    header.generation = head.generation;
    header.lane_position = position;
    header.length = static_cast<uint32_t>(payload.size());
    position += payload.size();
    decoder.Add({header, std::as_bytes(payload)});
    if ((head.kind & 0x80) != 0) Check(decoder.Take());
  }
  Check(decoder.Take());
}

}  // namespace spprof::fuzz
