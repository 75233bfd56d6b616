#include "signal_safe/cfi/cfi.h"

#include "signal_safe/cfi/cfi_interpreter.h"
#include "signal_safe/cfi/cfi_lookup.h"
#include "signal_safe/cfi/dwarf_expression.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {
namespace {

// x86-64: what the interrupted code may use below its stack pointer, and the kernel leaves alone.
constexpr uintptr_t kRedZone = 128;

constexpr unsigned kSavedNumbers[kSavedCount] = {kDwarfFp,  kDwarfRbx, kDwarfR12,
                                                 kDwarfR13, kDwarfR14, kDwarfR15};

StackBounds BoundsOf(const Registers& registers, uintptr_t stack_end) {
  const uintptr_t sp = registers.sp;
  return {sp > kRedZone ? sp - kRedZone : 0, stack_end};
}

// `offset` bytes from the CFA as words, 0 if it does not fit.
int8_t WordOffset(int32_t offset) {
  if (offset % 8 != 0 || offset < -127 * 8 || offset > 127 * 8) return 0;
  return static_cast<int8_t>(offset / 8);
}

// Fills the offsets of a kPlain rule; false if the row is more than such a rule can say.
bool PackPlain(const FrameRow& row, UnwindRule* rule) {
  if (row.cfa_kind != CfaKind::kRegister) return false;
  if (row.rules[kDwarfReturnAddress] != RegisterRule::kOffset) return false;
  const RegisterRule sp = row.rules[kDwarfSp];
  if (sp != RegisterRule::kUnspecified && sp != RegisterRule::kSameValue) return false;
  rule->return_address = WordOffset(row.values[kDwarfReturnAddress]);
  if (rule->return_address == 0) return false;
  for (unsigned i = 0; i < kSavedCount; ++i) {
    switch (row.rules[kSavedNumbers[i]]) {
      case RegisterRule::kUnspecified:
      case RegisterRule::kUndefined:
      case RegisterRule::kSameValue:
        rule->saved[i] = 0;
        break;
      case RegisterRule::kOffset:
        rule->saved[i] = WordOffset(row.values[kSavedNumbers[i]]);
        if (rule->saved[i] == 0) return false;
        break;
      default:
        return false;
    }
  }
  rule->cfa_register = row.cfa_register;
  rule->offset = row.cfa_value;
  return true;
}

bool IsPlausibleSp(uint64_t sp, const Registers& callee, uintptr_t stack_end) {
  return sp > callee.sp && sp <= stack_end && sp % 8 == 0;
}

// Sets what a step has found, if it can be a caller's.
StepResult Commit(const Registers& caller, Registers* registers) {
  // Pushed by hand (makecontext, coroutines) where nothing is to be returned to.
  if (caller.pc == 0) return StepResult::kEndOfStack;
  *registers = caller;
  return StepResult::kOk;
}

StepResult ApplyPlain(const UnwindRule& rule, uintptr_t stack_end, Registers* registers) {
  uint64_t base;
  if (!ReadRegister(*registers, rule.cfa_register, &base)) return StepResult::kBad;
  const uint64_t cfa = base + static_cast<uint64_t>(int64_t{rule.offset});
  if (!IsPlausibleSp(cfa, *registers, stack_end)) return StepResult::kBad;

  const StackBounds stack = BoundsOf(*registers, stack_end);
  const auto load = [&](int8_t words, uint64_t* out) {
    return stack.Load(cfa + static_cast<uint64_t>(int64_t{words} * 8), out);
  };
  uint64_t pc;
  if (!load(rule.return_address, &pc)) return StepResult::kBad;
  if (pc == 0) return StepResult::kEndOfStack;
  uint64_t saved[kSavedCount];
  static constexpr uint64_t Registers::*kMembers[kSavedCount] = {&Registers::fp,  &Registers::rbx,
                                                                 &Registers::r12, &Registers::r13,
                                                                 &Registers::r14, &Registers::r15};
  for (unsigned i = 0; i < kSavedCount; ++i) {
    saved[i] = registers->*kMembers[i];
    if (rule.saved[i] != 0 && !load(rule.saved[i], &saved[i])) return StepResult::kBad;
  }
  for (unsigned i = 0; i < kSavedCount; ++i) registers->*kMembers[i] = saved[i];
  registers->pc = pc;
  registers->sp = cfa;
  registers->has_scratch = false;
  return StepResult::kOk;
}

// Applies a row of any kind.
class RowApplier {
 public:
  RowApplier(const CfiModule& module, const FrameRow& row, bool is_signal_frame,
             const Registers& callee, uintptr_t stack_end)
      : module_(module),
        row_(row),
        is_signal_frame_(is_signal_frame),
        callee_(callee),
        stack_(BoundsOf(callee, stack_end)) {}

  StepResult Run(Registers* registers) {
    if (!ComputeCfa()) return StepResult::kBad;
    Registers caller = callee_;
    caller.sp = cfa_;
    caller.has_scratch = is_signal_frame_;
    for (unsigned number = 0; number < kDwarfRegisterCount; ++number) {
      if (!Recover(number, &(caller.*kDwarfRegisters[number]))) return StepResult::kBad;
    }
    const RegisterRule pc_rule = row_.rules[kDwarfReturnAddress];
    if (pc_rule == RegisterRule::kUnspecified || pc_rule == RegisterRule::kSameValue) {
      return StepResult::kBad;
    }
    // The code that a signal interrupted may run on another stack than the handler. And vfork()
    // keeps its return address in a register: it has popped it, so the stack pointer is the
    // caller's already.
    const bool is_popped = pc_rule == RegisterRule::kRegister && caller.sp == callee_.sp;
    if (!is_signal_frame_ && !is_popped && !IsPlausibleSp(caller.sp, callee_, stack_.end)) {
      return StepResult::kBad;
    }
    return Commit(caller, registers);
  }

 private:
  bool ComputeCfa() {
    if (row_.cfa_kind == CfaKind::kExpression) return Evaluate(row_.cfa_value, nullptr, &cfa_);
    uint64_t base;
    if (row_.cfa_kind != CfaKind::kRegister || !ReadRegister(callee_, row_.cfa_register, &base))
      return false;
    cfa_ = base + static_cast<uint64_t>(int64_t{row_.cfa_value});
    return true;
  }

  bool Recover(unsigned number, uint64_t* value) {
    const uint64_t operand = static_cast<uint64_t>(int64_t{row_.values[number]});
    uint64_t address;
    switch (row_.rules[number]) {
      case RegisterRule::kUnspecified:
      case RegisterRule::kUndefined:
      case RegisterRule::kSameValue:
        return true;
      case RegisterRule::kOffset:
        return stack_.Load(cfa_ + operand, value);
      case RegisterRule::kValueOffset:
        *value = cfa_ + operand;
        return true;
      case RegisterRule::kRegister:
        return ReadRegister(callee_, operand, value);
      case RegisterRule::kExpression:
        if (!Evaluate(row_.values[number], &cfa_, &address)) return false;
        // GCC does not take the rules of a re-aligned frame ("rbp is saved at [rbp]") back when its
        // epilogue has popped rbp. They then point into the caller's frame or to nowhere, and the
        // register is the caller's already.
        if (!is_signal_frame_ && number != kDwarfReturnAddress && !IsInFrame(address)) return true;
        return stack_.Load(address, value);
      case RegisterRule::kValueExpression:
        return Evaluate(row_.values[number], &cfa_, value);
    }
    return false;
  }

  // What a frame saves lies between its red zone and its CFA.
  bool IsInFrame(uintptr_t address) const { return address >= stack_.begin && address < cfa_; }

  bool Evaluate(int32_t expression, const uint64_t* initial, uint64_t* result) {
    const uintptr_t address = module_.eh_frame_hdr + static_cast<uint64_t>(int64_t{expression});
    if (address < module_.mapped_start || address >= module_.mapped_end) return false;
    ByteCursor cursor(address, module_.mapped_end);
    return EvaluateExpression(&cursor, callee_, stack_, initial, result);
  }

  const CfiModule& module_;
  const FrameRow& row_;
  const bool is_signal_frame_;
  const Registers& callee_;
  const StackBounds stack_;
  uint64_t cfa_ = 0;
};

}  // namespace

UnwindRule DecodeRule(const CfiModule& module, uintptr_t pc) {
  UnwindRule rule;
  FrameEntry entry;
  const LookupResult found = FindFrameEntry(module, pc, &entry);
  if (found != LookupResult::kFound) {
    rule.kind = found == LookupResult::kNone ? RuleKind::kNone : RuleKind::kBad;
    return rule;
  }
  FrameRow row;
  rule.kind = RuleKind::kBad;
  if (!InterpretEntry(module, entry, pc, &row)) return rule;
  rule.is_signal_frame = entry.is_signal_frame;
  const RegisterRule return_address = row.rules[kDwarfReturnAddress];
  if (return_address == RegisterRule::kUndefined) {
    rule.kind = RuleKind::kEndOfStack;
  } else if (row.cfa_kind == CfaKind::kUndefined || return_address == RegisterRule::kUnspecified ||
             return_address == RegisterRule::kSameValue) {
    // Nothing says where to return to.
  } else if (!entry.is_signal_frame && PackPlain(row, &rule)) {
    rule.kind = RuleKind::kPlain;
  } else {
    const auto distance = static_cast<int64_t>(entry.address - module.eh_frame_hdr);
    if (distance < INT32_MIN || distance > INT32_MAX) return rule;
    const bool is_signal_frame = rule.is_signal_frame;
    rule = UnwindRule{};
    rule.kind = RuleKind::kExpression;
    rule.is_signal_frame = is_signal_frame;
    rule.offset = static_cast<int32_t>(distance);
  }
  return rule;
}

StepResult ApplyRule(const CfiModule& module, const UnwindRule& rule, uintptr_t pc_lookup,
                     uintptr_t stack_end, Registers* registers) {
  switch (rule.kind) {
    case RuleKind::kPlain:
      return ApplyPlain(rule, stack_end, registers);
    case RuleKind::kEndOfStack:
      return StepResult::kEndOfStack;
    case RuleKind::kExpression: {
      FrameEntry entry;
      FrameRow row;
      const uintptr_t address = module.eh_frame_hdr + static_cast<uint64_t>(int64_t{rule.offset});
      if (!ReadFrameEntry(module, address, &entry) || pc_lookup < entry.pc_begin ||
          pc_lookup >= entry.pc_end || !InterpretEntry(module, entry, pc_lookup, &row)) {
        return StepResult::kBad;
      }
      return RowApplier(module, row, entry.is_signal_frame, *registers, stack_end).Run(registers);
    }
    case RuleKind::kNone:
    case RuleKind::kBad:
      break;
  }
  return StepResult::kBad;
}

}  // namespace spprof
