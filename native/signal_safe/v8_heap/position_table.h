// V8's tables of source positions, as bytes: which place of a script belongs to an offset in
// bytecode or machine code, and which bytecode to a place in Sparkplug's code
// (docs/design/v8-internals.md 3). Bytes are treated as hostile: every read is bounded and guarded,
// every loop ends with its table.
//
// Context: signal | any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signal_safe/v8_heap/table_marks.h"

namespace spprof {

// How an entry tells its distance from the one before it. A wrong choice gives wrong lines and no
// error, so it is checked when a recording begins (v8/position_check.h).
enum class PositionEncoding : uint8_t {
  kUnknown = 0,
  kSigned = 1,   // zig-zag; a negative one marks an expression (V8 up to 13.6)
  kFlagged = 2,  // unsigned, two flags in the low bits (V8 14.1 to 14.6)
};

struct SourcePosition {
  uint32_t place = 0;        // 1 + offset in the script, UTF-16 units; 0: unknown
  uint32_t inlining_id = 0;  // 1 + index of the inlined call that the place is in; 0: none
};

// From the word in which V8 keeps a position.
SourcePosition UnpackSourcePosition(uint64_t word);

// No look reads more of a table: at two nanoseconds a byte, a longer one would hold up the program.
// A function of 1,500 lines has as much.
inline constexpr uint32_t kTableSliceBytes = 16 * 1024;
// How often a place was left open for that, in this process.
uint64_t PositionsGivenUp();

// The position that holds at `offset`: that of the last entry not behind it. False: there is none,
// the table is damaged, or the look has been broken off; it is counted then, and `marks` have where
// the next one goes on.
bool FindSourcePosition(PositionEncoding encoding, uintptr_t table, uint32_t bytes, uint32_t offset,
                        const MarksOfTable& marks, SourcePosition* out);

// Lengths of bytecodes with their operands, V8's own table: for each of three operand scales, one
// byte an opcode.
struct BytecodeSizes {
  const uint8_t* sizes = nullptr;
  uint32_t opcode_count = 0;
  bool is_certain = false;  // that of the running V8; else one of its version
};

struct Bytecodes {
  uintptr_t begin;
  uint32_t length;
};

// Whether `pc_offset` lies before the code of the first bytecode.
bool IsInBaselinePrologue(uintptr_t table, uint32_t bytes, uint32_t pc_offset);
// The offset of the bytecode whose Sparkplug code holds `pc_offset`. `table` gives, bytecode by
// bytecode, how much machine code it became. False: in the prologue; or, of sizes that are not
// certain, table and bytecodes do not fit each other to the last byte; or the look has been broken
// off, as above.
bool FindBaselineBytecode(const BytecodeSizes& sizes, uintptr_t table, uint32_t bytes,
                          const Bytecodes& bytecodes, uint32_t pc_offset, const MarksOfTable& marks,
                          uint32_t* out);

}  // namespace spprof
