// One x86-64 instruction, as far as a stack walk needs to know it: its length, and what it does to
// the stack, the frame pointer and the program counter.
//
// Context: signal | any thread. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spprof {

inline constexpr size_t kMaxInstructionBytes = 15;
// As instructions number them.
inline constexpr uint8_t kX86Sp = 4;
inline constexpr uint8_t kX86Fp = 5;
inline constexpr uint8_t kX86R10 = 10;
inline constexpr uint8_t kX86R11 = 11;

enum class X86Effect : uint8_t {
  kNone,      // none of these
  kPush,      // `reg`, or something else when reg is kNoRegister
  kPop,       // into `reg`
  kMoveSp,    // by `value` bytes
  kSetSp,     // to what is not known here
  kSpFromFp,  // mov rsp, rbp
  kLeave,     // leave, or another load of rbp
  kFpFromSp,  // mov rbp, rsp
  kCall,
  kReturn,          // ret, ret imm16
  kJump,            // by `value` bytes from its end
  kBranch,          // the same on a condition
  kJumpToRegister,  // `reg`
  kJumpToMemory,    // through a pointer; `reg` kNoRegister: through a table
  kTrap,            // int3, ud2, hlt
};
inline constexpr uint8_t kNoRegister = 16;
inline constexpr uint8_t kFromStack = 17;

struct X86Instruction {
  uint8_t length = 0;
  X86Effect effect = X86Effect::kNone;
  uint8_t reg = kNoRegister;
  int32_t value = 0;
};

// `bytes` holds kMaxInstructionBytes. False: it is no instruction that compilers use.
bool DecodeX86(const uint8_t* bytes, X86Instruction* out);

}  // namespace spprof
