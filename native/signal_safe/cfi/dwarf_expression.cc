#include "signal_safe/cfi/dwarf_expression.h"

#include "signal_safe/machine/guarded_load.h"

namespace spprof {
namespace {

// DW_OP_.
enum : uint8_t {
  kAddress = 0x03,
  kDeref = 0x06,
  kConst1u = 0x08,
  kConst1s = 0x09,
  kConst2u = 0x0a,
  kConst2s = 0x0b,
  kConst4u = 0x0c,
  kConst4s = 0x0d,
  kConst8u = 0x0e,
  kConst8s = 0x0f,
  kConstu = 0x10,
  kConsts = 0x11,
  kDup = 0x12,
  kDrop = 0x13,
  kOver = 0x14,
  kSwap = 0x16,
  kAnd = 0x1a,
  kMinus = 0x1c,
  kMul = 0x1e,
  kNeg = 0x1f,
  kNot = 0x20,
  kOr = 0x21,
  kPlus = 0x22,
  kPlusUconst = 0x23,
  kShl = 0x24,
  kShr = 0x25,
  kShra = 0x26,
  kXor = 0x27,
  kEq = 0x29,
  kGe = 0x2a,
  kGt = 0x2b,
  kLe = 0x2c,
  kLt = 0x2d,
  kNe = 0x2e,
  kLit0 = 0x30,
  kLit31 = 0x4f,
  kBreg0 = 0x70,
  kBreg31 = 0x8f,
  kBregx = 0x92,
  kNop = 0x96,
};

constexpr unsigned kMaxOperations = 64;

class Evaluator {
 public:
  Evaluator(ByteCursor* cursor, const Registers& registers, const StackBounds& bounds)
      : cursor_(cursor), registers_(registers), bounds_(bounds) {}

  bool Push(uint64_t value) {
    if (depth_ == kMaxDepth) return false;
    words_[depth_++] = value;
    return true;
  }

  bool Run(uint64_t* result) {
    for (unsigned i = 0; !cursor_->is_at_end(); ++i) {
      if (i == kMaxOperations || !Execute(cursor_->U8())) return false;
    }
    if (cursor_->has_failed() || depth_ == 0) return false;
    *result = words_[depth_ - 1];
    return true;
  }

 private:
  bool Execute(uint8_t opcode) {
    if (opcode >= kLit0 && opcode <= kLit31) return Push(opcode - kLit0);
    if (opcode >= kBreg0 && opcode <= kBreg31) return PushRegister(opcode - kBreg0);
    switch (opcode) {
      case kNop:
        return true;
      case kAddress:
      case kConst8u:
      case kConst8s:
        return Push(cursor_->U64());
      case kConst1u:
        return Push(cursor_->U8());
      case kConst1s:
        return PushSigned(static_cast<int8_t>(cursor_->U8()));
      case kConst2u:
        return Push(cursor_->U16());
      case kConst2s:
        return PushSigned(static_cast<int16_t>(cursor_->U16()));
      case kConst4u:
        return Push(cursor_->U32());
      case kConst4s:
        return PushSigned(static_cast<int32_t>(cursor_->U32()));
      case kConstu:
        return Push(cursor_->Uleb());
      case kConsts:
        return PushSigned(cursor_->Sleb());
      case kBregx:
        return PushRegister(cursor_->Uleb());
      case kDup:
      case kDrop:
      case kDeref:
      case kNeg:
      case kNot:
      case kPlusUconst:
        return depth_ >= 1 && ExecuteUnary(opcode);
      default:
        return depth_ >= 2 && ExecuteBinary(opcode);
    }
  }

  bool ExecuteUnary(uint8_t opcode) {
    uint64_t& top = words_[depth_ - 1];
    switch (opcode) {
      case kDup:
        return Push(top);
      case kDrop:
        --depth_;
        return true;
      case kDeref:
        return bounds_.Load(top, &top);
      case kNeg:
        top = -top;
        return true;
      case kNot:
        top = ~top;
        return true;
      default:  // kPlusUconst
        top += cursor_->Uleb();
        return true;
    }
  }

  bool ExecuteBinary(uint8_t opcode) {
    const uint64_t top = words_[depth_ - 1];
    uint64_t& second = words_[depth_ - 2];
    if (opcode == kOver) return Push(second);
    if (opcode == kSwap) {
      words_[depth_ - 1] = second;
      second = top;
      return true;
    }
    const auto a = static_cast<int64_t>(second);
    const auto b = static_cast<int64_t>(top);
    switch (opcode) {
      case kAnd:
        second &= top;
        break;
      case kMinus:
        second -= top;
        break;
      case kMul:
        second *= top;
        break;
      case kOr:
        second |= top;
        break;
      case kPlus:
        second += top;
        break;
      case kShl:
        second = top < 64 ? second << top : 0;
        break;
      case kShr:
        second = top < 64 ? second >> top : 0;
        break;
      case kShra:
        second = static_cast<uint64_t>(a >> (top < 64 ? top : 63));
        break;
      case kXor:
        second ^= top;
        break;
      case kEq:
        second = a == b;
        break;
      case kGe:
        second = a >= b;
        break;
      case kGt:
        second = a > b;
        break;
      case kLe:
        second = a <= b;
        break;
      case kLt:
        second = a < b;
        break;
      case kNe:
        second = a != b;
        break;
      default:
        return false;
    }
    --depth_;
    return true;
  }

  bool PushSigned(int64_t value) { return Push(static_cast<uint64_t>(value)); }

  bool PushRegister(uint64_t number) {
    const auto offset = static_cast<uint64_t>(cursor_->Sleb());
    uint64_t value;
    return ReadRegister(registers_, number, &value) && Push(value + offset);
  }

  static constexpr unsigned kMaxDepth = 16;

  ByteCursor* const cursor_;
  const Registers& registers_;
  const StackBounds& bounds_;
  unsigned depth_ = 0;
  uint64_t words_[kMaxDepth];
};

}  // namespace

bool StackBounds::Load(uintptr_t address, uint64_t* word) const {
  // Not only for speed: what is outside may be a device whose reading has effects.
  if (address < begin || address >= end || end - address < sizeof(*word)) return false;
  return GuardedLoad64(address, word);
}

bool ReadRegister(const Registers& registers, uint64_t number, uint64_t* value) {
  if (number >= kDwarfRegisterCount) return false;
  *value = registers.*kDwarfRegisters[number];
  return true;
}

bool EvaluateExpression(ByteCursor* cursor, const Registers& registers, const StackBounds& stack,
                        const uint64_t* initial, uint64_t* result) {
  const uint64_t length = cursor->Uleb();
  if (cursor->has_failed() || length > cursor->end() - cursor->position()) return false;
  cursor->SetEnd(cursor->position() + length);
  Evaluator evaluator(cursor, registers, stack);
  if (initial != nullptr && !evaluator.Push(*initial)) return false;
  return evaluator.Run(result);
}

}  // namespace spprof
