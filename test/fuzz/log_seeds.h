// A recording's records, as seeds of the targets that read them.
//
// Context: fuzz targets only.
#pragma once

#include <string>

#include "log_fixture.h"

namespace spprof::fuzz {

struct LogSeed {
  std::string control, detail, index;
};

inline LogSeed SeedRecords() {
  using namespace fixture;  // NOLINT: written in its words
  constexpr uint64_t kMs = 1'000'000;
  LogSeed seed;
  seed.control = Session(4242, 0) + Thread(0, 1, 4242, "main", 1) +
                 Thread(1, 3, 4243, "worker", 2) + Module(0x10000, 0x20000, 0, "[vdso]") +
                 Stat("samples", 5) + End(400 * kMs);
  ThreadTotalsRecord totals{};
  totals.slot = 0;
  totals.generation = 1;
  totals.reason_count = 3;
  seed.control += Record(RecordType::kThreadTotals, totals, std::string(24, '\1'));
  OffCpuRecord sleep{};
  sleep.generation = 1;
  sleep.time_ns = 100 * kMs;
  sleep.wall_ns = 50 * kMs;
  sleep.stack_id = 1;
  seed.control += Record(RecordType::kOffCpu, sleep);
  MarkRecord mark{};
  mark.time_ns = 20 * kMs;
  mark.name_length = 4;
  mark.detail_length = 2;
  seed.control += Record(RecordType::kMark, mark, "mark{}");
  MapPieceRecord map{};
  map.script_id = 7;
  map.piece_length = map.map_length = 7;
  seed.detail =
      Script(7, "file:///a/b.js", 100) + Record(RecordType::kMapPiece, map, "data:{}") +
      Function(1, "outer",
               {.script_id = 7,
                .start_offset = 3,
                .line = 2,
                .column = 5,
                .line_lengths = "\x10\x20\x05"}) +
      FunctionUtf16(2, u"g\u00fc\xd800") +
      Stack(1, {MakeJsFrame(Tier::kTurbofan, 1, 4), MakeJsFrame(Tier::kInterpreted, 2, 9),
                MakeFrame(FrameType::kNative, 0x10010), MakeFrame(FrameType::kGc, 0)}) +
      Stack(2, {MakeFrame(FrameType::kBuiltin, 0x10010), MakeFrame(FrameType::kTruncated, 0),
                MakeFrame(FrameType::kWasm, 0x30000)});
  BlockRecord block{};
  block.label = 1;
  block.profiler_length = block.track_length = block.name_length = 1;
  seed.detail += Record(RecordType::kBlock, block, "ptn");
  for (uint64_t i = 0; i < 6; i++)
    seed.index += Sample(i * 4 * kMs, 4 * kMs, i < 4 ? 1 : 2, 1u << i);
  return seed;
}

}  // namespace spprof::fuzz
