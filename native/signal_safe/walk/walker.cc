#include "signal_safe/walk/walker.h"

#include "signal_safe/cfi/frame_search.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {

namespace {

// No stack is longer; ends the search when a frame pointer points into nowhere.
constexpr uint64_t kMaxStackBytes = uint64_t{1} << 30;
// A walk that has emitted its frames' worth may still look for the JavaScript of a collection, but
// not for ever.
constexpr uint32_t kMaxSteps = 1 << 16;
// Far enough to see the frame of generated code set up or left, if that is near; and of a builtin,
// where what was seen is remembered.
constexpr uint32_t kMaxLeafInstructions = 40;
constexpr uint32_t kMaxBuiltinInstructions = 2000;
// Slots of a JavaScript frame below its frame pointer: context, function, argument count.
constexpr uint64_t kStandardFrameBytes = 24;

}  // namespace

void Walker::Emit(Frame frame) {
  if (FrameTypeOf(frame) == FrameType::kJs) result_.has_javascript = true;
  if (capturing_) return;
  if (!options_.native_frames && FrameTypeOf(frame) == FrameType::kBuiltin) return;
  if (result_.frame_count < LeafCapacity()) {
    state_->frames[result_.frame_count++] = frame;
    return;
  }
  // A long stack: frames = leaf's part, marker, root's part. The root's part is a ring until the
  // walk is over.
  const uint32_t root = RootCapacity();
  if (root != 0) state_->frames[LeafCapacity() + 1 + beyond_leaf_ % root] = frame;
  beyond_leaf_++;
}

void Walker::CloseLongStack() {
  if (beyond_leaf_ == 0) return;
  const uint32_t root = RootCapacity(), leaf = LeafCapacity();
  Frame* const kept = state_->frames + leaf + 1;
  if (beyond_leaf_ <= root) {  // nothing is left out: close the marker's gap
    for (uint32_t i = 0; i < beyond_leaf_; i++) state_->frames[leaf + i] = kept[i];
    result_.frame_count = leaf + beyond_leaf_;
    return;
  }
  result_.is_truncated = true;
  if (!result_.is_complete || root == 0) return;  // the root was not reached: the leaf's part alone
  // Into order: the oldest entry of the ring comes first. Rotation by three reversals.
  const auto reverse = [kept](uint32_t from, uint32_t to) {
    for (; from + 1 < to; from++, to--) {
      const Frame swapped = kept[from];
      kept[from] = kept[to - 1];
      kept[to - 1] = swapped;
    }
  };
  const uint32_t oldest = beyond_leaf_ % root;
  reverse(0, oldest);
  reverse(oldest, root);
  reverse(0, root);
  state_->frames[leaf] = MakeFrame(FrameType::kTruncated, 0);
  result_.frame_count = options_.max_frames;
}

WalkResult Walker::Walk(const Registers& registers) {
  registers_ = registers;
  if (registers.has_scratch) {
    interpreter_bytecodes_ = registers.r12;
    interpreter_offset_ = registers.r9;
  }
  if (!options_.has_gc_frames) next_gc_frame_ = state_->gc_frame_count;
  if (options_.heap_is_moving && !options_.native_frames) Emit(MakeFrame(FrameType::kGc, 0));
  const uint32_t limit = options_.max_frames - LeafCapacity() + options_.max_frames_beyond;
  while (beyond_leaf_ < limit && !result_.is_lane_full) {
    const Step step = StepOnce();
    if (step == Step::kOk) continue;
    result_.is_complete = step == Step::kEndOfStack && !may_lack_caller_;
    break;
  }
  CloseLongStack();
  return result_;
}

void Walker::CaptureForGc(const Registers& registers) {
  registers_ = registers;
  capturing_ = true;
  state_->gc_frame_count = 0;
  for (uint32_t steps = 0; steps < kMaxSteps && state_->gc_frame_count < kMaxGcFrames; steps++) {
    if (StepOnce() != Step::kOk) break;
  }
}

RuleCacheEntry& Walker::Lookup(uintptr_t pc) {
  // Call sites differ in their low bits; the multiplication spreads them (Knuth, 6.4).
  RuleCacheEntry& entry = state_->rules[(pc * 0x9e3779b97f4a7c15) >> 53];
  static_assert(kRuleCacheSize == 1 << 11);
  if (entry.pc != pc) {
    entry.module = static_cast<uint16_t>(modules_.Find(pc));
    const ModuleRange* module = modules_.At(entry.module);
    entry.leaf = LeafFrame{LeafFrameKind::kNotLookedFor, 0};
    entry.rule = module != nullptr && module->has_cfi ? DecodeRule(module->cfi, pc) : UnwindRule{};
    entry.pc = pc;
  }
  return entry;
}

Walker::Step Walker::StepOnce() {
  if (registers_.pc < 4096) return Step::kStop;
  RuleCacheEntry& entry = Lookup(LookupPc());
  const ModuleRange* module = modules_.At(entry.module);
  if (module == nullptr || entry.rule.kind != RuleKind::kNone) {
    if (is_leaf_) interpreter_bytecodes_ = 0;
  }
  const Step step = entry.rule.kind != RuleKind::kNone ? StepNative(*module, entry.rule)
                                                       : StepByFramePointer(module, &entry);
  if (!is_leaf_) interpreter_bytecodes_ = 0;
  is_leaf_ = false;
  return step;
}

Walker::Step Walker::StepNative(const ModuleRange& module, const UnwindRule& rule) {
  has_exact_sp_ = false;
  const uintptr_t lookup = LookupPc();
  if (options_.native_frames) Emit(MakeFrame(FrameType::kNative, lookup));
  // Without it, a rule that is based on the frame pointer fails, and the walk ends here.
  if (options_.is_from_outside && registers_.fp == 0 &&
      (rule.kind == RuleKind::kExpression || rule.cfa_register == kDwarfFp)) {
    FindFramePointer(modules_, module.cfi, lookup, registers_.sp, &registers_.fp);
  }
  switch (ApplyRule(module.cfi, rule, lookup, registers_.sp + kMaxStackBytes, &registers_)) {
    case StepResult::kOk:
      pc_is_exact_ = rule.is_signal_frame;
      return Step::kOk;
    case StepResult::kEndOfStack:
      return Step::kEndOfStack;
    case StepResult::kBad:
      break;
  }
  return Step::kStop;
}

Walker::Step Walker::StepByFramePointer(const ModuleRange* module, RuleCacheEntry* entry) {
  if (IsV8(module)) {
    if ((has_exact_sp_ || module != nullptr) && StepFrameless(module, entry)) return Step::kOk;
    EmitV8Frame(module);
  } else if (options_.native_frames) {
    Emit(MakeFrame(FrameType::kNative, LookupPc()));
  }

  has_exact_sp_ = false;
  const uint64_t fp = registers_.fp;
  uint64_t caller_fp, caller_pc;
  if (fp < registers_.sp || fp - registers_.sp > kMaxStackBytes || (fp & 7) != 0 ||
      !GuardedLoad64(fp, &caller_fp) || !GuardedLoad64(fp + 8, &caller_pc)) {
    return Step::kStop;
  }
  uint64_t marker;
  if (IsV8(module) && GuardedLoad64(fp - 8, &marker) && v8_.IsEntryMarker(marker)) {
    // JSEntry has saved the C++ caller's registers (docs/design/v8-internals.md 2.1), which
    // call-frame rules above may ask for. As a leaf, only those above the stack pointer, yet or
    // still.
    constexpr uint64_t Registers::*kSaved[] = {&Registers::r12, &Registers::r13, &Registers::r14,
                                               &Registers::r15, &Registers::rbx};
    uint64_t slot = fp - 16;
    for (uint64_t Registers::*const saved : kSaved) {
      slot -= 8;
      if (slot >= registers_.sp) GuardedLoad64(slot, &(registers_.*saved));
    }
  }
  registers_.sp = fp + 16;
  registers_.fp = caller_fp;
  registers_.pc = caller_pc;
  registers_.has_scratch = false;
  pc_is_exact_ = false;
  return Step::kOk;
}

bool Walker::StepFrameless(const ModuleRange* module, RuleCacheEntry* entry) {
  LeafFrame leaf = entry->leaf;
  if (module == nullptr && may_lack_frame_ && IsBeforeFrameOfBaseline()) {
    leaf = {LeafFrameKind::kNone, 0};
  } else if (module == nullptr && is_leaf_) {
    leaf = FindLeafFrame(registers_.pc, kMaxLeafInstructions);
  } else if (module != nullptr && leaf.kind == LeafFrameKind::kNotLookedFor) {
    leaf = entry->leaf = FindLeafFrame(registers_.pc, kMaxBuiltinInstructions);
  }
  if (is_leaf_) {
    leaf_owns_frame_ = leaf.kind == LeafFrameKind::kOwn;
    // In generated code it is far from its beginning and its end, so it has its frame.
    may_lack_caller_ = leaf.kind != LeafFrameKind::kOwn && module != nullptr;
  } else if (leaf.kind != LeafFrameKind::kNone) {
    return false;
  }
  Registers caller = registers_;
  bool is_frame_made = false;
  const uint64_t top = registers_.sp + static_cast<uint64_t>(leaf.offset);
  switch (leaf.kind) {
    case LeafFrameKind::kNone:
      if (!GuardedLoad64(top, &caller.pc)) return false;
      caller.sp = top + 8;
      break;
    case LeafFrameKind::kHalfBuilt:
      if (!GuardedLoad64(top, &caller.fp) || !GuardedLoad64(top + 8, &caller.pc)) return false;
      caller.sp = top + 16;
      break;
    case LeafFrameKind::kInRegister:
      caller.pc = registers_.*kX86Registers[leaf.offset];
      is_frame_made = true;
      break;
    case LeafFrameKind::kPopped:
      caller.pc = registers_.*kX86Registers[leaf.offset % kStackWord];
      caller.sp += static_cast<uint64_t>(leaf.offset / kStackWord) * 8;
      break;
    default:
      return false;
  }
  const bool may_have_trapped = is_leaf_ && module != nullptr;
  if (!IsReturnAddress(caller.pc) && !(may_have_trapped && HasTrappedAt(caller.pc))) return false;
  may_lack_caller_ = false;
  EmitLeafCode(module);
  may_lack_frame_ = !is_frame_made;
  registers_ = caller;
  registers_.has_scratch = false;
  pc_is_exact_ = false;
  return true;
}

// Baseline code, Sparkplug's and WebAssembly's, has its frame made by a builtin, which it calls
// first.
bool Walker::IsBeforeFrameOfBaseline() {
  CodeObject code;
  if (IsBeforeFrameOfLiftoff(registers_.pc)) return true;
  return MayReadHeap() && reader_.FindCode(LookupPc(), &code) && code.kind == v8_.kind_baseline &&
         LookupPc() < FindFirstCall(code.instruction_start);
}

// The code at the leaf, known from the program counter alone: there is no frame to ask.
void Walker::EmitLeafCode(const ModuleRange* module) {
  if (module != nullptr) {
    Emit(MakeFrame(FrameType::kBuiltin, LookupPc()));
    return;
  }
  CodeFrames frames;
  if (MayReadHeap()) {
    if (FramesOfCode(LookupPc(), 0, &frames)) {
      Emit(frames.outermost());  // nothing is inlined at a function's entry and end
      return;
    }
    CodeObject code;
    if (reader_.FindCode(LookupPc(), &code)) {
      if (code.kind == v8_.kind_regexp) {
        Emit(MakeFrame(FrameType::kRegExp, LookupPc()));
        return;
      }
      // Sparkplug code does not name its function, but at its entry and its end the function
      // register still does, as within the builtin that makes its frame.
      uint32_t id;
      if (code.kind == v8_.kind_baseline && has_exact_sp_ && FunctionIdOf(registers_.rdi, &id) &&
          id != 0) {
        const bool is_at_entry = LookupPc() < FindFirstCall(code.instruction_start);
        Emit(MakeJsFrame(Tier::kBaseline, id, is_at_entry ? kPositionAtEntry : 0));
        return;
      }
    } else if (EmitWasmLeaf()) {
      return;
    }
  }
  Emit(MakeFrame(FrameType::kUnknownJs, LookupPc()));
}

void Walker::EmitV8Frame(const ModuleRange* module) {
  const bool in_builtin = module != nullptr;
  const uint64_t fp = registers_.fp;
  const uint64_t pc = LookupPc();
  const Frame here = MakeFrame(in_builtin ? FrameType::kBuiltin : FrameType::kUnknownJs, pc);
  uint64_t marker, function_word;
  if (!v8_.js_frames || options_.heap_may_move || fp < registers_.sp) {
    Emit(here);
    return;
  }
  if (has_exact_sp_ && fp - registers_.sp < kStandardFrameBytes) {
    EmitLeafCode(module);  // the slots below the frame pointer have not been written yet
    return;
  }
  if (!GuardedLoad64(fp - 8, &marker) || !GuardedLoad64(fp - 16, &function_word)) {
    Emit(here);
    return;
  }
  if (!V8Reader::LooksLikeHeapObject(marker)) {  // a typed frame: stub, entry, exit, ...
    if (in_builtin) {
      Emit(here);
    } else if (EmitWasmFrame(marker, function_word)) {
    } else if (v8_.frame_irregexp != 0 && marker == uint64_t{v8_.frame_irregexp} << 1) {
      Emit(MakeFrame(FrameType::kRegExp, pc));
    } else if (is_leaf_) {
      EmitLeafCode(nullptr);
    } else {
      Emit(here);  // a stub, a builtin in a copy that is not mapped from a file
    }
    return;
  }
  // A context in the marker's place: a JavaScript frame, whose function is in its own slot
  // (docs/design/walking.md 4).
  if (options_.heap_is_moving) {
    if (EmitFromGcFrames(fp)) return;
    // Where the JavaScript frames are known, it is none of them, whatever lies there.
    Emit(options_.has_gc_frames ? here : MakeFrame(FrameType::kUnknownJs, pc));
    return;
  }
  EmitJsFrame(module, function_word, here);
}

// A JavaScript frame: before a collection it is kept for the collection's samples.
void Walker::EmitAt(uint64_t fp, Frame frame) {
  if (capturing_ && state_->gc_frame_count < kMaxGcFrames) {
    state_->gc_frames[state_->gc_frame_count++] = {fp, frame};
  }
  Emit(frame);
}

bool Walker::EmitFromGcFrames(uint64_t fp) {
  while (next_gc_frame_ < state_->gc_frame_count && state_->gc_frames[next_gc_frame_].fp < fp) {
    next_gc_frame_++;
  }
  if (next_gc_frame_ == state_->gc_frame_count || state_->gc_frames[next_gc_frame_].fp != fp) {
    return false;
  }
  // One for each inlined function, too.
  do {
    Emit(state_->gc_frames[next_gc_frame_++].frame);
  } while (next_gc_frame_ < state_->gc_frame_count && state_->gc_frames[next_gc_frame_].fp == fp);
  return true;
}

}  // namespace spprof
