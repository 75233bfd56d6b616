// Walks one mixed stack, leaf first: native frames by call-frame rules, V8's code by frame pointers
// (docs/design/walking.md 1).
//
// Context: signal, on the walked thread (and the thread itself in a garbage-collection callback);
// or the drain, while that thread sleeps (sampling/sleep_walker.h).
// Never allocates, locks, or writes outside its WalkState and its thread's detail lane. Every
// load is guarded; a step must move up the stack, so a walk ends.
#pragma once

#include "signal_safe/cfi/module_table.h"
#include "signal_safe/machine/registers.h"
#include "signal_safe/v8_heap/v8_layout.h"
#include "signal_safe/v8_heap/v8_reader.h"
#include "signal_safe/walk/definitions.h"
#include "signal_safe/walk/walk_state.h"

namespace spprof {

struct WalkOptions {
  uint32_t max_frames = 512;
  // Frames beyond max_frames that are walked, but for the root's part not kept, to reach the
  // thread's first function.
  uint32_t max_frames_beyond = 1024;
  bool native_frames = true;
  bool heap_is_moving =
      false;  // no heap object is read; JavaScript frames come from WalkState::gc_frames
  bool heap_may_move = false;  // nobody tells when: no heap object is read
  bool has_gc_frames = false;  // V8 announced this collection, so gc_frames are its own
  // Stack pointer and program counter alone are known; a register that is zero may be anything.
  bool is_from_outside = false;
};

struct WalkResult {
  uint32_t frame_count = 0;
  bool is_truncated = false;    // more frames than max_frames
  bool is_complete = false;     // the thread's first function was reached
  bool has_javascript = false;  // some frame is a JavaScript function's
  bool is_lane_full = false;    // a function could not be defined: the sample must be dropped
};

class Walker {
 public:
  Walker(const ModuleTable& modules, const V8Layout& v8, const V8Reader& reader, WalkState* state,
         Definitions* definitions, const WalkOptions& options)
      : modules_(modules),
        v8_(v8),
        reader_(reader),
        state_(state),
        definitions_(definitions),
        options_(options) {}

  // Fills state->frames. `registers` are those of the interrupted instruction.
  WalkResult Walk(const Registers& registers);

  // Records the JavaScript frames from here up in state->gc_frames, for the samples of a collection
  // that is about to begin.
  void CaptureForGc(const Registers& registers);

 private:
  enum class Step : uint8_t { kOk, kEndOfStack, kStop };

  Step StepOnce();
  Step StepNative(const ModuleRange& module, const UnwindRule& rule);
  Step StepByFramePointer(const ModuleRange* module, RuleCacheEntry* entry);
  // Generated code without a frame, not yet, or no more: the leaf, or a builtin that has called
  // another from such a place. False: it has one, or nothing is known.
  bool StepFrameless(const ModuleRange* module, RuleCacheEntry* entry);
  bool IsBeforeFrameOfBaseline();
  bool MayReadHeap() const { return !options_.heap_is_moving && !options_.heap_may_move; }
  bool IsReturnAddress(uint64_t address) const;
  bool HasTrappedAt(uint64_t address) const;
  RuleCacheEntry& Lookup(uintptr_t pc);
  // What the V8 frame at registers_.fp is.
  void EmitV8Frame(const ModuleRange* module);
  void EmitLeafCode(const ModuleRange* module);
  bool EmitFromGcFrames(uint64_t fp);
  void EmitAt(uint64_t fp, Frame frame);

  // walker_js.cc: JavaScript frames.
  // The frames of generated code at one program counter, innermost first.
  struct CodeFrames {
    const Frame* frames;
    uint32_t count;
    Frame outermost() const { return frames[count - 1]; }
  };
  void EmitJsFrame(const ModuleRange* module, uint64_t function_word, Frame otherwise);
  bool IsRegExpCode() const;
  void EmitCode(const CodeFrames& code);
  void EmitBelowFrameless(uint32_t function_id);
  bool FramesOfCode(uint64_t pc, uint64_t fp, CodeFrames* out);
  bool ReadFramesOfCode(uint64_t pc, uint64_t fp, CodeCacheEntry* entry);
  bool ReadOptimizedFrames(const CodeObject& code, uint64_t pc, CodeCacheEntry* entry);
  bool ReadBaselineFrame(const CodeObject& code, uint64_t pc, uint64_t fp, CodeCacheEntry* entry);
  bool AppendCodeFrame(CodeCacheEntry* entry, Frame frame);
  void MakeRoomForCodeFrames();
  Frame FrameFromSlots(uint64_t fp, uint32_t function_id, Tier otherwise);
  uint32_t PlaceOfBytecode(uint64_t bytecode_array, uint64_t offset_slot);
  uint64_t NewestOffset(uint64_t bytecode_array, uint64_t offset_slot) const;
  bool FunctionIdOf(uint64_t word, uint32_t* id);
  bool DefinedId(const FunctionIdentity& function, uint32_t* id);

  // walker_wasm.cc: WebAssembly.
  // False: not a WebAssembly frame.
  bool EmitWasmFrame(uint64_t marker, uint64_t instance);
  bool EmitWasmLeaf();
  // Of a WebAssembly frame. False: it is none.
  bool WasmInstanceAt(uint64_t fp, uint64_t* instance) const;
  // Whether `pc` may be where the WebAssembly frame at registers_.fp is.
  bool IsInWasm(uint64_t pc) const;
  bool IsWasmMarker(uint64_t marker) const {
    return v8_.frame_wasm != 0 && marker == uint64_t{v8_.frame_wasm} << 1;
  }
  Frame WasmFrameAt(uint64_t pc, uint64_t instance);
  Frame FindWasmFrame(uint64_t pc, uint64_t instance, bool* is_pending);
  WasmCacheEntry& WasmCacheOf(uint64_t pc) const;
  Frame RememberedWasm(uint64_t pc, uint64_t instance) const;
  void RememberWasm(uint64_t pc, uint64_t instance, Frame frame);

  void Emit(Frame frame);
  // Puts the parts of a long stack together; see Emit.
  void CloseLongStack();
  uint32_t RootCapacity() const { return options_.max_frames / 8; }
  uint32_t LeafCapacity() const {
    return RootCapacity() == 0 ? options_.max_frames : options_.max_frames - RootCapacity() - 1;
  }
  uintptr_t LookupPc() const { return pc_is_exact_ ? registers_.pc : registers_.pc - 1; }
  static bool IsV8(const ModuleRange* module) {
    return module == nullptr || module->kind != CodeKind::kNative;
  }

  const ModuleTable& modules_;
  const V8Layout& v8_;
  const V8Reader& reader_;
  WalkState* state_;
  Definitions* definitions_;
  const WalkOptions& options_;
  Registers registers_{};
  // The interpreter's registers, while the frame that they belong to may be next: its handlers run
  // without a frame, or have one of their own below it. 0: they are not the interpreter's.
  uint64_t interpreter_bytecodes_ = 0;
  uint64_t interpreter_offset_ = 0;
  WalkResult result_{};
  bool is_leaf_ = true;
  // Of the leaf, and of what has called it while it has no frame: sp is known to the byte, so what
  // lies between it and fp is the frame's.
  bool has_exact_sp_ = true;
  bool may_lack_frame_ = true;    // what has called the leaf, too
  bool may_lack_caller_ = false;  // whether the leaf has a frame could not be told
  bool leaf_owns_frame_ = false;  // the leaf is known to have set up the frame at fp
  bool pc_is_exact_ = true;       // the leaf, or interrupted by a signal: not a return address
  uint32_t next_gc_frame_ = 0;
  bool capturing_ = false;
  uint32_t beyond_leaf_ = 0;  // frames emitted after the leaf's part was full
};

}  // namespace spprof
