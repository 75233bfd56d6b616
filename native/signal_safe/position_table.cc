#include "signal_safe/position_table.h"

#include "region/sequence.h"
#include "signal_safe/byte_cursor.h"

namespace spprof {

namespace {

constinit Sequence g_given_up{0};

// Whether it is counted as too long.
bool IsTooLong(uint32_t bytes) {
  if (bytes <= kMaxPositionTableBytes) return false;
  g_given_up.fetch_add(1, std::memory_order_relaxed);
  return true;
}

int64_t ZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Bytecodes 0 to 3 widen the operands of the next one.
constexpr uint8_t kWide = 0, kExtraWide = 1, kDebugBreakWide = 2, kDebugBreakExtraWide = 3;

// Moves `code` behind one bytecode; false at its end or at a bytecode that this V8 does not have.
bool SkipBytecode(const BytecodeSizes& sizes, ByteCursor* code) {
  uint32_t scale = 0;
  uint8_t opcode = code->U8();
  if (opcode <= kDebugBreakExtraWide) {
    scale = opcode == kWide || opcode == kDebugBreakWide ? 1 : 2;
    opcode = code->U8();
  }
  if (code->has_failed() || opcode >= sizes.opcode_count) return false;
  const uint8_t size = sizes.sizes[scale * sizes.opcode_count + opcode];
  if (size == 0) return false;
  code->Skip(size - 1u);
  return !code->has_failed();
}

}  // namespace

uint64_t PositionsGivenUp() { return g_given_up.load(std::memory_order_relaxed); }

SourcePosition UnpackSourcePosition(uint64_t word) {
  constexpr uint64_t kExternal = 1;
  SourcePosition position;
  position.inlining_id = static_cast<uint32_t>(word >> 31 & 0xffff);
  if ((word & kExternal) == 0) position.place = static_cast<uint32_t>(word >> 1 & 0x3fffffff);
  return position;
}

bool FindSourcePosition(PositionEncoding encoding, uintptr_t table, uint32_t bytes, uint32_t offset,
                        SourcePosition* out) {
  if (encoding == PositionEncoding::kUnknown || IsTooLong(bytes)) return false;
  ByteCursor cursor(table, table + bytes);
  int64_t code_offset = -1;
  uint64_t source = 0;
  bool is_found = false;
  while (!cursor.is_at_end()) {
    const uint64_t step = cursor.Uleb();
    int64_t distance;
    if (encoding == PositionEncoding::kSigned) {
      const int64_t value = ZigZag(step);
      distance = value >= 0 ? value : -(value + 1);
    } else {
      distance = static_cast<int64_t>(step >> 2);
    }
    const uint64_t moved = source + static_cast<uint64_t>(ZigZag(cursor.Uleb()));
    if (cursor.has_failed() || distance < 0 || distance > INT32_MAX || moved >> 47 != 0) {
      return false;
    }
    code_offset += distance;
    if (code_offset > int64_t{offset}) break;
    source = moved;
    is_found = true;
  }
  if (is_found) *out = UnpackSourcePosition(source);
  return is_found;
}

bool FindBaselineBytecode(const BytecodeSizes& sizes, uintptr_t table, uint32_t bytes,
                          const Bytecodes& bytecodes, uint32_t pc_offset, uint32_t* out) {
  if (sizes.sizes == nullptr || IsTooLong(bytes) || IsTooLong(bytecodes.length)) return false;
  ByteCursor cursor(table, table + bytes);
  ByteCursor code(bytecodes.begin, bytecodes.begin + bytecodes.length);
  uint64_t end = cursor.Uleb();  // the first one is the prologue's
  if (cursor.has_failed() || pc_offset < end) return false;
  bool is_found = false;
  // To the end also when the bytecode has been found, unless the sizes are certain: only the whole
  // proves that they are those of these bytecodes.
  while (!cursor.is_at_end() && !(is_found && sizes.is_certain)) {
    const uint32_t bytecode = static_cast<uint32_t>(code.position() - bytecodes.begin);
    end += cursor.Uleb();
    if (cursor.has_failed() || end > UINT32_MAX || !SkipBytecode(sizes, &code)) return false;
    if (is_found || pc_offset >= end) continue;
    *out = bytecode;
    is_found = true;
  }
  return is_found && (sizes.is_certain || code.is_at_end());
}

}  // namespace spprof
