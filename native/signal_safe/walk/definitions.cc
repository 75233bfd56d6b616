#include "signal_safe/walk/definitions.h"

#include "signal_safe/walk/block_labels.h"

namespace spprof {

namespace {

// Finalizer of MurmurHash3 (Appleby, public domain): mixes all bits of a word.
constexpr uint64_t Mix(uint64_t word) {
  word ^= word >> 33;
  word *= 0xff51afd7ed558ccd;
  word ^= word >> 33;
  word *= 0xc4ceb9fe1a85ec53;
  return word ^ word >> 33;
}

uint64_t HashOf(const Frame* frames, uint32_t count) {
  uint64_t hash = count * 0x9e3779b97f4a7c15;
  for (uint32_t i = 0; i < count; i++) {
    hash = (hash ^ frames[i]) * 0xff51afd7ed558ccd;
    hash ^= hash >> 29;
  }
  hash = Mix(hash);
  return hash != 0 ? hash : 1;
}

template <typename Entry, size_t kSize>
void Clear(Entry (&table)[kSize]) {
  for (Entry& entry : table) entry = Entry{};
}

// Of a function, the characters in which lines are counted. What was compiled in memory no reader
// of the log can look at.
constexpr uint32_t kMaxBody = 4096;
constexpr uint32_t kMaxMemoryBody = 64 * 1024;

RecordHeader HeaderOf(RecordType type, size_t size, const Text& text) {
  const uint16_t flags = static_cast<uint16_t>((text.two_byte ? kTextTwoByte : 0) |
                                               (text.shortened ? kTextShortened : 0));
  return {type, flags, static_cast<uint32_t>(size)};
}

}  // namespace

int32_t* Definitions::FindScript(int32_t script_id) {
  int32_t* const scripts = state_->scripts;
  uint32_t at = static_cast<uint32_t>(Mix(static_cast<uint32_t>(script_id))) % kScriptTableSize;
  while (scripts[at] != 0 && scripts[at] != script_id + 1) at = (at + 1) % kScriptTableSize;
  return &scripts[at];
}

bool Definitions::DefineMap(const FunctionIdentity& function) {
  constexpr uint32_t kMaxMapLength = 1 << 20;
  constexpr uint32_t kMaxRefusals = 64;
  MapCopy& rest = state_->map_rest;
  MapPieceRecord record{};
  record.script_id = function.script_id;
  record.offset = rest.script_id == function.script_id ? rest.offset : 0;
  Text piece{state_->text, kTextCapacity};
  const uint32_t most = map_budget_ < kMaxMapLength ? map_budget_ : kMaxMapLength;
  while (reader_.ReadOwnMap(function.script, record.offset, &piece, &record.map_length)) {
    if (record.map_length > most || rest.refusals >= kMaxRefusals) piece.length = record.offset = 0;
    record.piece_length = piece.length;
    const size_t size = RecordSize(sizeof(record), piece.byte_length());
    record.header = HeaderOf(RecordType::kMapPiece, size, piece);
    if (!writer_.Reserve(size, &swapped_)) {
      rest = {record.script_id, record.offset, rest.refusals + 1};
      return false;
    }
    writer_.Write(&record, sizeof(record), piece.buffer, piece.byte_length());
    record.offset += piece.length;
    if (piece.length == 0 || record.offset >= record.map_length) {
      map_budget_ -= record.offset;
      rest.refusals = 0;
      break;
    }
  }
  if (rest.script_id == function.script_id) rest = MapCopy{};
  return true;
}

bool Definitions::DefineScript(const FunctionIdentity& function) {
  if (*FindScript(function.script_id) != 0) return true;
  ScriptRecord record{};
  Text name{state_->text, kUrlCapacity};
  if (!reader_.ReadScriptName(function.script, &name)) name.length = 0;
  FunctionIdentity caller;
  constexpr uint32_t kMaxEvalsWithin = 3;  // each needs room on the program's stack
  if (name.length == 0 && evals_within_ < kMaxEvalsWithin &&
      reader_.ReadEvalOrigin(function.script, &caller, &record.origin_place)) {
    evals_within_++;
    record.origin_function = FunctionId(caller);
    evals_within_--;
    if (record.origin_function == 0) return false;
  }
  record.script_id = function.script_id;
  reader_.ReadScriptShape(function.script, &record.source_length, &record.line_offset,
                          &record.column_offset);
  record.name_length = name.length;
  const size_t size = RecordSize(sizeof(record), name.byte_length());
  record.header = HeaderOf(RecordType::kScript, size, name);
  if (!writer_.Reserve(size, &swapped_)) return false;
  writer_.Write(&record, sizeof(record), name.buffer, name.byte_length());
  if (!DefineMap(function)) return false;
  if (state_->script_count >= kScriptTableSize * 3 / 4) {
    Clear(state_->scripts);  // scripts are defined again as they are met
    state_->script_count = 0;
  }
  *FindScript(function.script_id) = function.script_id + 1;
  state_->script_count++;
  return true;
}

FunctionEntry* Definitions::FindFunction(uint64_t key) {
  FunctionEntry* const functions = state_->functions;
  uint32_t at = static_cast<uint32_t>(Mix(key)) % kFunctionTableSize;
  while (functions[at].key != 0 && functions[at].key != key) at = (at + 1) % kFunctionTableSize;
  return &functions[at];
}

uint32_t Definitions::FunctionId(const FunctionIdentity& function) {
  // Never 0: script ids are positive for what has a script.
  // The functions that WebAssembly exports to JavaScript have literal ids in the module's script.
  const uint64_t key = uint64_t{function.is_wasm()} << 63 |
                       static_cast<uint64_t>(static_cast<uint32_t>(function.script_id)) << 32 |
                       static_cast<uint32_t>(function.literal_id);
  if (const FunctionEntry* known = FindFunction(key); known->key != 0) return known->id;
  if (!DefineScript(function)) return 0;

  FunctionRecord record{};
  FunctionPositions positions;
  reader_.ReadPositions(function, &positions);
  Text name{state_->text, kNameCapacity};
  if (!reader_.ReadName(function, &name)) name.length = 0;
  record.function_id = state_->next_function_id + 1;
  record.script_id = function.script_id;
  record.literal_id = function.literal_id;
  record.start_offset = positions.start;
  record.end_offset = positions.end;
  record.line = positions.line;
  record.column = positions.column;
  record.name_length = name.length;
  uint8_t* const lines = reinterpret_cast<uint8_t*>(state_->text) + name.byte_length();
  const bool is_in_memory = reader_.HasOwnMap(function.script);
  record.lines_length =
      reader_.ReadLineLengths(function, positions, is_in_memory ? kMaxMemoryBody : kMaxBody, lines,
                              is_in_memory ? kMemoryLinesCapacity : kLinesCapacity);
  const size_t tail = name.byte_length() + record.lines_length;
  const size_t size = RecordSize(sizeof(record), tail);
  record.header = HeaderOf(RecordType::kFunction, size, name);
  if (!writer_.Reserve(size, &swapped_)) return 0;
  writer_.Write(&record, sizeof(record), state_->text, tail);
  state_->next_function_id++;
  if (state_->function_count >= kFunctionTableSize * 3 / 4) {
    Clear(state_->functions);
    state_->function_count = 0;
  }
  *FindFunction(key) = {key, record.function_id};
  state_->function_count++;
  return record.function_id;
}

bool Definitions::DefineLabels(uint32_t label) {
  uint32_t last = label;
  for (; last != 0 && !IsLabelDefined(last);) {
    const LabelDefinition* definition = DefinitionOf(last);
    if (definition == nullptr) break;
    BlockRecord record{};
    record.label = last;
    record.parent = definition->parent;
    record.profiler_length = definition->profiler_length;
    record.track_length = definition->track_length;
    record.name_length = definition->name_length;
    const size_t tail = size_t{record.profiler_length} + record.track_length + record.name_length;
    const size_t size = RecordSize(sizeof(record), tail);
    record.header = {RecordType::kBlock, 0, static_cast<uint32_t>(size)};
    if (!writer_.Reserve(size, &swapped_)) return false;
    writer_.Write(&record, sizeof(record), definition->text, tail);
    last = definition->parent;
  }
  // Only now: who finds a label defined relies on those that it lies within.
  for (uint32_t each = label; each != last; each = DefinitionOf(each)->parent)
    state_->labels[each % kLabelTableSize] = static_cast<uint16_t>(each);
  return true;
}

uint32_t Definitions::StackId(const Frame* frames, uint32_t count) {
  const uint64_t hash = HashOf(frames, count);
  uint32_t at = static_cast<uint32_t>(hash) % kStackTableSize;
  for (; state_->stacks[at].hash != 0; at = (at + 1) % kStackTableSize) {
    if (state_->stacks[at].hash == hash) return state_->stacks[at].id;
  }
  StackRecord record{};
  record.stack_id = state_->next_stack_id + 1;
  record.frame_count = count;
  const size_t size = sizeof(record) + count * sizeof(Frame);
  record.header = {RecordType::kStack, 0, static_cast<uint32_t>(size)};
  if (!writer_.Reserve(size, &swapped_)) return 0;
  writer_.Write(&record, sizeof(record), frames, count * sizeof(Frame));
  state_->next_stack_id++;
  if (state_->stack_count >= kStackTableSize * 3 / 4) {
    Clear(state_->stacks);
    state_->stack_count = 0;
    at = static_cast<uint32_t>(hash) % kStackTableSize;
  }
  state_->stacks[at] = {hash, record.stack_id};
  state_->stack_count++;
  return record.stack_id;
}

}  // namespace spprof
