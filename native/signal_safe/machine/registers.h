// The registers of one frame, as a stack walk carries them from callee to caller.
//
// Context: signal | any thread. Plain data.
#pragma once

#include <ucontext.h>

#include <cstdint>

namespace spprof {

struct Registers {
  uint64_t pc, sp, fp;
  uint64_t rbx, r12, r13, r14, r15;  // with fp, what a callee preserves
  // What a callee may destroy. Certain in the interrupted frame and in one that a signal
  // interrupted (has_scratch); elsewhere it is what the frames below left. Rules may use it there
  // too: one that is based on such a register at a call (r11 or rax in OpenSSL's assembly) is in
  // force when the callee returns, so this callee keeps it.
  uint64_t rax, rdx, rcx, rsi, rdi, r8, r9, r10, r11;
  bool has_scratch;

  static Registers FromContext(const ucontext_t& context);
};

// DWARF's numbers of the x86-64 registers (System V ABI, figure 3.36).
inline constexpr unsigned kDwarfRbx = 3;
inline constexpr unsigned kDwarfFp = 6;
inline constexpr unsigned kDwarfSp = 7;
inline constexpr unsigned kDwarfR12 = 12;
inline constexpr unsigned kDwarfR13 = 13;
inline constexpr unsigned kDwarfR14 = 14;
inline constexpr unsigned kDwarfR15 = 15;
inline constexpr unsigned kDwarfReturnAddress = 16;
inline constexpr unsigned kDwarfRegisterCount = 17;

// The member that DWARF calls `number`; number < kDwarfRegisterCount.
inline constexpr uint64_t Registers::*kDwarfRegisters[kDwarfRegisterCount] = {
    &Registers::rax, &Registers::rdx, &Registers::rcx, &Registers::rbx, &Registers::rsi,
    &Registers::rdi, &Registers::fp,  &Registers::sp,  &Registers::r8,  &Registers::r9,
    &Registers::r10, &Registers::r11, &Registers::r12, &Registers::r13, &Registers::r14,
    &Registers::r15, &Registers::pc};

// The member that x86-64's instructions call `number`, below 16.
inline constexpr uint64_t Registers::*kX86Registers[16] = {
    &Registers::rax, &Registers::rcx, &Registers::rdx, &Registers::rbx,
    &Registers::sp,  &Registers::fp,  &Registers::rsi, &Registers::rdi,
    &Registers::r8,  &Registers::r9,  &Registers::r10, &Registers::r11,
    &Registers::r12, &Registers::r13, &Registers::r14, &Registers::r15};

inline Registers Registers::FromContext(const ucontext_t& context) {
  Registers registers{};
#if defined(__x86_64__)
  const auto& g = context.uc_mcontext.gregs;
  const auto word = [&g](int index) { return static_cast<uint64_t>(g[index]); };
  registers.pc = word(REG_RIP);
  registers.sp = word(REG_RSP);
  registers.fp = word(REG_RBP);
  registers.rbx = word(REG_RBX);
  registers.r12 = word(REG_R12);
  registers.r13 = word(REG_R13);
  registers.r14 = word(REG_R14);
  registers.r15 = word(REG_R15);
  registers.rax = word(REG_RAX);
  registers.rdx = word(REG_RDX);
  registers.rcx = word(REG_RCX);
  registers.rsi = word(REG_RSI);
  registers.rdi = word(REG_RDI);
  registers.r8 = word(REG_R8);
  registers.r9 = word(REG_R9);
  registers.r10 = word(REG_R10);
  registers.r11 = word(REG_R11);
  registers.has_scratch = true;
#elif defined(__aarch64__)
  registers.pc = context.uc_mcontext.pc;
  registers.sp = context.uc_mcontext.sp;
  registers.fp = context.uc_mcontext.regs[29];
#endif
  return registers;
}

}  // namespace spprof
