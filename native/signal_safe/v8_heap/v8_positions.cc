// Where in its script a frame is: V8's position tables, and what optimized code says of the
// functions that were inlined into it (docs/design/v8-internals.md 3).
#include "region/records.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/v8_heap/v8_reader.h"

namespace spprof {

namespace {

constexpr uint64_t kTag = 1;
constexpr uint32_t kArrayLength = 8;
constexpr uint32_t kElements = 16;
constexpr uint32_t kInliningPositionBytes = 16;  // position of the call, function id, padding
constexpr int32_t kMaxArrayLength = 1 << 24;

bool IsSmi(uint64_t word) { return (word & 0xffffffff) == 0; }

}  // namespace

bool V8Reader::ReadArray(uint64_t word, uint16_t type, uint64_t* elements, uint32_t* length) const {
  uint16_t found;
  int32_t count;
  if (type == 0 || !TypeOf(word, &found) || found != type ||
      !SmiField(word, kArrayLength, &count) || count < 0 || count > kMaxArrayLength) {
    return false;
  }
  *elements = word - kTag + kElements;
  *length = static_cast<uint32_t>(count);
  return true;
}

bool V8Reader::FindInTable(uint64_t table, uint32_t offset, SourcePosition* out) const {
  uint64_t bytes;
  uint32_t length;
  return ReadArray(table, v8_.position_table_type, &bytes, &length) &&
         FindSourcePosition(v8_.position_encoding, bytes, length, offset,
                            MarksOfTable(marks_, epoch_, table), out);
}

bool V8Reader::ReadBytecodeOffset(uint64_t bytecode_array, uint64_t slot, uint32_t* offset) const {
  // V8 counts from the tagged pointer.
  const uint64_t first = v8_.bytecode_first - kTag;
  int32_t length;
  if (v8_.bytecode_first == 0 || !IsSmi(slot) || slot >> 32 < first ||
      !SmiField(bytecode_array, kArrayLength, &length) || length < 0 ||
      (slot >> 32) - first >= static_cast<uint32_t>(length)) {
    return false;
  }
  *offset = static_cast<uint32_t>((slot >> 32) - first);
  return true;
}

uint32_t V8Reader::PlaceInBytecode(uint64_t bytecode_array, uint32_t offset) const {
  uint64_t table;
  SourcePosition position;
  if (v8_.bytecode_positions == 0 || !Field(bytecode_array, v8_.bytecode_positions, &table) ||
      !FindInTable(table, offset, &position)) {
    return 0;
  }
  return position.place;
}

bool V8Reader::ReadCodeField(uint64_t code, uint8_t offset, uint16_t type, uint64_t* out) const {
  constexpr uint32_t kPointerFields = 5;  // what is not a tagged pointer comes behind
  if (offset != 0) return Field(code, offset, out);
  return type != 0 && FindFieldOfType(code, 1 + kPointerFields, type, out);
}

bool V8Reader::ReadPositionsOfCode(uint64_t code, uint64_t* out) const {
  return ReadCodeField(code, v8_.code_positions, v8_.position_table_type, out);
}

bool V8Reader::ReadDeoptData(uint64_t code, uint64_t* out) const {
  return ReadCodeField(code, v8_.code_deoptimization_data, v8_.deopt_data_type, out);
}

// Sparkplug's code has them in the slot where optimized code has what it deoptimizes by.
bool V8Reader::ReadBytecodesOfBaseline(uint64_t code, uint64_t* out) const {
  return ReadCodeField(code, v8_.code_deoptimization_data, v8_.bytecode_array_type, out) &&
         IsBytecodeArray(*out);
}

bool V8Reader::ReadBytecodeArray(const FunctionIdentity& function, uint64_t* out) const {
  uint16_t type;
  if (!Field(function.shared, v8_.shared_data, out)) return false;
  if (IsBytecodeArray(*out)) return true;
  return v8_.code_objects && TypeOf(*out, &type) && type == v8_.code_type &&
         ReadBytecodesOfBaseline(*out, out);
}

bool V8Reader::ReadEvalOrigin(uint64_t script, FunctionIdentity* caller, uint32_t* place) const {
  uint64_t shared, bytecode_array;
  int32_t position;
  *place = 0;
  if (v8_.script_eval_from_shared == 0 || v8_.script_eval_from_position == 0 ||
      !Field(script, v8_.script_eval_from_shared, &shared) || !ReadShared(shared, caller) ||
      caller->script == 0 || !SmiField(script, v8_.script_eval_from_position, &position)) {
    return false;
  }
  if (position > 0) {
    *place = static_cast<uint32_t>(position) + 1;
  } else if (ReadBytecodeArray(*caller, &bytecode_array)) {
    *place = PlaceInBytecode(bytecode_array, 0u - static_cast<uint32_t>(position));
  }
  return true;
}

bool V8Reader::IsBaselineOf(const CodeObject& code, uint64_t bytecode_array) const {
  uint64_t made_from;
  return code.kind == v8_.kind_baseline && ReadBytecodesOfBaseline(code.code, &made_from) &&
         made_from == bytecode_array;
}

uint32_t V8Reader::PlaceInBaseline(const CodeObject& code, uint64_t bytecode_array,
                                   uint32_t pc_offset) const {
  uint64_t table, bytes;
  uint32_t length, offset;
  int32_t bytecode_length;
  if (v8_.bytecode_first == 0 || !ReadPositionsOfCode(code.code, &table) ||
      !ReadArray(table, v8_.position_table_type, &bytes, &length) ||
      !SmiField(bytecode_array, kArrayLength, &bytecode_length) || bytecode_length < 0) {
    return 0;
  }
  if (IsInBaselinePrologue(bytes, length, pc_offset)) return kPositionAtEntry;
  const Bytecodes bytecodes{bytecode_array - kTag + v8_.bytecode_first,
                            static_cast<uint32_t>(bytecode_length)};
  if (!FindBaselineBytecode(v8_.bytecode_sizes, bytes, length, bytecodes, pc_offset,
                            MarksOfTable(marks_, epoch_, table), &offset)) {
    return 0;
  }
  return PlaceInBytecode(bytecode_array, offset);
}

bool V8Reader::BeginInlineWalk(const CodeObject& code, uint32_t pc_offset, InlineWalk* out) const {
  uint64_t table, deopt_data, data, literals, positions;
  uint32_t length, literal_count, position_bytes;
  if (!ReadPositionsOfCode(code.code, &table) || !FindInTable(table, pc_offset, &out->at)) {
    return false;
  }
  if (out->at.inlining_id == 0) return true;
  int32_t function_count;
  if (v8_.deopt_positions_index == 0 || !ReadDeoptData(code.code, &deopt_data) ||
      !ReadArray(deopt_data, v8_.deopt_data_type, &data, &length) ||
      length <= v8_.deopt_positions_index ||
      !SmiField(deopt_data, kElements + 8u * v8_.deopt_inlined_count_index, &function_count) ||
      !GuardedLoad64(data + 8u * v8_.deopt_literals_index, &literals) ||
      !GuardedLoad64(data + 8u * v8_.deopt_positions_index, &positions) ||
      !ReadArray(literals, v8_.deopt_literals_type, &out->literals, &literal_count) ||
      !ReadArray(positions, v8_.inlining_positions_type, &out->positions, &position_bytes)) {
    return false;
  }
  if (function_count < 0 || static_cast<uint32_t>(function_count) > literal_count) return false;
  out->function_count = static_cast<uint32_t>(function_count);
  out->position_count = position_bytes / kInliningPositionBytes;
  return true;
}

bool V8Reader::StepInlineWalk(InlineWalk* walk, FunctionIdentity* function) const {
  const uint32_t id = walk->at.inlining_id;
  if (id == 0 || id > walk->position_count) return false;
  const uint64_t element = walk->positions + uint64_t{id - 1} * kInliningPositionBytes;
  uint64_t call, shared;
  uint32_t function_id;
  if (!GuardedLoad64(element, &call) || !GuardedLoad32(element + 8, &function_id) ||
      function_id >=
          walk->function_count ||  // -1, too: the function itself is nobody's inlined one
      !GuardedLoad64(walk->literals + 8u * function_id, &shared)) {
    return false;
  }
  constexpr uint64_t kWeak = 2;  // the array's references may be weak; cleared ones have no address
  if ((shared & 3) == (kTag | kWeak)) shared &= ~kWeak;
  const SourcePosition caller = UnpackSourcePosition(call);
  // Calls are numbered outside in, so the chain ends.
  if (caller.inlining_id >= id || !ReadShared(shared, function)) return false;
  walk->at = caller;
  return true;
}

}  // namespace spprof
