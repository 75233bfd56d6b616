// WebAssembly: the function that machine code is of, and what its module says of it. V8 keeps no
// object that leads from code to function, so the module's jump table is asked, in which each
// function has a slot that jumps to its code (V8's wasm/jump-table-assembler.h); or baseline code,
// which from V8 13 on begins with its function's number.
#include <cstring>

#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/leaf_frame.h"
#include "signal_safe/v8_heap/v8_reader.h"
#include "signal_safe/v8_heap/wasm_module.h"

namespace spprof {

namespace {

constexpr uint64_t kCodeAlignment = 64;
// How far back a function's beginning is looked for, and how far back it may be.
constexpr uint32_t kMaxCodeSteps = 2048;  // 128 KiB of instructions, some 6 us
constexpr uint64_t kMaxCodeBytes = uint64_t{1024} * 1024;
constexpr uint64_t kJumpTableLine = 64;
constexpr uint8_t kJump = 0xe9;  // and a distance
constexpr uint32_t kJumpBytes = 5;
// Fields of the instance that are looked at: a jump table and the way to the script are among them
// in every version (8 to 26).
constexpr uint32_t kInstanceFields = 40;
constexpr uint32_t kObjectFields = 12;
// From the script's managed object to the module in C++: Foreign::foreign_address, a destructor
// that holds a std::shared_ptr<NativeModule>* (V8's objects/managed.h).
constexpr uint32_t kForeignAddress = 8;
constexpr uint32_t kDestructorPointer = 24;
constexpr uint32_t kNativeModuleFields = 96;
constexpr uint64_t kWasmMagic = 0x00000001'6d736100;  // "\0asm", version 1

bool LooksLikePointer(uint64_t word) { return (word & 7) == 0 && word >= 4096 && word >> 47 == 0; }

}  // namespace

bool V8Reader::FindFieldOfType(uint64_t object, uint32_t fields, uint16_t type,
                               uint64_t* out) const {
  for (uint32_t field = 1; field < fields; field++) {
    uint16_t found;
    if (!Field(object, field * 8, out)) return false;
    if (TypeOf(*out, &found) && found == type) return true;
  }
  return false;
}

bool V8Reader::ReadWasmScript(uint64_t instance, FunctionIdentity* out) const {
  uint64_t holder = instance, module;
  if (v8_.wasm_module_type == 0 || !LooksLikeHeapObject(instance)) return false;
  // Newer versions keep what code needs apart from the object that JavaScript sees.
  if (v8_.wasm_instance_type != 0 &&
      !FindFieldOfType(instance, kInstanceFields, v8_.wasm_instance_type, &holder)) {
    return false;
  }
  out->shared = 0;
  return FindFieldOfType(holder, kInstanceFields, v8_.wasm_module_type, &module) &&
         FindFieldOfType(module, kObjectFields, v8_.script_type, &out->script) &&
         SmiField(out->script, v8_.script_id, &out->script_id);
}

// The code that has the last beginning before `pc`: one that looks like it, or that the jump table
// knows (optimized code may begin without making a frame).
bool V8Reader::FindWasmCode(uint64_t pc, uint64_t instance, WasmCode* out) const {
  *out = {};
  LiftoffEntry entry{};
  const bool begins = FindWasmPrologue(pc, &out->start);
  const WasmAnswer found =
      FindWasmSlot(pc, instance, begins ? out->start : pc - kMaxCodeBytes, out);
  out->is_pending = found == WasmAnswer::kNotYet;
  if (found == WasmAnswer::kYes) {
    out->has_slot = true;
    out->is_numbered = ReadLiftoffEntry(out->start, &entry);
    return true;
  }
  if (!begins) return false;
  // Code that has been replaced since, or a wrapper.
  if (ReadLiftoffEntry(out->start, &entry)) {
    out->slot = entry.function;
    out->has_slot = out->is_numbered = true;
    return true;
  }
  uint16_t make_frame;
  return GuardedLoad16(out->start + 4, &make_frame) &&
         make_frame == (0x6a | v8_.frame_wasm << 9);  // push the frame's marker
}

bool V8Reader::FindWasmPrologue(uint64_t pc, uint64_t* start) const {
  *start = pc & ~(kCodeAlignment - 1);
  for (uint32_t step = 0; step < kMaxCodeSteps; step++, *start -= kCodeAlignment) {
    uint32_t make_frame;
    LiftoffEntry entry;
    if (!GuardedLoad32(*start, &make_frame)) return false;
    if (make_frame == 0xe5894855) return true;  // push rbp; mov rbp, rsp
    if (v8_.wasm_is_numbered && ReadLiftoffEntry(*start, &entry)) return true;
  }
  return false;
}

// The jump table is among the instance's fields.
bool V8Reader::FindWasmJumpTable(uint64_t instance, uint64_t* table) const {
  uint64_t jump;
  for (uint32_t field = 1; field < kInstanceFields; field++) {
    if (!Field(instance, field * 8, table)) return false;
    if (*table % kJumpTableLine == 0 && LooksLikePointer(*table) && GuardedLoad64(*table, &jump) &&
        (jump & 0xff) == kJump) {
      return true;
    }
  }
  return false;
}

// Where a slot of a jump table jumps to. False: it is none.
bool V8Reader::ReadWasmSlot(uint64_t table, uint32_t slot, uint64_t* target) const {
  const uint64_t slots_in_line = kJumpTableLine / v8_.wasm_slot_bytes;
  const uint64_t at =
      table + slot / slots_in_line * kJumpTableLine + slot % slots_in_line * v8_.wasm_slot_bytes;
  uint64_t jump;
  if (!GuardedLoad64(at, &jump) || (jump & 0xff) != kJump) return false;
  *target = at + kJumpBytes + static_cast<uint64_t>(static_cast<int32_t>(jump >> 8));
  return true;
}

// The slot that jumps to the last place from `begin` to `pc`.
WasmAnswer V8Reader::FindWasmSlot(uint64_t pc, uint64_t instance, uint64_t begin,
                                  WasmCode* out) const {
  uint64_t table, target;
  if (!FindWasmJumpTable(instance, &table)) return WasmAnswer::kNo;
  if (ReadWasmSlot(table, kMaxDirectWasmSlots, &target)) {
    return FindWasmSlotByIndex(pc, table, begin, out);
  }
  WasmAnswer answer = WasmAnswer::kNo;
  for (uint32_t slot = 0; slot < kMaxDirectWasmSlots; slot++) {
    if (!ReadWasmSlot(table, slot, &target)) break;
    if (target < begin || target > pc || target % kCodeAlignment != 0) continue;
    begin = out->start = target;
    out->slot = slot;
    answer = WasmAnswer::kYes;
  }
  return answer;
}

// Functions get other code as they are compiled, so what the index says is compared.
WasmAnswer V8Reader::FindWasmSlotByIndex(uint64_t pc, uint64_t table, uint64_t begin,
                                         WasmCode* out) const {
  uint64_t word, target;
  const WasmAnswer answer = AskWasmCode(table, v8_.wasm_slot_bytes, begin, pc, &word);
  if (answer == WasmAnswer::kNotYet) return answer;
  if (answer == WasmAnswer::kYes) {
    out->start = word >> kWasmSlotBits;
    out->slot = static_cast<uint32_t>(word & ((1u << kWasmSlotBits) - 1));
    if (ReadWasmSlot(table, out->slot, &target) && target == out->start) return answer;
  }
  NoteWasmCodeIsOld(table, v8_.wasm_slot_bytes);
  return WasmAnswer::kNotYet;
}

// Where in V8's C++ object for a module the pointer to the bytes lies differs by version, but what
// it points to is unmistakable.
bool V8Reader::FindWasmBytes(uint64_t script, uint64_t* begin, uint64_t* size) const {
  uint64_t managed, destructor, holder, module;
  if (v8_.script_wasm_module == 0 || !Field(script, v8_.script_wasm_module, &managed) ||
      !LooksLikeHeapObject(managed) || !Field(managed, kForeignAddress, &destructor) ||
      !LooksLikePointer(destructor) || !GuardedLoad64(destructor + kDestructorPointer, &holder) ||
      !LooksLikePointer(holder) || !GuardedLoad64(holder, &module) || !LooksLikePointer(module)) {
    return false;
  }
  const auto is_at = [&](uint32_t field) {
    uint64_t bytes, magic;
    return GuardedLoad64(module + field * 8u, &bytes) && LooksLikePointer(bytes) &&
           GuardedLoad64(bytes, begin) && *begin >= 4096 && *begin >> 47 == 0 &&
           GuardedLoad64(*begin, &magic) && magic == kWasmMagic && GuardedLoad64(bytes + 8, size) &&
           *size >= sizeof(magic) && *size >> 32 == 0;
  };
  if (is_at(maps_->wasm_bytes_field)) return true;
  for (uint32_t field = 0; field < kNativeModuleFields; field++) {
    if (!is_at(field)) continue;
    maps_->wasm_bytes_field = field;
    return true;
  }
  return false;
}

WasmAnswer V8Reader::ReadWasmIndex(uint64_t script, uint32_t slot, int32_t* index) const {
  uint64_t begin, size;
  uint32_t imported;
  if (!FindWasmBytes(script, &begin, &size)) return WasmAnswer::kNo;
  const WasmModuleBytes module(begin, size);
  WasmAnswer answer;
  if (module.IsShort()) {
    answer = module.CountImportedFunctions(&imported) ? WasmAnswer::kYes : WasmAnswer::kNo;
  } else {
    answer = AskWasmImports(begin, size, &imported);
  }
  if (answer == WasmAnswer::kYes) *index = static_cast<int32_t>(imported + slot);
  return answer;
}

void V8Reader::ReadWasmName(const FunctionIdentity& function, Text* out) const {
  uint64_t begin, size;
  const auto index = static_cast<uint32_t>(function.literal_id);
  auto* const text = reinterpret_cast<char*>(out->buffer);
  out->two_byte = out->shortened = false;
  out->length = 0;
  if (function.literal_id < 0) {
    constexpr char kUnknown[] = "(wasm)";
    out->length = sizeof(kUnknown) - 1;
    std::memcpy(text, kUnknown, out->length);
    return;
  }
  if (FindWasmBytes(function.script, &begin, &size)) {
    const WasmModuleBytes module(begin, size);
    WasmFunctionPlace place;
    if (module.IsShort()) {
      out->length = module.ReadFunctionName(index, text, out->capacity, &out->shortened);
    } else if (AskWasmFunction(begin, size, index, &place) == WasmAnswer::kYes) {
      out->length = module.ReadNameAt(place.name, index, text, out->capacity, &out->shortened);
    }
  }
  if (out->length != 0) return;
  // As V8 names them.
  constexpr char kBefore[] = "wasm-function[";
  std::memcpy(text, kBefore, sizeof(kBefore) - 1);
  char digits[12];
  uint32_t count = 0;
  for (uint32_t rest = index; count == 0 || rest != 0; rest /= 10)
    digits[count++] = static_cast<char>('0' + rest % 10);
  out->length = sizeof(kBefore) - 1;
  while (count > 0) text[out->length++] = digits[--count];
  text[out->length++] = ']';
}

void V8Reader::ReadWasmPosition(const FunctionIdentity& function, FunctionPositions* out) const {
  uint64_t begin, size;
  const auto index = static_cast<uint32_t>(function.literal_id);
  if (function.literal_id < 0 || !FindWasmBytes(function.script, &begin, &size)) return;
  const WasmModuleBytes module(begin, size);
  WasmFunctionPlace place{};
  if (module.IsShort()) {
    if (!module.FindFunctionBody(index, &place.body)) return;
  } else if (AskWasmFunction(begin, size, index, &place) != WasmAnswer::kYes || place.body == 0) {
    return;
  }
  out->line = 1;
  out->column = static_cast<int32_t>(place.body) + 1;
}

}  // namespace spprof
