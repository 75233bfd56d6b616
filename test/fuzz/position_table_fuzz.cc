// V8's tables of source positions, and Sparkplug's of bytecodes.
#include <array>
#include <memory>

#include "fuzz_target.h"
#include "signal_safe/v8_heap/position_table.h"

namespace spprof::fuzz {

namespace {

constexpr uint32_t kOpcodes = 200;

constexpr std::array<uint8_t, 3 * kOpcodes> MakeSizes() {
  std::array<uint8_t, 3 * kOpcodes> sizes{};
  for (uint32_t i = 0; i < sizes.size(); i++)  // some opcodes are none
    sizes[i] = static_cast<uint8_t>(i % 11 == 10 ? 0 : 1 + i % 11 * (1u << i / kOpcodes) % 12);
  return sizes;
}
constexpr std::array<uint8_t, 3 * kOpcodes> kSizes = MakeSizes();

struct Head {
  uint32_t offset;
  uint16_t table_bytes;
  uint8_t kind;
  uint8_t reserved;
};

}  // namespace

const uint64_t kMaxCpuNs = kHandlerCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const uint8_t kind : {0, 1, 2, 3, 8, 9}) {
    std::string seed;
    Append(&seed, Head{20, 12, kind, 0});
    seed.append("\x02\x10\x08\x22\x0a\x83\x01\x04\x41\x11\x02\x02", 12);
    seed.append("\x0b\x01\x02\x0c\x00\x14\x01\x02\x03\x04\x1a\x21", 12);
    seeds.push_back(seed);
  }
  return seeds;
}

void RunOne(Bytes bytes) {
  static FencedMemory table_memory(1 << 16), code_memory(1 << 16);
  Input input(bytes);
  const auto head = input.Take<Head>();
  const Bytes table = input.TakeBytes(head.table_bytes);
  const Bytes code = input.TakeBytes(code_memory.capacity());
  const uintptr_t at = table_memory.Put(table, (head.kind & 1) != 0);
  const auto table_bytes = static_cast<uint32_t>(table.size());
  const auto code_bytes = static_cast<uint32_t>(code.size());
  SourcePosition position;
  for (const auto encoding : {PositionEncoding::kSigned, PositionEncoding::kFlagged}) {
    // Again and again, where it goes on from marks.
    auto marks = std::make_unique<TableMarks>();
    const MarksOfTable marks_of_table(marks.get(), 1, at);
    bool is_found = false;
    for (uint32_t look = 0; look <= table_bytes / kTableSliceBytes && !is_found; look++) {
      is_found =
          FindSourcePosition(encoding, at, table_bytes, head.offset, marks_of_table, &position);
    }
    if (is_found) Require(position.inlining_id <= 1 << 16, "an inlining id that no word holds");
  }
  uint32_t offset;
  const BytecodeSizes sizes{kSizes.data(), kOpcodes, (head.kind & 8) != 0};
  const Bytecodes bytecodes{code_memory.Put(code, (head.kind & 2) != 0), code_bytes};
  auto marks = std::make_unique<TableMarks>();
  const MarksOfTable marks_of_table(marks.get(), 1, at);
  for (uint32_t look = 0; look < 8; look++) {
    if (!FindBaselineBytecode(sizes, at, table_bytes, bytecodes, head.offset, marks_of_table,
                              &offset))
      continue;
    Require(offset < code_bytes, "a bytecode behind the last");
  }
}

}  // namespace spprof::fuzz
