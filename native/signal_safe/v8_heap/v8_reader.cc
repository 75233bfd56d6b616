#include "signal_safe/v8_heap/v8_reader.h"

#include "region/records.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {

namespace {

constexpr uint64_t kTag = 1;
constexpr uint32_t kStringLength = 12;
constexpr uint32_t kDebugInfoShared = 8;  // the function that it belongs to
// Bits of a ScopeInfo's flags.
constexpr uint32_t kScopeHasSavedClassVariable = 1u << 10;
constexpr uint32_t kScopeHasName = 3u << 12;
constexpr uint32_t kScopeHasInferredName = 1u << 14;
constexpr uint32_t kCodeAlignment = 64;
constexpr uint32_t kMaxCodeSteps = 2048;  // 128 KiB of instructions, more than is common
// Sparkplug's code of a function of 5,000 lines has 500 KiB. The way to its beginning takes some
// ten microseconds, so it is gone only where what it finds is remembered.
constexpr uint32_t kMaxRememberedCodeSteps = 8 * kMaxCodeSteps;

bool IsHeapObject(uint64_t word) { return V8Reader::LooksLikeHeapObject(word); }
bool IsSmi(uint64_t word) { return (word & 0xffffffff) == 0; }
int32_t SmiValue(uint64_t word) { return static_cast<int32_t>(word >> 32); }

}  // namespace

uint32_t ReadVmState(const V8Layout& v8, uintptr_t isolate) {
  uint32_t state;
  if (isolate == 0 || v8.isolate_vm_state == 0 ||
      !GuardedLoad32(isolate + v8.isolate_vm_state, &state)) {
    return kVmStateUnknown;
  }
  return state & 0xff;
}

bool V8Reader::Field(uint64_t object, uint32_t offset, uint64_t* out) const {
  return GuardedLoad64(object - kTag + offset, out);
}

bool V8Reader::SmiField(uint64_t object, uint32_t offset, int32_t* out) const {
  uint64_t word;
  if (!Field(object, offset, &word) || !IsSmi(word)) return false;
  *out = SmiValue(word);
  return true;
}

bool V8Reader::TypeOf(uint64_t word, uint16_t* out) const {
  uint64_t map;
  // A map word without its tag is a forwarding address: the object has moved.
  return IsHeapObject(word) && Field(word, 0, &map) && IsHeapObject(map) &&
         GuardedLoad16(map - kTag + v8_.map_instance_type, out);
}

bool V8Reader::HasType(uint64_t word, uint16_t type, uint64_t* known_map) const {
  uint64_t map;
  if (!IsHeapObject(word) || !Field(word, 0, &map) || !IsHeapObject(map)) return false;
  if (map == *known_map) return true;
  uint16_t found;
  if (!GuardedLoad16(map - kTag + v8_.map_instance_type, &found) || found != type) return false;
  *known_map = map;
  return true;
}

bool V8Reader::ReadFunction(uint64_t word, FunctionIdentity* out) const {
  uint16_t type;
  uint64_t shared;
  if (!TypeOf(word, &type)) return false;
  if (type < v8_.first_js_function_type || type > v8_.last_js_function_type) return false;
  return Field(word, v8_.function_shared, &shared) && ReadShared(shared, out);
}

// The function's script, 0 for a builtin. Up to V8 11 a function that coverage counts, or that has
// a break point, has a DebugInfo in the place of its script, which keeps the script instead
// (decisions/0039).
bool V8Reader::ReadScript(uint64_t shared, uint64_t* out) const {
  constexpr uint32_t kDebugInfoFields = 9;  // from the map to the coverage's counters
  if (!Field(shared, v8_.shared_script, out)) return false;
  if (HasType(*out, v8_.script_type, &maps_->script)) return true;
  const uint64_t debug_info = *out;
  uint64_t owner;
  *out = 0;
  if (v8_.debug_info_type == 0 || !HasType(debug_info, v8_.debug_info_type, &maps_->debug_info)) {
    return true;
  }
  return Field(debug_info, kDebugInfoShared, &owner) && owner == shared &&
         FindFieldOfType(debug_info, kDebugInfoFields, v8_.script_type, out);
}

bool V8Reader::ReadShared(uint64_t shared, FunctionIdentity* out) const {
  if (!HasType(shared, v8_.shared_function_info_type, &maps_->shared_function_info)) return false;
  uint32_t literal_id;
  if (!ReadScript(shared, &out->script) ||
      !GuardedLoad32(shared - kTag + v8_.shared_literal_id, &literal_id)) {
    return false;
  }
  out->shared = shared;
  out->literal_id = static_cast<int32_t>(literal_id);
  out->script_id = -1;
  return out->script == 0 || SmiField(out->script, v8_.script_id, &out->script_id);
}

bool V8Reader::IsBytecodeArray(uint64_t word) const {
  return HasType(word, v8_.bytecode_array_type, &maps_->bytecode_array);
}

// ScopeInfo (docs/design/v8-internals.md 1.7): flags, parameter count, context local count, ...,
// then what the flags announce, from `*slot` on.
bool V8Reader::ReadScope(uint64_t scope, uint32_t* flags, uint32_t* slot) const {
  uint64_t flags_word;
  int32_t local_count;
  if (!Field(scope, 8, &flags_word) || !SmiField(scope, 8 + 2 * 8, &local_count)) return false;
  if (local_count < 0 || local_count > (1 << 20)) return false;
  *flags = v8_.scope_flags_are_raw ? static_cast<uint32_t>(flags_word)
                                   : static_cast<uint32_t>(SmiValue(flags_word));
  constexpr int32_t kMaxInlinedNames = 75;
  *slot =
      v8_.scope_first_variable + (local_count < kMaxInlinedNames ? local_count : 1) + local_count;
  if (*flags & kScopeHasSavedClassVariable) *slot += 1;
  return true;
}

bool V8Reader::ReadName(const FunctionIdentity& function, Text* out) const {
  if (function.is_wasm()) {
    ReadWasmName(function, out);
    return true;
  }
  uint64_t name_or_scope;
  uint16_t type;
  if (!Field(function.shared, v8_.shared_name_or_scope_info, &name_or_scope) ||
      !TypeOf(name_or_scope, &type)) {
    return false;
  }
  if (type < v8_.first_nonstring_type) return ReadString(name_or_scope, out);
  if (type != v8_.scope_info_type) return false;

  const uint64_t scope = name_or_scope;
  uint32_t flags, slot;
  if (!ReadScope(scope, &flags, &slot)) return false;
  if (flags & kScopeHasName) {  // function name and its index
    uint64_t name;
    if (Field(scope, 8 + slot * 8, &name) && IsHeapObject(name) && ReadString(name, out) &&
        out->length > 0) {
      return true;
    }
    slot += 2;
  }
  if (flags & kScopeHasInferredName) {
    uint64_t name;
    if (Field(scope, 8 + slot * 8, &name) && IsHeapObject(name)) return ReadString(name, out);
  }
  out->length = 0;
  return true;
}

void V8Reader::ReadPositions(const FunctionIdentity& function, FunctionPositions* out) const {
  if (function.is_wasm()) return ReadWasmPosition(function, out);
  uint64_t scope;
  uint16_t type;
  if (!Field(function.shared, v8_.shared_name_or_scope_info, &scope) || !TypeOf(scope, &type) ||
      type != v8_.scope_info_type) {
    return;
  }
  const auto read_range = [this, scope, out](uint32_t slot) {
    int32_t start, end;
    if (!SmiField(scope, 8 + slot * 8, &start) || !SmiField(scope, 8 + (slot + 1) * 8, &end) ||
        start < 0 || end < start) {
      return false;
    }
    out->start = start;
    out->end = end;
    return true;
  };
  constexpr uint32_t kFirstPositionSlot = 3;
  uint32_t flags, slot;
  if (v8_.scope_positions_first) {
    read_range(kFirstPositionSlot);
  } else {
    if (!ReadScope(scope, &flags, &slot)) return;
    if (flags & kScopeHasName) slot += 2;
    if (flags & kScopeHasInferredName) slot += 1;
    // A module's scope has one slot more before its variables (its variable count, V8 12.4 on); its
    // position slots are then one further on.
    if (!read_range(slot)) read_range(slot + 1);
  }
  if (out->start >= 0 && function.script != 0) ResolveLine(function.script, out);
}

bool V8Reader::ReadScriptName(uint64_t script, Text* out) const {
  uint64_t name;
  uint16_t type;
  out->length = 0;
  if (!Field(script, v8_.script_name, &name)) return false;
  if (TypeOf(name, &type) && type < v8_.first_nonstring_type) {
    if (!ReadString(name, out)) return false;
    if (out->length != 0) return true;
  }
  if (v8_.script_source_url == 0 || !Field(script, v8_.script_source_url, &name) ||
      !TypeOf(name, &type) || type >= v8_.first_nonstring_type) {
    return true;  // undefined, both
  }
  return ReadString(name, out);
}

bool V8Reader::ReadScriptShape(uint64_t script, uint32_t* source_length, int32_t* line_offset,
                               int32_t* column_offset) const {
  uint64_t source;
  uint16_t type;
  *source_length = 0;
  if (Field(script, v8_.script_source, &source) && TypeOf(source, &type) &&
      type < v8_.first_nonstring_type) {
    if (!GuardedLoad32(source - kTag + kStringLength, source_length)) *source_length = 0;
  }
  return SmiField(script, v8_.script_line_offset, line_offset) &&
         SmiField(script, v8_.script_column_offset, column_offset);
}

bool V8Reader::FindCode(uint64_t pc, CodeObject* out) const {
  if (!v8_.code_objects) return false;
  uint64_t start = pc & ~uint64_t{kCodeAlignment - 1};
  uint64_t found_map = 0;
  // Before the map is known, each candidate is followed, so fewer are.
  const uint32_t max_steps = maps_->instruction_stream == 0 ? kMaxCodeSteps / 8
                             : epoch_ == 0                  ? kMaxCodeSteps
                                                            : kMaxRememberedCodeSteps;
  for (uint32_t step = 0; step < max_steps; step++, start -= kCodeAlignment) {
    const uint64_t stream = start - v8_.stream_header + kTag;
    uint64_t map;
    if (!Field(stream, 0, &map)) return false;  // left the code range
    // Most of what is looked at is machine code. Once the map is known it is compared and not
    // followed, as a fault costs two microseconds.
    if (maps_->instruction_stream != 0
            ? map != maps_->instruction_stream
            : !HasType(stream, v8_.instruction_stream_type, &found_map)) {
      continue;
    }
    uint64_t code = stream;
    if (v8_.code_instruction_start != 0) {
      uint64_t instruction_start;
      uint16_t code_type;
      if (!Field(stream, 8, &code) || !TypeOf(code, &code_type) || code_type != v8_.code_type ||
          !Field(code, v8_.code_instruction_start, &instruction_start) ||
          instruction_start != start) {
        continue;
      }
    }
    uint32_t size, flags;
    if (!GuardedLoad32(code - kTag + v8_.code_instruction_size, &size) ||
        !GuardedLoad32(code - kTag + v8_.code_flags, &flags)) {
      continue;
    }
    if (pc - start >= size) return false;  // the nearest code before pc does not reach it
    maps_->instruction_stream = map;
    out->code = code;
    out->instruction_start = start;
    out->instruction_size = size;
    out->kind = flags & 15;
    return true;
  }
  return false;
}

bool V8Reader::ReadOptimizedFunction(const CodeObject& code, FunctionIdentity* out) const {
  if (code.kind != v8_.kind_turbofan && (v8_.kind_maglev == 0 || code.kind != v8_.kind_maglev)) {
    return false;
  }
  uint64_t deopt_data, elements, shared;
  uint32_t length;
  if (!ReadDeoptData(code.code, &deopt_data) ||
      !ReadArray(deopt_data, v8_.deopt_data_type, &elements, &length) ||
      length <= v8_.deopt_shared_index ||
      !GuardedLoad64(elements + 8u * v8_.deopt_shared_index, &shared)) {
    return false;
  }
  if (v8_.deopt_shared_is_wrapped && (!IsHeapObject(shared) || !Field(shared, 8, &shared))) {
    return false;
  }
  return ReadShared(shared, out);
}

}  // namespace spprof
