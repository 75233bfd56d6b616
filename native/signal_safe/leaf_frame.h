// Whether the innermost code has its frame, for generated code, which has no call-frame rules: the
// instructions ahead of the program counter tell. Code that will yet say `mov rbp, rsp` has none;
// code that will say `leave` has one; what returns, or jumps elsewhere for good, without either has
// none, and its return address is where that instruction will find it.
//
// Context: signal. Guarded loads only; looks at a bounded number of instructions.
#pragma once

#include <cstdint>

namespace spprof {

enum class LeafFrameKind : uint8_t {
  kNotLookedFor = 0,
  kUnknown,
  kOwn,         // the frame pointer is that of this code
  kNone,        // the return address is at sp + offset; the frame pointer is the caller's
  kInRegister,  // the return address is in register `offset` (as instructions number them)
  kHalfBuilt,   // the caller's frame pointer is at sp + offset, the return address above it
};

struct LeafFrame {
  LeafFrameKind kind = LeafFrameKind::kUnknown;
  int16_t offset = 0;
};

LeafFrame FindLeafFrame(uint64_t pc, uint32_t max_instructions);

}  // namespace spprof
