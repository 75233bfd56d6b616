#include "signal_safe/leaf_frame.h"

#include "signal_safe/guarded_load.h"
#include "signal_safe/x86_instruction.h"

namespace spprof {

namespace {

constexpr uint32_t kMaxPending = 6;
constexpr uint32_t kMaxPushed = 6;
constexpr uint32_t kMaxLoops = 4;
constexpr int32_t kMaxOffset = 1 << 12;
constexpr int16_t kNotPopped = INT16_MIN;
constexpr int16_t kNowhere = -1 - kNoRegister;

// The stack as the instructions from the program counter on will leave it.
class Stack {
 public:
  Stack() {
    for (int16_t& slot : popped_from_) slot = kNotPopped;
  }

  void Push(uint8_t reg, int32_t from) {
    int16_t source = static_cast<int16_t>(-1 - reg);
    if (reg == kFromStack) {
      const int32_t slot = offset_ + from;
      source = is_known_ && slot >= 0 && slot <= kMaxOffset ? static_cast<int16_t>(slot) : kNowhere;
      for (uint32_t i = 0; i < count_; i++) {
        if (pushed_[i].offset == slot) source = pushed_[i].source;
      }
    }
    offset_ -= 8;
    if (count_ == kMaxPushed) count_ = 0;  // the oldest are not asked for
    pushed_[count_++] = {offset_, source};
  }
  void Pop(uint8_t reg) {
    if (reg < kNoRegister) {
      popped_from_[reg] = IsAbove() && !IsPushed() ? static_cast<int16_t>(offset_) : kNotPopped;
    }
    Move(8);
  }
  void Move(int32_t bytes) {
    offset_ += bytes;
    while (count_ > 0 && pushed_[count_ - 1].offset < offset_) count_--;
  }
  void Set() {
    if (is_known_) top_before_ = Top();
    is_known_ = false;
    count_ = 0;
  }
  // What a jump to other code leaves on top for that to return to. Where room has been made for
  // arguments, it will have been moved.
  LeafFrame TopForOther() const { return is_known_ || IsPushed() ? Top() : top_before_; }

  bool IsPushed() const { return count_ > 0 && pushed_[count_ - 1].offset == offset_; }
  bool IsPushed(uint8_t reg) const { return IsPushed() && pushed_[count_ - 1].source == -1 - reg; }

  // Where the word on top comes from, which a return would take.
  LeafFrame Top() const {
    if (IsPushed()) {
      const int16_t source = pushed_[count_ - 1].source;
      if (source <= kNowhere) return {};
      if (source < 0) return In(static_cast<uint8_t>(-1 - source));
      return {LeafFrameKind::kNone, source};
    }
    if (!IsAbove()) return {};
    return {LeafFrameKind::kNone, static_cast<int16_t>(offset_)};
  }
  // The word that `reg` will hold, if that is what has been popped, or what it holds already.
  LeafFrame In(uint8_t reg) const {
    if (popped_from_[reg] == kNotPopped) return {LeafFrameKind::kInRegister, reg};
    return {LeafFrameKind::kNone, popped_from_[reg]};
  }
  bool WasPopped(uint8_t reg) const { return popped_from_[reg] != kNotPopped; }
  // The frame pointer is about to be set.
  LeafFrame BeforeFrame() {
    if (IsPushed(kX86Fp)) {
      Move(8);
      return Top();
    }
    if (!IsAbove() || IsPushed()) return {};
    return {LeafFrameKind::kHalfBuilt, static_cast<int16_t>(offset_)};
  }

 private:
  // Whether the top is a word that was there before.
  bool IsAbove() const { return is_known_ && offset_ >= 0 && offset_ <= kMaxOffset; }

  struct Pushed {
    int32_t offset;
    int16_t source;  // -1 - register, or the offset of a word that was there before
  };
  LeafFrame top_before_;  // when offset_ was last known
  bool is_known_ = true;  // whether offset_ counts from the stack pointer
  int32_t offset_ = 0;
  uint32_t count_ = 0;
  Pushed pushed_[kMaxPushed];
  int16_t popped_from_[kNoRegister];
};

class Search {
 public:
  Search(uint64_t pc, uint32_t max_instructions) : pc_(pc), left_(max_instructions) {}

  LeafFrame Run() {
    while (left_-- > 0) {
      X86Instruction instruction;
      bool goes_on = Load(&instruction);
      if (goes_on) {
        pc_ += instruction.length;
        goes_on = Follow(instruction);
        if (is_found_) return found_;
      }
      if (goes_on) continue;
      if (pending_count_ == 0) break;
      pending_count_--;
      pc_ = pending_[pending_count_].pc;
      stack_ = pending_[pending_count_].stack;
    }
    return {};
  }

 private:
  bool Load(X86Instruction* out) {
    if (pc_ < buffer_at_ || pc_ + kMaxInstructionBytes > buffer_at_ + buffer_size_) {
      buffer_at_ = pc_;
      buffer_size_ = GuardedCopy(buffer_, pc_, sizeof(buffer_));
      for (size_t i = buffer_size_; i < sizeof(buffer_); i++) buffer_[i] = 0xcc;
      buffer_size_ = sizeof(buffer_);
    }
    return DecodeX86(buffer_ + (pc_ - buffer_at_), out);
  }

  // Where an instruction that settles it could not be understood, another path may do.
  bool Found(LeafFrame frame) {
    found_ = frame;
    is_found_ = frame.kind != LeafFrameKind::kUnknown;
    return is_found_;
  }

  // Whether a builtin begins there: aligned, behind padding.
  static bool IsEntry(uint64_t pc) {
    constexpr uint64_t kAlignment = 32;
    constexpr uint32_t kPadding = 0xcc;
    uint16_t before;
    return pc % kAlignment == 0 && GuardedLoad16(pc - 2, &before) && before >> 8 == kPadding;
  }

  // Back to pc_: the first time, when all else has been looked at; then not again.
  bool EnterLoop() {
    for (uint32_t i = 0; i < loop_count_; i++) {
      if (loops_[i] == pc_) return false;
    }
    if (loop_count_ == kMaxLoops) return false;
    loops_[loop_count_++] = pc_;
    if (pending_count_ == 0) return true;
    if (pending_count_ == kMaxPending) return false;
    for (uint32_t i = pending_count_++; i > 0; i--) pending_[i] = pending_[i - 1];
    pending_[0] = {pc_, stack_};
    return false;
  }

  void AddPending(uint64_t pc) {
    for (uint32_t i = 0; i < pending_count_; i++) {
      if (pending_[i].pc == pc) return;
    }
    if (pending_count_ == kMaxPending) {  // the latest are the nearest to an end
      for (uint32_t i = 1; i < kMaxPending; i++) pending_[i - 1] = pending_[i];
      pending_count_--;
    }
    pending_[pending_count_++] = {pc, stack_};
  }

  // False: nothing more is learnt on this path.
  bool Follow(const X86Instruction& instruction) {
    switch (instruction.effect) {
      case X86Effect::kNone:
        return true;
      case X86Effect::kPush:
        stack_.Push(instruction.reg, instruction.value);
        return true;
      case X86Effect::kPop:
        if (instruction.reg == kX86Fp && !stack_.IsPushed(kX86Fp)) {
          return Found({LeafFrameKind::kOwn, 0});
        }
        stack_.Pop(instruction.reg);
        return true;
      case X86Effect::kMoveSp:
        stack_.Move(instruction.value);
        return true;
      case X86Effect::kSetSp:
        stack_.Set();
        return true;
      case X86Effect::kSpFromFp:
      case X86Effect::kLeave:
        return Found({LeafFrameKind::kOwn, 0});
      case X86Effect::kFpFromSp:
        return Found(stack_.BeforeFrame());
      case X86Effect::kReturn:
        return Found(stack_.Top());
      case X86Effect::kJump:
        pc_ += static_cast<uint64_t>(static_cast<int64_t>(instruction.value));
        if (IsEntry(pc_)) return Found(stack_.TopForOther());
        return instruction.value >= 0 || EnterLoop();
      case X86Effect::kBranch:
        if (IsEntry(pc_ + static_cast<uint64_t>(static_cast<int64_t>(instruction.value))) &&
            Found(stack_.TopForOther())) {
          return true;
        }
        if (instruction.value > 0) AddPending(pc_ + static_cast<uint32_t>(instruction.value));
        return true;
      case X86Effect::kJumpToRegister:
        if (stack_.WasPopped(instruction.reg)) {
          return Found(stack_.In(instruction.reg));
        }
        // V8 jumps through its scratch registers within a function (a switch), and through others
        // out of it.
        if (instruction.reg == kX86R10 || instruction.reg == kX86R11) return false;
        return Found(stack_.TopForOther());
      case X86Effect::kJumpToMemory:
        if (instruction.reg == kNoRegister) return false;
        return Found(stack_.TopForOther());
      case X86Effect::kTrap:
        return false;
    }
    return false;
  }

  struct Pending {
    uint64_t pc;
    Stack stack;
  };

  uint64_t pc_;
  uint32_t left_;
  Stack stack_;
  uint32_t pending_count_ = 0;
  Pending pending_[kMaxPending];
  uint32_t loop_count_ = 0;
  uint64_t loops_[kMaxLoops];
  bool is_found_ = false;
  LeafFrame found_;
  uint64_t buffer_at_ = 0;
  size_t buffer_size_ = 0;
  uint8_t buffer_[64];
};

}  // namespace

LeafFrame FindLeafFrame(uint64_t pc, uint32_t max_instructions) {
#if defined(__x86_64__)
  return Search(pc, max_instructions).Run();
#else
  static_cast<void>(pc);
  static_cast<void>(max_instructions);
  return {};
#endif
}

}  // namespace spprof
