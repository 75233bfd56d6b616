// Native stack unwinding by the call-frame rules of .eh_frame (DWARF call-frame information): from
// a program counter to its rule, and from a frame's registers to its caller's.
//
// Context: signal | any thread. Never allocates, locks, or calls libc; reads only what is mapped of
// the module and of the stack, through guarded loads. The bytes of .eh_frame are treated as
// hostile. x86-64 only: elsewhere every rule is kBad.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "signal_safe/machine/registers.h"

namespace spprof {

// One loaded object with call-frame information; filled outside the handler from dl_iterate_phdr.
struct CfiModule {
  uintptr_t start, end;  // executable addresses
  uintptr_t eh_frame_hdr;
  size_t eh_frame_hdr_size;
  uintptr_t mapped_start, mapped_end;  // all of the object's mapped bytes: nothing outside is read
};

enum class RuleKind : uint8_t {
  kNone,        // no call-frame entry covers the program counter
  kPlain,       // cfa = register + offset; what is saved is at word offsets from it
  kExpression,  // anything else: interpreted again each time it is applied
  kEndOfStack,  // the return address is undefined: the thread's first function
  kBad,         // malformed, or more than this reader knows
};

// What a callee saves, in the order of UnwindRule::saved.
enum SavedRegister : uint8_t {
  kSavedFp,
  kSavedRbx,
  kSavedR12,
  kSavedR13,
  kSavedR14,
  kSavedR15,
  kSavedCount
};

// The rule of one program counter. Small and self-contained, so that it can be kept by program
// counter.
struct UnwindRule {
  RuleKind kind = RuleKind::kNone;
  bool is_signal_frame = false;  // the *caller's* pc is exact: look it up as it is, not one less
  uint8_t cfa_register = 0;      // DWARF number
  int8_t return_address = 0;     // words from the CFA
  int8_t saved[kSavedCount] =
      {};  // words from the CFA; 0: not saved, the caller's value is this frame's
  // kPlain: bytes from cfa_register to the CFA. kExpression: bytes from .eh_frame_hdr to the entry.
  int32_t offset = 0;
};
static_assert(sizeof(UnwindRule) == 16);
static_assert(std::is_trivially_copyable_v<UnwindRule>);

// The rule at `pc`, which is the address to look up: the caller has already subtracted one from a
// return address (a call may be the last instruction of its function), except in the frame that a
// signal interrupted.
UnwindRule DecodeRule(const CfiModule& module, uintptr_t pc);

enum class StepResult : uint8_t { kOk, kEndOfStack, kBad };

// Replaces `registers` by the caller's. `pc_lookup` is the pc that `rule` was decoded for. Reads
// lie in [registers->sp - 128, stack_end), 128 bytes being the red zone; the caller's sp must be
// above this one, a multiple of 8, and not above stack_end. A signal frame alone may lead to any
// other address: the handler may have run on an alternate stack, and the interrupted code's stack
// may have another end, which the caller of this has to find before the next step. On any result
// but kOk the registers are as they were.
StepResult ApplyRule(const CfiModule& module, const UnwindRule& rule, uintptr_t pc_lookup,
                     uintptr_t stack_end, Registers* registers);

}  // namespace spprof
