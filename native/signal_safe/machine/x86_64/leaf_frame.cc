#include "signal_safe/machine/leaf_frame.h"

#include <utility>

#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/x86_64/x86_instruction.h"

namespace spprof {

namespace {

constexpr uint32_t kMaxPending = 16;
constexpr uint32_t kMaxStates = 3;
constexpr uint32_t kMaxPushed = 6;
constexpr uint32_t kSeenBits = 2048;
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
    Move(-8);
    if (count_ == kMaxPushed) count_ = 0;  // the oldest are not asked for
    pushed_[count_++] = {static_cast<int16_t>(offset_), source};
  }
  void Pop(uint8_t reg) {
    if (reg < kNoRegister) {
      popped_from_[reg] = IsAbove() && !IsPushed() ? static_cast<int16_t>(offset_) : kNotPopped;
    }
    Move(8);
  }
  void Move(int32_t bytes) {
    offset_ += bytes;
    if (offset_ < -kMaxOffset || offset_ > kMaxOffset) {  // not followed further
      is_known_ = false;
      offset_ = 0;
      count_ = 0;
    }
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

  bool operator==(const Stack& other) const = default;

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
      // A return address that was popped at the beginning is kept for the end: the frame will be
      // that of the code which has called this.
      for (const int16_t slot : popped_from_) {
        if (slot == 0) return {LeafFrameKind::kNone, 0};
      }
      return Top();
    }
    if (!IsAbove() || IsPushed()) return {};
    return {LeafFrameKind::kHalfBuilt, static_cast<int16_t>(offset_)};
  }

 private:
  // Whether the top is a word that was there before.
  bool IsAbove() const { return is_known_ && offset_ >= 0 && offset_ <= kMaxOffset; }

  struct Pushed {
    int16_t offset = 0;
    int16_t source = 0;  // -1 - register, or the offset of a word that was there before
    bool operator==(const Pushed&) const = default;
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
  Search(uint64_t pc, uint32_t max_instructions) : start_(pc), pc_(pc), left_(max_instructions) {}

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
      stack_ = states_[pending_[pending_count_].state];
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
    constexpr uint64_t kAlignment = 64;
    constexpr uint32_t kPadding = 0xcccccccc;
    uint32_t before, at;
    return pc % kAlignment == 0 && GuardedLoad32(pc - 4, &before) && before == kPadding &&
           GuardedLoad32(pc, &at) && (at & 0xff) != (kPadding & 0xff);
  }

  // Whether a jump leads to where none has led before. Now and then a place that is taken for
  // another is left out.
  bool IsNew(uint64_t pc) {
    const uint32_t bit = static_cast<uint32_t>(pc - start_) * 0x9e3779b1u >> 21;
    static_assert(kSeenBits == 1 << 11);
    const uint64_t mask = uint64_t{1} << bit % 64;
    if (seen_[bit / 64] & mask) return false;
    seen_[bit / 64] |= mask;
    return true;
  }

  void AddPending(uint64_t pc) {
    if (pending_count_ == kMaxPending) return;
    uint8_t state = 0;
    while (state < state_count_ && !(states_[state] == stack_)) state++;
    if (state == kMaxStates) return;
    if (state == state_count_) states_[state_count_++] = stack_;
    pending_[pending_count_++] = {pc, state};
  }

  // False: nothing more is learnt on this path.
  bool Follow(const X86Instruction& instruction) {
    const bool was_call = std::exchange(was_call_, false);
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
        return IsNew(pc_);
      case X86Effect::kBranch: {
        const uint64_t target =
            pc_ + static_cast<uint64_t>(static_cast<int64_t>(instruction.value));
        if (IsEntry(target) && Found(stack_.TopForOther())) return true;
        if (IsNew(target)) AddPending(target);
        return true;
      }
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
      case X86Effect::kCall:
        was_call_ = true;
        return true;
      case X86Effect::kTrap:
        // What V8 calls without coming back is its runtime, from a frame.
        return was_call && Found({LeafFrameKind::kOwn, 0});
    }
    return false;
  }

  struct Pending {
    uint64_t pc;
    uint8_t state;  // of the stack: most branches leave it as it is
  };

  const uint64_t start_;
  uint64_t pc_;
  uint32_t left_;
  Stack stack_;
  uint32_t pending_count_ = 0;
  Pending pending_[kMaxPending];
  uint8_t state_count_ = 0;
  Stack states_[kMaxStates];
  uint64_t seen_[kSeenBits / 64] = {};
  bool was_call_ = false;  // the last instruction
  bool is_found_ = false;
  LeafFrame found_;
  uint64_t buffer_at_ = 0;
  size_t buffer_size_ = 0;
  uint8_t buffer_[64];
};

// Shapes whose meaning lies in the instructions before: a return address that has just been popped
// (pop r8 to r15, or rdi; push rbp; mov rbp, rsp), and a jump to a constant (mov r10, imm; jmp
// r10).
bool HasKnownShape(uint64_t pc, LeafFrame* out) {
  uint64_t code;
  for (int16_t pushed = 0; pushed < 2; pushed++) {
    if (!GuardedLoad64(pc - 2 - static_cast<uint64_t>(pushed), &code)) continue;
    constexpr uint64_t kBuildFrame = 0xe5'8948'550000;
    if ((code & 0xff'ffff'fff8ff) == (kBuildFrame | 0x5841)) {
      *out = {LeafFrameKind::kPopped,
              static_cast<int16_t>(8 + (code >> 8 & 7) + kStackWord * pushed)};
      return true;
    }
    if ((code & 0xff'ffff'ffff00) == (kBuildFrame | 0x5f00)) {
      constexpr int16_t kRdi = 7;
      *out = {LeafFrameKind::kPopped, static_cast<int16_t>(kRdi + kStackWord * pushed)};
      return true;
    }
  }
  for (const uint64_t begin : {pc, pc - 10}) {
    uint16_t move;
    uint32_t jump;
    if (GuardedLoad16(begin, &move) && move == 0xba49 && GuardedLoad32(begin + 10, &jump) &&
        (jump & 0xffffff) == 0xe2ff41) {
      *out = {LeafFrameKind::kNone, 0};
      return true;
    }
  }
  return false;
}

}  // namespace

LeafFrame FindLeafFrame(uint64_t pc, uint32_t max_instructions) {
#if defined(__x86_64__)
  LeafFrame known;
  if (HasKnownShape(pc, &known)) return known;
  return Search(pc, max_instructions).Run();
#else
  static_cast<void>(pc);
  static_cast<void>(max_instructions);
  return {};
#endif
}

uint64_t FindFirstCall(uint64_t start) {
#if defined(__x86_64__)
  constexpr int kFewInstructions = 16;
  for (int i = 0; i < kFewInstructions; i++) {
    uint8_t bytes[kMaxInstructionBytes];
    X86Instruction instruction;
    if (GuardedCopy(bytes, start, sizeof(bytes)) != sizeof(bytes) ||
        !DecodeX86(bytes, &instruction)) {
      return 0;
    }
    start += instruction.length;
    if (instruction.effect == X86Effect::kCall) return start;
  }
#else
  static_cast<void>(start);
#endif
  return 0;
}

bool ReadLiftoffEntry(uint64_t start, LiftoffEntry* out) {
  uint64_t code;
  uint32_t make_room;
  if (!GuardedLoad64(start, &code)) return false;
  if ((code & 0xffffffff) == 0xe8e43145) {  // xor r12d, r12d; call
    *out = {0, start + 3, start + 8};
  } else if ((code & 0xffff) == 0xbc41 && (code >> 48 & 0xff) == 0xe8) {  // mov r12d, imm; call
    *out = {static_cast<uint32_t>(code >> 16), start + 6, start + 11};
  } else {
    return false;
  }
  return GuardedLoad32(out->after_call, &make_room) && (make_room & 0xffffff) == 0xec8148;
}

bool IsBeforeFrameOfLiftoff(uint64_t pc) {
  uint64_t jump;
  LiftoffEntry target;
  if (GuardedLoad64(pc, &jump) && (jump & 0xff) == 0xe9 &&  // in the module's jump table
      ReadLiftoffEntry(pc + 5 + static_cast<uint64_t>(static_cast<int32_t>(jump >> 8)), &target)) {
    return true;
  }
  for (const uint64_t begin : {pc, pc - 3, pc - 6, pc - 8, pc - 11}) {
    LiftoffEntry entry;
    if (ReadLiftoffEntry(begin, &entry) &&
        (pc == begin || pc == entry.call || pc == entry.after_call)) {
      return true;
    }
  }
  return false;
}

}  // namespace spprof
