#include "signal_safe/cfi/cfi_interpreter.h"

namespace spprof {
namespace {

// DW_CFA_: the first three have their operand in the low six bits.
enum : uint8_t {
  kAdvanceLoc = 0x40,
  kOffset = 0x80,
  kRestore = 0xc0,
  kNop = 0x00,
  kSetLoc = 0x01,
  kAdvanceLoc1 = 0x02,
  kAdvanceLoc2 = 0x03,
  kAdvanceLoc4 = 0x04,
  kOffsetExtended = 0x05,
  kRestoreExtended = 0x06,
  kUndefined = 0x07,
  kSameValue = 0x08,
  kRegister = 0x09,
  kRememberState = 0x0a,
  kRestoreState = 0x0b,
  kDefCfa = 0x0c,
  kDefCfaRegister = 0x0d,
  kDefCfaOffset = 0x0e,
  kDefCfaExpression = 0x0f,
  kExpression = 0x10,
  kOffsetExtendedSf = 0x11,
  kDefCfaSf = 0x12,
  kDefCfaOffsetSf = 0x13,
  kValOffset = 0x14,
  kValOffsetSf = 0x15,
  kValExpression = 0x16,
  kGnuWindowSave = 0x2d,
  kGnuArgsSize = 0x2e,
  kGnuNegativeOffsetExtended = 0x2f,
};

class Interpreter {
 public:
  Interpreter(const CfiModule& module, const FrameEntry& entry, uintptr_t pc)
      : module_(module), entry_(entry), pc_(pc), location_(entry.pc_begin) {}

  bool Run(FrameRow* result) {
    if (!RunInstructions(entry_.cie_instructions, entry_.cie_end)) return false;
    initial_ = row_;
    // No advance in a CIE: its rows would be nowhere.
    if (location_ != entry_.pc_begin || !RunInstructions(entry_.fde_instructions, entry_.fde_end))
      return false;
    *result = row_;
    return true;
  }

 private:
  // Until the end, or until an advance passes pc.
  bool RunInstructions(uintptr_t begin, uintptr_t end) {
    ByteCursor cursor(begin, end);
    while (!cursor.is_at_end()) {
      if (instructions_left_-- == 0) return false;
      const uint8_t opcode = cursor.U8();
      const uint8_t operand = opcode & 0x3f;
      switch (opcode & 0xc0) {
        case kAdvanceLoc:
          if (Advance(operand)) return true;
          break;
        case kOffset:
          SetFactored(&cursor, operand, RegisterRule::kOffset, static_cast<int64_t>(cursor.Uleb()));
          break;
        case kRestore:
          Restore(&cursor, operand);
          break;
        default: {
          bool is_past_pc = false;
          if (!RunExtended(&cursor, opcode, &is_past_pc)) return false;
          if (is_past_pc) return !cursor.has_failed();
        }
      }
    }
    return !cursor.has_failed();
  }

  // False if the instruction is not known, or the state stack is misused. A cursor that fails is
  // noticed by the caller's loop.
  bool RunExtended(ByteCursor* cursor, uint8_t opcode, bool* is_past_pc) {
    switch (opcode) {
      case kNop:
        return true;
      case kSetLoc: {
        const uintptr_t target =
            ReadEncodedPointer(cursor, entry_.pointer_encoding, module_.eh_frame_hdr);
        *is_past_pc = target > pc_;
        location_ = target;
        return true;
      }
      case kAdvanceLoc1:
        *is_past_pc = Advance(cursor->U8());
        return true;
      case kAdvanceLoc2:
        *is_past_pc = Advance(cursor->U16());
        return true;
      case kAdvanceLoc4:
        *is_past_pc = Advance(cursor->U32());
        return true;
      case kRememberState:
        if (remembered_count_ == kMaxRemembered) return false;
        remembered_[remembered_count_++] = row_;
        return true;
      case kRestoreState:
        if (remembered_count_ == 0) return false;
        row_ = remembered_[--remembered_count_];
        return true;
      case kGnuArgsSize:  // bytes of outgoing arguments: for unwinding by throwing only
        cursor->Uleb();
        return true;
      case kDefCfa:
      case kDefCfaSf:
      case kDefCfaRegister:
      case kDefCfaOffset:
      case kDefCfaOffsetSf:
      case kDefCfaExpression:
        return DefineCfa(cursor, opcode);
      default:
        return DefineRegister(cursor, opcode);
    }
  }

  bool DefineCfa(ByteCursor* cursor, uint8_t opcode) {
    if (opcode == kDefCfaExpression) {
      row_.cfa_kind = CfaKind::kExpression;
      row_.cfa_value = SkipExpression(cursor);
      return true;
    }
    const bool sets_both = opcode == kDefCfa || opcode == kDefCfaSf;
    if (sets_both || opcode == kDefCfaRegister) {
      const uint64_t number = cursor->Uleb();
      if (number >= kDwarfReturnAddress) return false;
      row_.cfa_register = static_cast<uint8_t>(number);
    }
    // Changing one half of what is an expression has no meaning.
    if (sets_both) {
      row_.cfa_kind = CfaKind::kRegister;
    } else if (row_.cfa_kind != CfaKind::kRegister) {
      return false;
    }
    if (opcode == kDefCfa || opcode == kDefCfaOffset) {
      row_.cfa_value = Narrow(cursor, static_cast<int64_t>(cursor->Uleb()));
    } else if (opcode == kDefCfaSf || opcode == kDefCfaOffsetSf) {
      row_.cfa_value = Factored(cursor, cursor->Sleb());
    }
    return true;
  }

  bool DefineRegister(ByteCursor* cursor, uint8_t opcode) {
    if (opcode < kOffsetExtended ||
        (opcode > kValExpression && opcode != kGnuNegativeOffsetExtended))
      return false;
    const uint64_t number = cursor->Uleb();
    switch (opcode) {
      case kOffsetExtended:
        SetFactored(cursor, number, RegisterRule::kOffset, static_cast<int64_t>(cursor->Uleb()));
        return true;
      case kOffsetExtendedSf:
        SetFactored(cursor, number, RegisterRule::kOffset, cursor->Sleb());
        return true;
      case kGnuNegativeOffsetExtended:
        SetFactored(cursor, number, RegisterRule::kOffset,
                    -static_cast<int64_t>(cursor->Uleb() & INT32_MAX));
        return true;
      case kValOffset:
        SetFactored(cursor, number, RegisterRule::kValueOffset,
                    static_cast<int64_t>(cursor->Uleb()));
        return true;
      case kValOffsetSf:
        SetFactored(cursor, number, RegisterRule::kValueOffset, cursor->Sleb());
        return true;
      case kRestoreExtended:
        Restore(cursor, number);
        return true;
      case kUndefined:
        Set(number, RegisterRule::kUndefined, 0);
        return true;
      case kSameValue:
        Set(number, RegisterRule::kSameValue, 0);
        return true;
      case kRegister: {
        const uint64_t source = cursor->Uleb();
        if (source >= kDwarfReturnAddress) return false;
        Set(number, RegisterRule::kRegister, static_cast<int32_t>(source));
        return true;
      }
      case kExpression:
        Set(number, RegisterRule::kExpression, SkipExpression(cursor));
        return true;
      case kValExpression:
        Set(number, RegisterRule::kValueExpression, SkipExpression(cursor));
        return true;
      default:
        return false;
    }
  }

  // Vector and other registers beyond the return address are nobody's business here.
  void Set(uint64_t number, RegisterRule rule, int32_t value) {
    if (number >= kDwarfRegisterCount) return;
    row_.rules[number] = rule;
    row_.values[number] = value;
  }

  void SetFactored(ByteCursor* cursor, uint64_t number, RegisterRule rule, int64_t value) {
    Set(number, rule, Factored(cursor, value));
  }

  void Restore(ByteCursor*, uint64_t number) {
    if (number >= kDwarfRegisterCount) return;
    row_.rules[number] = initial_.rules[number];
    row_.values[number] = initial_.values[number];
  }

  int32_t Factored(ByteCursor* cursor, int64_t value) {
    int64_t product;
    if (__builtin_mul_overflow(value, entry_.data_alignment, &product)) {
      cursor->Fail();
      return 0;
    }
    return Narrow(cursor, product);
  }

  static int32_t Narrow(ByteCursor* cursor, int64_t value) {
    if (value < INT32_MIN || value > INT32_MAX) {
      cursor->Fail();
      return 0;
    }
    return static_cast<int32_t>(value);
  }

  int32_t SkipExpression(ByteCursor* cursor) {
    const auto distance = static_cast<int64_t>(cursor->position() - module_.eh_frame_hdr);
    cursor->Skip(cursor->Uleb());
    return Narrow(cursor, distance);
  }

  // Whether the row in hand ends beyond pc, that is: is the one that was asked for.
  bool Advance(uint64_t delta) {
    location_ += delta * entry_.code_alignment;
    return location_ > pc_;
  }

  const CfiModule& module_;
  const FrameEntry& entry_;
  const uintptr_t pc_;
  uintptr_t location_;
  unsigned instructions_left_ = kMaxInstructions;
  unsigned remembered_count_ = 0;
  FrameRow row_;
  FrameRow initial_;
  FrameRow remembered_[kMaxRemembered];
};

}  // namespace

bool InterpretEntry(const CfiModule& module, const FrameEntry& entry, uintptr_t pc, FrameRow* row) {
  return Interpreter(module, entry, pc).Run(row);
}

}  // namespace spprof
