// JavaScript frames: which functions a frame stands for, and where in them it is.
#include "signal_safe/cfi/frame_search.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/walk/walker.h"

namespace spprof {

namespace {

constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // Knuth, 6.4: neighbours fall far apart
// V8 stops inlining long before.
constexpr uint32_t kMaxInlined = 64;

}  // namespace

// V8's builtins are also returned to where none has called: at places where it goes on after
// deoptimization.
bool Walker::IsReturnAddress(uint64_t address) const {
  if (modules_.Find(address) != 0) return true;
  if (!FollowsCall(address)) return false;
  CodeObject code;  // what lies before an object may look like a call
  return !V8Reader::LooksLikeHeapObject(address) ||
         (MayReadHeap() && (reader_.FindCode(address - 1, &code) || IsInWasm(address - 1)));
}

// Of the builtin that WebAssembly's traps land in: the instruction that has trapped is made a
// return address, and is no call.
bool Walker::HasTrappedAt(uint64_t address) const {
  uint16_t instruction;
  return MayReadHeap() && modules_.Find(address) == 0 && GuardedLoad16(address - 1, &instruction) &&
         IsInWasm(address - 1);
}

// `function_word` is from the frame's own slot (docs/design/walking.md 4).
void Walker::EmitJsFrame(const ModuleRange* module, uint64_t function_word, Frame otherwise) {
  const uint64_t fp = registers_.fp;
  const bool in_builtin = module != nullptr;
  CodeFrames code;
  const bool is_code = !in_builtin && FramesOfCode(LookupPc(), fp, &code);
  const bool owns_frame = !is_leaf_ || leaf_owns_frame_;
  if (is_code && owns_frame) return EmitCode(code);
  uint32_t id;
  if (!FunctionIdOf(function_word, &id) || id == 0) {
    // Not readable, or a builtin with a frame of its own (Array.prototype.map). V8 10 does not mark
    // the frames of regular expressions.
    const bool is_regexp = !in_builtin && v8_.frame_irregexp == 0 && IsRegExpCode();
    EmitAt(fp, is_regexp ? MakeFrame(FrameType::kRegExp, LookupPc()) : otherwise);
  } else if (is_code && id == FrameFunctionOf(code.outermost())) {
    EmitCode(code);
  } else if (is_code) {
    // The frame is another function's: the code's own has not been made yet, or is gone already
    // (entry checks, argument popping).
    Emit(code.outermost());
    EmitBelowFrameless(id);
  } else if (!owns_frame && in_builtin) {
    // Without a frame of its own, on top of a JavaScript frame (bytecode handlers, inline caches).
    Emit(otherwise);
    EmitBelowFrameless(id);
  } else {
    EmitAt(fp, FrameFromSlots(fp, id, in_builtin ? Tier::kInterpreted : Tier::kOptimized));
  }
}

bool Walker::IsRegExpCode() const {
  CodeObject code;
  return reader_.FindCode(LookupPc(), &code) && code.kind == v8_.kind_regexp;
}

void Walker::EmitCode(const CodeFrames& code) {
  for (uint32_t i = 0; i < code.count; i++) EmitAt(registers_.fp, code.frames[i]);
}

// The frame that a leaf without one runs on top of. Where generated code has called it, the
// return address says from where.
void Walker::EmitBelowFrameless(uint32_t function_id) {
  const uint64_t fp = registers_.fp;
  const Frame frame = FrameFromSlots(fp, function_id, Tier::kOptimized);
  uint64_t return_address;
  CodeFrames code;
  if (FrameTierOf(frame) != Tier::kInterpreted && GuardedLoad64(registers_.sp, &return_address) &&
      modules_.Find(return_address) == 0 && FollowsCall(return_address) &&
      FramesOfCode(return_address - 1, fp, &code) &&
      FrameFunctionOf(code.outermost()) == function_id) {
    EmitCode(code);
  } else {
    EmitAt(fp, frame);
  }
}

// What generated code at `pc` stands for; `fp` is its frame, 0 when it has none. False: it is not
// a function's code, or the function cannot be told.
bool Walker::FramesOfCode(uint64_t pc, uint64_t fp, CodeFrames* out) {
  static_assert(kCodeCacheSize == 1 << 10);
  CodeCacheEntry& entry = state_->code_cache[(pc * kSpread) >> 54];
  if (entry.pc != pc || entry.epoch != state_->code_epoch || entry.epoch == 0) {
    MakeRoomForCodeFrames();
    entry = {pc, 0, static_cast<uint16_t>(state_->code_frames_used), 0};
    const bool is_certain = ReadFramesOfCode(pc, fp, &entry);
    if (result_.is_lane_full) return false;
    if (is_certain && state_->code_epoch != 0) {
      entry.epoch = state_->code_epoch;
      state_->code_frames_used += entry.count;
    }
  }
  *out = {state_->code_frames + entry.first, entry.count};
  return entry.count != 0;
}

void Walker::MakeRoomForCodeFrames() {
  if (state_->code_frames_epoch != state_->code_epoch) {
    state_->code_frames_epoch = state_->code_epoch;  // all that is there is void
    state_->code_frames_used = 0;
  }
  if (state_->code_frames_used + kMaxInlined <= kCodeFramesSize) return;
  for (CodeCacheEntry& entry : state_->code_cache) entry = CodeCacheEntry{};
  state_->code_frames_used = 0;
}

bool Walker::AppendCodeFrame(CodeCacheEntry* entry, Frame frame) {
  if (entry->count >= kMaxInlined) return false;
  state_->code_frames[entry->first + entry->count++] = frame;
  return true;
}

// False: another look from another frame may see more, so that nothing should be remembered.
bool Walker::ReadFramesOfCode(uint64_t pc, uint64_t fp, CodeCacheEntry* entry) {
  CodeObject code;
  if (!reader_.FindCode(pc, &code)) return true;
  const uint32_t broken_off = state_->table_marks.looks_broken_off;
  const bool is_certain = code.kind == v8_.kind_baseline ? ReadBaselineFrame(code, pc, fp, entry)
                                                         : ReadOptimizedFrames(code, pc, entry);
  return is_certain && broken_off == state_->table_marks.looks_broken_off;
}

bool Walker::ReadOptimizedFrames(const CodeObject& code, uint64_t pc, CodeCacheEntry* entry) {
  FunctionIdentity outer;
  uint32_t outer_id, id;
  if (!reader_.ReadOptimizedFunction(code, &outer) || outer.script == 0) return true;
  if (!DefinedId(outer, &outer_id)) return true;
  const Tier tier = code.kind == v8_.kind_turbofan ? Tier::kTurbofan : Tier::kMaglev;
  InlineWalk walk;
  uint32_t place = 0;
  bool is_good =
      reader_.BeginInlineWalk(code, static_cast<uint32_t>(pc - code.instruction_start), &walk);
  uint32_t steps = 0;
  while (is_good && walk.at.inlining_id != 0) {
    FunctionIdentity function;
    if (steps++ == 2 * kMaxInlined) return true;  // builtins take no room, but time
    place = walk.at.place;
    is_good = reader_.StepInlineWalk(&walk, &function);
    if (!is_good || function.script == 0) continue;  // a builtin's has no place in a script
    if (!DefinedId(function, &id)) return true;
    is_good = AppendCodeFrame(entry, MakeJsFrame(tier, id, place) | kInlinedFrame);
  }
  if (is_good) is_good = entry->count < kMaxInlined;
  if (!is_good) entry->count = 0;  // of a chain that breaks, only the function itself is sure
  return AppendCodeFrame(entry, MakeJsFrame(tier, outer_id, is_good ? walk.at.place : 0));
}

bool Walker::ReadBaselineFrame(const CodeObject& code, uint64_t pc, uint64_t fp,
                               CodeCacheEntry* entry) {
  uint64_t bytecode_array, function_word;
  uint32_t id;
  if (fp == 0 || !GuardedLoad64(fp - 32, &bytecode_array) ||
      !GuardedLoad64(fp - 16, &function_word) || !reader_.IsBytecodeArray(bytecode_array) ||
      !reader_.IsBaselineOf(code, bytecode_array) || !FunctionIdOf(function_word, &id) || id == 0) {
    return false;
  }
  const uint32_t place = reader_.PlaceInBaseline(
      code, bytecode_array, static_cast<uint32_t>(pc - code.instruction_start));
  return AppendCodeFrame(entry, MakeJsFrame(Tier::kBaseline, id, place));
}

// A frame of which the code tells nothing: the interpreter's, or one whose code could not be found.
// `otherwise`: its tier when its slots are not those of interpreter or Sparkplug.
Frame Walker::FrameFromSlots(uint64_t fp, uint32_t function_id, Tier otherwise) {
  uint64_t bytecode_array, bytecode_offset;
  if (fp - 40 < registers_.sp || !GuardedLoad64(fp - 32, &bytecode_array) ||
      !V8Reader::LooksLikeHeapObject(bytecode_array) || !reader_.IsBytecodeArray(bytecode_array) ||
      !GuardedLoad64(fp - 40, &bytecode_offset)) {
    return MakeJsFrame(otherwise, function_id, 0);
  }
  // Sparkplug keeps a feedback vector or cell where the interpreter keeps its offset, a Smi.
  if ((bytecode_offset & 1) != 0) return MakeJsFrame(Tier::kBaseline, function_id, 0);
  return MakeJsFrame(Tier::kInterpreted, function_id,
                     PlaceOfBytecode(bytecode_array, bytecode_offset));
}

// The interpreter writes its offset into the frame when it calls; in a bytecode's handler it is
// ahead of that, in a register (docs/design/v8-internals.md 2.5).
uint64_t Walker::NewestOffset(uint64_t bytecode_array, uint64_t offset_slot) const {
  const uint64_t in_register = interpreter_offset_ << 32;
  uint32_t offset;
  if (interpreter_bytecodes_ != bytecode_array || interpreter_offset_ >> 31 != 0 ||
      !reader_.ReadBytecodeOffset(bytecode_array, in_register, &offset)) {
    return offset_slot;
  }
  return in_register;
}

uint32_t Walker::PlaceOfBytecode(uint64_t bytecode_array, uint64_t offset_slot) {
  uint32_t offset;
  const uint64_t newest = NewestOffset(bytecode_array, offset_slot);
  interpreter_bytecodes_ = 0;  // what is above belongs to other frames
  if (!reader_.ReadBytecodeOffset(bytecode_array, newest, &offset)) return 0;
  // Exact: a heap address has 44 bits that differ. Beyond a million bytecodes nothing is
  // remembered.
  const bool may_remember = offset < 1 << 20 && state_->code_epoch != 0;
  const uint64_t key = bytecode_array >> 3 << 20 | offset;
  static_assert(kPlaceCacheSize == 1 << 10);
  PlaceCacheEntry& entry = state_->place_cache[(key * kSpread) >> 54];
  if (may_remember && entry.key == key && entry.epoch == state_->code_epoch) return entry.place;
  const uint32_t broken_off = state_->table_marks.looks_broken_off;
  const uint32_t place = reader_.PlaceInBytecode(bytecode_array, offset);
  if (may_remember && broken_off == state_->table_marks.looks_broken_off)
    entry = {key, state_->code_epoch, place};
  return place;
}

// The id of the function in a frame's slot; 0 for a builtin. False: it cannot be read.
bool Walker::FunctionIdOf(uint64_t word, uint32_t* id) {
  FunctionCacheEntry& entry = state_->function_cache[(word * kSpread) >> 54];
  static_assert(kFunctionCacheSize == 1 << 10);
  if (entry.word == word && entry.epoch == state_->gc_epoch && entry.epoch != 0) {
    *id = entry.id;
    return true;
  }
  FunctionIdentity function;
  if (!reader_.ReadFunction(word, &function)) return false;
  *id = 0;
  if (function.script != 0 && !DefinedId(function, id)) return false;
  entry = {word, state_->gc_epoch, *id};
  return true;
}

// False: there was no room, and the sample is lost.
bool Walker::DefinedId(const FunctionIdentity& function, uint32_t* id) {
  *id = definitions_->FunctionId(function);
  if (*id == 0) result_.is_lane_full = true;
  return *id != 0;
}

}  // namespace spprof
