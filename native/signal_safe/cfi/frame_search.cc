#include "signal_safe/cfi/frame_search.h"

#include "signal_safe/cfi/cfi_lookup.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/x86_64/x86_instruction.h"

namespace spprof {

namespace {

// Compilers make a frame within the first few instructions; others are mixed in.
constexpr uint32_t kMaxInstructions = 64;
// Arguments that are on the stack, and what an alignment of the stack has left free.
constexpr uint64_t kMaxWordsMore = 64;
constexpr uint64_t kMaxFrameBytes = uint64_t{1} << 24;

struct FrameSize {
  uint64_t bytes = 0;     // from the stack pointer up to the frame pointer, at least
  bool is_exact = false;  // not where the stack is aligned further down
};

// and rsp, imm8 or imm32: REX.W 83 or 81 /4.
bool IsAlignment(const uint8_t* bytes) {
  return bytes[0] == 0x48 && (bytes[1] == 0x83 || bytes[1] == 0x81) && bytes[2] == 0xe4;
}

// What the function's first instructions make. False: no frame before `pc`.
bool ReadFrameSize(uint64_t begin, uint64_t pc, FrameSize* size) {
  bool has_frame = false, is_exact = true;
  uint64_t below = 0;
  for (uint32_t left = kMaxInstructions; left > 0 && begin < pc; left--) {
    uint8_t bytes[kMaxInstructionBytes] = {};
    X86Instruction instruction;
    if (GuardedCopy(bytes, begin, sizeof(bytes)) == 0 || !DecodeX86(bytes, &instruction)) break;
    begin += instruction.length;
    switch (instruction.effect) {
      case X86Effect::kNone:
        break;
      case X86Effect::kFpFromSp:
        has_frame = true;
        below = 0;
        break;
      case X86Effect::kPush:
        below += 8;
        break;
      case X86Effect::kPop:
        below -= 8;
        break;
      case X86Effect::kMoveSp:
        below -= static_cast<uint64_t>(int64_t{instruction.value});
        break;
      case X86Effect::kBranch:
      case X86Effect::kJump:
        // Before the frame is made: a way out for what needs none.
        if (has_frame || instruction.effect == X86Effect::kJump) begin = pc;
        break;
      case X86Effect::kSetSp:
        if (!has_frame) break;
        // Room whose size is not known may hold what earlier calls have left.
        if (!IsAlignment(bytes)) return false;
        is_exact = false;
        break;
      default:
        begin = pc;
        break;
    }
  }
  *size = {below, is_exact};
  return has_frame && below <= kMaxFrameBytes;
}

// Whether the call before `return_address` names `function`.
bool Calls(uint64_t return_address, uint64_t function) {
  uint64_t code;
  constexpr uint8_t kCall = 0xe8;
  return GuardedLoad64(return_address - 8, &code) && (code >> 24 & 0xff) == kCall &&
         return_address + static_cast<uint64_t>(int64_t{static_cast<int32_t>(code >> 32)}) ==
             function;
}

bool MayBeFrame(const ModuleTable& modules, uint64_t fp, uint64_t function, bool must_call) {
  uint64_t return_address;
  if (!GuardedLoad64(fp + 8, &return_address) || return_address < 4096) return false;
  if (Calls(return_address, function)) return true;
  return !must_call && modules.Find(return_address) != 0 && FollowsCall(return_address);
}

}  // namespace

bool FollowsCall(uint64_t address) {
  uint64_t before;
  if (!GuardedLoad64(address - 8, &before)) return false;
  const auto byte = [before](unsigned back) {
    return static_cast<uint8_t>(before >> (64 - 8 * back));
  };
  return byte(5) == 0xe8 || byte(2) == 0xff || byte(3) == 0xff || byte(4) == 0xff ||
         byte(6) == 0xff || byte(7) == 0xff;
}

bool FindFramePointer(const ModuleTable& modules, const CfiModule& module, uint64_t pc, uint64_t sp,
                      uint64_t* fp) {
#if defined(__x86_64__)
  FrameEntry function;
  FrameSize size;
  if (FindFrameEntry(module, pc, &function) != LookupResult::kFound ||
      !ReadFrameSize(function.pc_begin, pc, &size)) {
    return false;
  }
  // Further up, a call of this very function alone is proof enough.
  for (uint64_t more = 0; more < kMaxWordsMore; more++) {
    const uint64_t candidate = sp + size.bytes + more * 8;
    const bool must_call = more != 0 || !size.is_exact;
    if (!MayBeFrame(modules, candidate, function.pc_begin, must_call)) continue;
    *fp = candidate;
    return true;
  }
#else
  static_cast<void>(modules), static_cast<void>(module), static_cast<void>(pc);
  static_cast<void>(sp), static_cast<void>(fp);
#endif
  return false;
}

}  // namespace spprof
