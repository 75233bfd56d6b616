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
  kInRegister,  // the return address is in register `offset` (as instructions number them); the
                // caller's frame is made already
  kPopped,      // the same, but the caller's is not made: this makes it. kStackWord more for each
                // word that it has pushed so far
  kHalfBuilt,   // the caller's frame pointer is at sp + offset, the return address above it
};

inline constexpr int16_t kStackWord = 16;

struct LeafFrame {
  LeafFrameKind kind = LeafFrameKind::kUnknown;
  int16_t offset = 0;
  bool operator==(const LeafFrame&) const = default;
};

LeafFrame FindLeafFrame(uint64_t pc, uint32_t max_instructions);

// The entry of WebAssembly's baseline code, from V8 13 on: the function's number goes to r12, and a
// builtin is called to make the frame (V8's wasm/baseline/x64/liftoff-assembler-x64-inl.h).
struct LiftoffEntry {
  uint32_t function;  // among those that the module itself defines
  uint64_t call;
  uint64_t after_call;
};
bool ReadLiftoffEntry(uint64_t start, LiftoffEntry* out);

// Whether `pc` is in such an entry, at a jump to one, or where that builtin will return.
bool IsBeforeFrameOfLiftoff(uint64_t pc);

// The end of the first call at or after `start`, when there is one among the first few
// instructions; else 0.
uint64_t FindFirstCall(uint64_t start);

}  // namespace spprof
