#include "signal_safe/machine/x86_64/x86_instruction.h"

namespace spprof {

namespace {

// What follows an opcode (Intel's manual, volume 2, appendix A).
enum Operands : uint8_t {
  kBare = 0,
  kModRm = 1,
  kImm8 = 2,
  kImm16 = 4,
  kImm32 = 8,  // 16 bits with an operand-size prefix
  kInvalid = 16,
};

uint8_t OperandsOf(uint8_t opcode) {
  if (opcode < 0x40) {
    constexpr uint8_t kArithmetic[8] = {kModRm, kModRm, kModRm,   kModRm,
                                        kImm8,  kImm32, kInvalid, kInvalid};
    return kArithmetic[opcode & 7];
  }
  switch (opcode >> 4) {
    case 0x5:
    case 0x9:
      return opcode == 0x9a ? kInvalid : kBare;
    case 0x7:
      return kImm8;
    case 0xb:
      return opcode < 0xb8 ? kImm8 : kImm32;
    default:
      break;
  }
  switch (opcode) {
    case 0x68:
    case 0xa9:
    case 0xe8:
    case 0xe9:
      return kImm32;
    case 0x69:
    case 0x81:
    case 0xc7:
      return kModRm | kImm32;
    case 0x6a:
    case 0xa8:
    case 0xcd:
    case 0xeb:
      return kImm8;
    case 0x6b:
    case 0x80:
    case 0x83:
    case 0xc0:
    case 0xc1:
    case 0xc6:
      return kModRm | kImm8;
    case 0xc2:
      return kImm16;
    case 0x60:
    case 0x61:
    case 0x62:
    case 0x82:
    case 0xc8:
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xea:
      return kInvalid;
    default:
      break;
  }
  if (opcode >= 0xe0 && opcode <= 0xe7) return kImm8;
  if (opcode == 0x63 || (opcode >= 0x84 && opcode <= 0x8f) || (opcode >= 0xd0 && opcode <= 0xd3) ||
      (opcode >= 0xd8 && opcode <= 0xdf) || opcode == 0xf6 || opcode == 0xf7 || opcode >= 0xfe) {
    return kModRm;
  }
  return kBare;
}

uint8_t OperandsOfTwoBytes(uint8_t opcode) {
  if (opcode >= 0x80 && opcode <= 0x8f) return kImm32;
  if (opcode >= 0xc8 && opcode <= 0xcf) return kBare;
  switch (opcode) {
    case 0x05:
    case 0x0b:
    case 0x31:
    case 0x77:
    case 0xa0:
    case 0xa2:
    case 0xa8:
      return kBare;
    case 0x70:
    case 0x71:
    case 0x72:
    case 0x73:
    case 0xa4:
    case 0xac:
    case 0xba:
    case 0xc2:
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return kModRm | kImm8;
    default:
      return kModRm;
  }
}

class Decoder {
 public:
  explicit Decoder(const uint8_t* bytes) : at_(bytes), begin_(bytes) {}

  bool Run(X86Instruction* out) {
    ReadPrefixes();
    uint8_t operands = ReadOpcode();
    if (operands & kInvalid) return false;
    if (operands & kModRm) {
      ReadModRm();
      // test has an immediate, its neighbours in the group have none.
      if (map_ == 0 && (opcode_ == 0xf6 || opcode_ == 0xf7) && reg_field_ < 2) {
        operands |= opcode_ == 0xf6 ? kImm8 : kImm32;
      }
    }
    ReadImmediate(operands);
    const auto length = static_cast<size_t>(at_ - begin_);
    if (length > kMaxInstructionBytes) return false;
    *out = {static_cast<uint8_t>(length)};
    if (map_ == 0) {
      Classify(out);
    } else if (map_ == 1) {
      if (opcode_ >= 0x80 && opcode_ <= 0x8f) *out = With(*out, X86Effect::kBranch, immediate_);
      if (opcode_ == 0x0b) out->effect = X86Effect::kTrap;
    }
    return true;
  }

 private:
  static constexpr int kVexMap = 4;

  static X86Instruction With(X86Instruction instruction, X86Effect effect, int32_t value) {
    instruction.effect = effect;
    instruction.value = value;
    return instruction;
  }

  void ReadPrefixes() {
    for (int i = 0; i < 4; i++, at_++) {
      switch (*at_) {
        case 0x66:
          has_small_operands_ = true;
          break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
        case 0xf0:
        case 0xf2:
        case 0xf3:
          break;
        default:
          if ((*at_ & 0xf0) == 0x40) rex_ = *at_++;
          return;
      }
    }
  }

  uint8_t ReadOpcode() {
    opcode_ = *at_++;
    if (opcode_ == 0xc4 || opcode_ == 0xc5) {  // VEX
      const uint8_t map = opcode_ == 0xc5 ? 1 : *at_ & 31;
      at_ += opcode_ == 0xc5 ? 1 : 2;
      opcode_ = *at_++;
      map_ = kVexMap;
      if (map == 1) return OperandsOfTwoBytes(opcode_);
      if (map == 2) return kModRm;
      if (map == 3) return kModRm | kImm8;
      return kInvalid;
    }
    if (opcode_ != 0x0f) return OperandsOf(opcode_);
    opcode_ = *at_++;
    if (opcode_ == 0x38 || opcode_ == 0x3a) {
      map_ = opcode_ == 0x38 ? 2 : 3;
      opcode_ = *at_++;
      return map_ == 2 ? kModRm : kModRm | kImm8;
    }
    map_ = 1;
    return OperandsOfTwoBytes(opcode_);
  }

  void ReadModRm() {
    const uint8_t modrm = *at_++;
    mod_ = modrm >> 6;
    reg_field_ = modrm >> 3 & 7;
    rm_ = modrm & 7;
    if (mod_ == 3) return;
    uint8_t base = rm_;
    if (rm_ == 4) {
      const uint8_t sib = *at_++;
      base = sib & 7;
      has_index_ = (sib >> 3 & 7) != 4 || (rex_ & 2) != 0;
    }
    rm_ = base;
    if (mod_ == 1) {
      displacement_ = static_cast<int8_t>(*at_++);
    } else if (mod_ == 2 || base == 5) {
      displacement_ = ReadInt32();
      has_no_base_ = mod_ == 0;
    }
  }

  int32_t ReadInt32() {
    const uint32_t value = static_cast<uint32_t>(at_[0]) | static_cast<uint32_t>(at_[1]) << 8 |
                           static_cast<uint32_t>(at_[2]) << 16 |
                           static_cast<uint32_t>(at_[3]) << 24;
    at_ += 4;
    return static_cast<int32_t>(value);
  }

  void ReadImmediate(uint8_t operands) {
    if (operands & kImm8) immediate_ = static_cast<int8_t>(*at_++);
    if (operands & kImm16) at_ += 2;
    if (operands & kImm32) {
      const bool is_branch = map_ == 1 || opcode_ == 0xe8 || opcode_ == 0xe9;
      if (has_small_operands_ && !is_branch) {
        at_ += 2;
      } else {
        immediate_ = ReadInt32();
      }
      if (map_ == 0 && opcode_ >= 0xb8 && opcode_ <= 0xbf && (rex_ & 8)) at_ += 4;
    }
    if (map_ == 0 && opcode_ >= 0xa0 && opcode_ <= 0xa3) at_ += 8;  // an address
  }

  uint8_t Register(uint8_t low, uint8_t rex_bit) const {
    return static_cast<uint8_t>(low | ((rex_ & rex_bit) ? 8 : 0));
  }
  uint8_t Rm() const { return Register(rm_, 1); }
  uint8_t Reg() const { return Register(reg_field_, 4); }

  void Classify(X86Instruction* out) const {
    const auto set = [out](X86Effect effect, uint8_t reg = kNoRegister, int32_t value = 0) {
      out->effect = effect;
      out->reg = reg;
      out->value = value;
    };
    if (opcode_ >= 0x50 && opcode_ <= 0x57) return set(X86Effect::kPush, Register(opcode_ & 7, 1));
    if (opcode_ >= 0x58 && opcode_ <= 0x5f) return set(X86Effect::kPop, Register(opcode_ & 7, 1));
    if ((opcode_ >> 4) == 0x7 || (opcode_ >= 0xe0 && opcode_ <= 0xe3)) {
      return set(X86Effect::kBranch, kNoRegister, immediate_);
    }
    switch (opcode_) {
      case 0x68:
      case 0x6a:
        return set(X86Effect::kPush);
      case 0x8f:
        return set(X86Effect::kPop, mod_ == 3 ? Rm() : kNoRegister);
      case 0x01:
      case 0x03:
      case 0x29:
      case 0x2b:
        if ((opcode_ & 2) ? Reg() == kX86Sp : mod_ == 3 && Rm() == kX86Sp) {
          set(X86Effect::kSetSp);
        }
        return;
      case 0x81:
      case 0x83:
        if (mod_ != 3 || Rm() != kX86Sp) return;
        if (reg_field_ == 0) return set(X86Effect::kMoveSp, kNoRegister, immediate_);
        if (reg_field_ == 5) {  // unsigned: the least immediate has no negative of its own
          const uint32_t negative = 0u - static_cast<uint32_t>(immediate_);
          return set(X86Effect::kMoveSp, kNoRegister, static_cast<int32_t>(negative));
        }
        if (reg_field_ != 7) set(X86Effect::kSetSp);
        return;
      case 0x89:
      case 0x8b:
        return ClassifyMove(out);
      case 0x8d:
        if (Reg() != kX86Sp) return;
        if (Rm() == kX86Sp && !has_index_ && !has_no_base_) {
          return set(X86Effect::kMoveSp, kNoRegister, displacement_);
        }
        return set(X86Effect::kSetSp);
      case 0xc2:
      case 0xc3:
        return set(X86Effect::kReturn);
      case 0xc9:
        return set(X86Effect::kLeave);
      case 0xcc:
      case 0xf4:
        return set(X86Effect::kTrap);
      case 0xe8:
        return set(X86Effect::kCall);
      case 0xe9:
      case 0xeb:
        return set(X86Effect::kJump, kNoRegister, immediate_);
      case 0xff:
        if (reg_field_ == 6) {
          const bool is_from_stack = mod_ != 3 && Rm() == kX86Sp && !has_index_;
          return set(X86Effect::kPush, is_from_stack ? kFromStack : kNoRegister, displacement_);
        }
        if (reg_field_ == 2) return set(X86Effect::kCall);
        if (reg_field_ != 4) return;
        if (mod_ == 3) return set(X86Effect::kJumpToRegister, Rm());
        return set(X86Effect::kJumpToMemory, has_index_ ? kNoRegister : Rm());
      default:
        return;
    }
  }

  void ClassifyMove(X86Instruction* out) const {
    const bool is_load = opcode_ == 0x8b;
    if (mod_ != 3) {
      if (is_load && Reg() == kX86Sp) out->effect = X86Effect::kSetSp;
      if (is_load && Reg() == kX86Fp) out->effect = X86Effect::kLeave;
      return;
    }
    const uint8_t to = is_load ? Reg() : Rm();
    const uint8_t from = is_load ? Rm() : Reg();
    if (to == kX86Sp) out->effect = from == kX86Fp ? X86Effect::kSpFromFp : X86Effect::kSetSp;
    if (to == kX86Fp && from == kX86Sp) out->effect = X86Effect::kFpFromSp;
  }

  const uint8_t* at_;
  const uint8_t* begin_;
  bool has_small_operands_ = false;
  uint8_t rex_ = 0;
  int map_ = 0;
  uint8_t opcode_ = 0;
  uint8_t mod_ = 0, reg_field_ = 0, rm_ = 0;  // rm_: of memory, its base
  bool has_index_ = false, has_no_base_ = false;
  int32_t displacement_ = 0;
  int32_t immediate_ = 0;
};

}  // namespace

bool DecodeX86(const uint8_t* bytes, X86Instruction* out) { return Decoder(bytes).Run(out); }

}  // namespace spprof
