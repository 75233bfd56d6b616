// Evaluates the DWARF expressions of call-frame rules: straight-line stack code. As they occur: the
// PLT's (rsp + 8 + ((rip & 15) >= 11) << 3), OpenSSL's [rsp + k] + 8, GCC's stack re-alignment, the
// kernel's signal frame.
//
// Context: signal | any thread. Bounded: 16 words of stack, 64 operations, no branches.
#pragma once

#include <cstdint>

#include "signal_safe/machine/byte_cursor.h"
#include "signal_safe/machine/registers.h"

namespace spprof {

// The addresses of the sampled stack that may be read.
struct StackBounds {
  uintptr_t begin, end;

  // A guarded load of the word at `address`; false if it is not wholly inside.
  bool Load(uintptr_t address, uint64_t* word) const;
};

// Evaluates the length-prefixed expression at the cursor. `initial` is what the stack holds at the
// start (the CFA, for a register's rule), or null (for the CFA's own).
bool EvaluateExpression(ByteCursor* cursor, const Registers& registers, const StackBounds& stack,
                        const uint64_t* initial, uint64_t* result);

// The register that DWARF calls `number`; false if there is none.
bool ReadRegister(const Registers& registers, uint64_t number, uint64_t* value);

}  // namespace spprof
