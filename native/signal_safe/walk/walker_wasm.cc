// WebAssembly's frames: which function of which module each stands for (V8Reader, v8_wasm.cc).
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/walk/walker.h"

namespace spprof {

namespace {

constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // Knuth, 6.4: neighbours fall far apart
constexpr uint64_t kLine = 64;

// Of the instructions around `pc`; 0: they cannot be read.
uint64_t HashOfInstructions(uint64_t pc) {
  uint64_t hash = 1;
  for (uint64_t at = pc & ~(kLine - 1), end = at + kLine; at < end; at += 8) {
    uint64_t word;
    if (!GuardedLoad64(at, &word)) return 0;
    hash = (hash ^ word) * kSpread;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

bool Walker::EmitWasmFrame(uint64_t marker, uint64_t instance) {
  const uint64_t pc = LookupPc();
  if (!IsWasmMarker(marker)) {
    const bool converts = marker != 0 && (marker == uint64_t{v8_.frame_wasm_to_js} << 1 ||
                                          marker == uint64_t{v8_.frame_js_to_wasm} << 1);
    if (converts) Emit(MakeFrame(FrameType::kWasm, pc));
    return converts;
  }
  if (options_.heap_is_moving) {
    if (!EmitFromGcFrames(registers_.fp)) Emit(MakeFrame(FrameType::kWasm, pc));
    return true;
  }
  const Frame frame = WasmFrameAt(pc, instance);
  EmitAt(registers_.fp, frame != 0 ? frame : MakeFrame(FrameType::kWasm, pc));
  return true;
}

// Code without a frame, yet or any more: its instance is in the register in which it was passed, or
// in its caller's frame. False: not WebAssembly's, as far as can be told.
bool Walker::EmitWasmLeaf() {
  if (v8_.wasm_module_type == 0) return false;
  Frame frame = WasmFrameAt(LookupPc(), registers_.rsi);
  uint64_t instance;
  if (frame == 0 && WasmInstanceAt(registers_.fp, &instance)) {
    frame = WasmFrameAt(LookupPc(), instance);
  }
  if (frame != 0) Emit(frame);
  return frame != 0;
}

bool Walker::WasmInstanceAt(uint64_t fp, uint64_t* instance) const {
  uint64_t marker;
  return GuardedLoad64(fp - 8, &marker) && IsWasmMarker(marker) && GuardedLoad64(fp - 16, instance);
}

bool Walker::IsInWasm(uint64_t pc) const {
  uint64_t instance;
  FunctionIdentity module;
  WasmCode code;
  return WasmInstanceAt(registers_.fp, &instance) && reader_.ReadWasmScript(instance, &module) &&
         reader_.FindWasmCode(pc, instance, &code);
}

// 0: nothing can be told, or it could not be defined (is_lane_full).
Frame Walker::WasmFrameAt(uint64_t pc, uint64_t instance) {
  Frame frame = RememberedWasm(pc, instance);
  if (frame != 0) return frame;
  bool is_pending = false;
  frame = FindWasmFrame(pc, instance, &is_pending);
  if (frame != 0 && !is_pending) RememberWasm(pc, instance, frame);
  return frame;
}

// `*is_pending`: a later sample may find more.
Frame Walker::FindWasmFrame(uint64_t pc, uint64_t instance, bool* is_pending) {
  FunctionIdentity function;
  WasmCode code;
  uint32_t id;
  if (!reader_.ReadWasmScript(instance, &function) || !reader_.FindWasmCode(pc, instance, &code)) {
    return 0;
  }
  WasmAnswer found = code.is_pending ? WasmAnswer::kNotYet : WasmAnswer::kNo;
  if (code.has_slot)
    found = reader_.ReadWasmIndex(function.script, code.slot, &function.literal_id);
  const bool is_found = found == WasmAnswer::kYes;
  *is_pending = found == WasmAnswer::kNotYet;
  if (!is_found) {  // since then replaced by optimized code, perhaps
    const Frame before = RememberedWasm(code.start, instance);
    if (before != 0) return before;
  }
  if (!DefinedId(function, &id)) return 0;
  // Before code was numbered, its tier cannot be told.
  const Tier tier = code.is_numbered       ? Tier::kBaseline
                    : v8_.wasm_is_numbered ? Tier::kTurbofan
                                           : Tier::kUnknown;
  const Frame frame = MakeJsFrame(tier, id, 0);
  if (is_found) RememberWasm(code.start, instance, frame);
  return frame;
}

WasmCacheEntry& Walker::WasmCacheOf(uint64_t pc) const {
  static_assert(kWasmCacheSize == 1 << 10);
  return state_->wasm_cache[(pc * kSpread) >> 54];
}

Frame Walker::RememberedWasm(uint64_t pc, uint64_t instance) const {
  const WasmCacheEntry& entry = WasmCacheOf(pc);
  const bool is_it = entry.pc == pc && entry.instance == instance &&
                     entry.epoch == state_->code_epoch && entry.epoch != 0 &&
                     entry.instructions == HashOfInstructions(pc);
  return is_it ? entry.frame : 0;
}

void Walker::RememberWasm(uint64_t pc, uint64_t instance, Frame frame) {
  WasmCacheOf(pc) = {pc, instance, HashOfInstructions(pc), frame, state_->code_epoch};
}

}  // namespace spprof
