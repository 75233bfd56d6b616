// Interprets the call-frame instructions of one entry up to a program counter, which yields one row
// of the table that they stand for: how to find the CFA, and every register of the caller.
//
// Context: signal | any thread. Bounded: at most kMaxInstructions, remember_state nested to
// kMaxRemembered.
#pragma once

#include <cstdint>

#include "signal_safe/cfi/cfi_lookup.h"

namespace spprof {

enum class CfaKind : uint8_t { kUndefined, kRegister, kExpression };

enum class RegisterRule : uint8_t {
  kUnspecified,      // as kSameValue
  kUndefined,        // cannot be recovered
  kSameValue,        // the caller's value is this frame's
  kOffset,           // saved at CFA + value
  kValueOffset,      // is CFA + value
  kRegister,         // is in register number `value`
  kExpression,       // saved at the address that an expression yields
  kValueExpression,  // is what an expression yields
};

// An expression is kept as the distance from .eh_frame_hdr to its length: it is read again when it
// is evaluated.
struct FrameRow {
  int32_t cfa_value = 0;  // offset or expression
  int32_t values[kDwarfRegisterCount] = {};
  RegisterRule rules[kDwarfRegisterCount] = {};
  uint8_t cfa_register = 0;
  CfaKind cfa_kind = CfaKind::kUndefined;
};

inline constexpr unsigned kMaxRemembered = 4;
// Some 30 us. The longest entries that were seen (node 26, LLVM) have half as many.
inline constexpr unsigned kMaxInstructions = 1u << 13;

// The row in force at `pc`, which `entry` covers; false if the instructions are malformed or
// unknown.
bool InterpretEntry(const CfiModule& module, const FrameEntry& entry, uintptr_t pc, FrameRow* row);

}  // namespace spprof
