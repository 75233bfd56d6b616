// Reads V8's heap objects from inside the handler: guarded loads, and every tag, type and length
// checked before it is used (docs/design/walking.md 3). Any doubt gives false; nothing is guessed.
// Never used while the thread's isolate is in a moving collection.
//
// Context: signal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signal_safe/v8_heap/v8_layout.h"
#include "signal_safe/v8_heap/wasm_index.h"

namespace spprof {

// Maps of these types lie in read-only space and never move, so a word once checked can be
// compared.
struct KnownMaps {
  uint64_t shared_function_info = 0;
  uint64_t script = 0;
  uint64_t debug_info = 0;
  uint64_t bytecode_array = 0;
  uint64_t instruction_stream = 0;
  uint32_t wasm_bytes_field = 0;  // where V8's C++ object for a module points to its bytes
};

// What a sample needs to know of a function; `shared` is only valid within the handler.
struct FunctionIdentity {
  uint64_t shared = 0;
  uint64_t script = 0;  // 0: a builtin
  int32_t script_id = -1;
  int32_t literal_id = -1;  // WebAssembly: the function's index in its module; -1: not known
  bool is_wasm() const { return shared == 0; }
};

struct FunctionPositions {
  int32_t start = -1;  // UTF-16 units from the script's beginning
  int32_t end = -1;
  int32_t line = 0;  // 1-based, 0: unknown
  int32_t column = 0;
};

struct CodeObject {
  uint64_t code = 0;
  uint64_t instruction_start = 0;
  uint32_t instruction_size = 0;
  uint32_t kind = 0;
};

// WebAssembly's machine code.
struct WasmCode {
  uint64_t start = 0;
  uint32_t slot = 0;  // its function's, in the jump table
  bool has_slot = false;
  bool is_numbered = false;  // the code itself has said so
  bool is_pending = false;   // a later look may find more
};

// A place in optimized code, followed from the innermost inlined function outward.
struct InlineWalk {
  SourcePosition at;  // inlining_id 0: in the function that the code was compiled for
  uint64_t literals = 0;
  uint32_t function_count = 0;
  uint64_t positions = 0;
  uint32_t position_count = 0;
};

// A string's characters, copied as V8 holds them.
struct Text {
  char16_t* buffer =
      nullptr;  // room for `capacity` UTF-16 units; holds Latin-1 bytes when !two_byte
  uint32_t capacity = 0;
  uint32_t length = 0;  // characters
  bool two_byte = false;
  bool shortened = false;
  uint32_t byte_length() const { return two_byte ? length * 2 : length; }
};

// V8's state of `isolate`; kVmStateUnknown: 0, or it cannot be read.
uint32_t ReadVmState(const V8Layout& v8, uintptr_t isolate);

class V8Reader {
 public:
  V8Reader(const V8Layout& layout, KnownMaps* maps) : V8Reader(layout, maps, nullptr, 0) {}
  // With marks in long tables, as long as `code_epoch` does not change.
  V8Reader(const V8Layout& layout, KnownMaps* maps, TableMarks* marks, uint32_t code_epoch)
      : v8_(layout), maps_(maps), marks_(marks), epoch_(code_epoch) {}

  // A tagged pointer, by its looks. Outside user space's 47 bits lies most of what is not one
  // (machine code, doubles), and following it would fault.
  static bool LooksLikeHeapObject(uint64_t word) { return (word & 3) == 1 && word >> 47 == 0; }

  // `word` is a frame's function slot.
  bool ReadFunction(uint64_t word, FunctionIdentity* out) const;
  // `shared` is a SharedFunctionInfo.
  bool ReadShared(uint64_t shared, FunctionIdentity* out) const;
  bool ReadName(const FunctionIdentity& function, Text* out) const;
  // Its URL, or that of a sourceURL comment. Empty: it has none.
  bool ReadScriptName(uint64_t script, Text* out) const;
  // Of what eval or new Function has compiled: the function that called it, and 1 + offset of the
  // call in its script, 0: not known. False: it is not such a script.
  bool ReadEvalOrigin(uint64_t script, FunctionIdentity* caller, uint32_t* place) const;
  // Of the address of a source map that the script's text holds itself (`data:`), what begins at
  // `offset`, as far as `out` has room, and the length of all of it. False: it holds none.
  bool ReadOwnMap(uint64_t script, uint32_t offset, Text* out, uint32_t* length) const;
  bool HasOwnMap(uint64_t script) const;
  // The source from `offset` on, as far as `out` has room.
  bool ReadSource(uint64_t script, uint32_t offset, Text* out) const;
  // Length of the script's source in UTF-16 units, and where it begins in its resource.
  bool ReadScriptShape(uint64_t script, uint32_t* source_length, int32_t* line_offset,
                       int32_t* column_offset) const;
  void ReadPositions(const FunctionIdentity& function, FunctionPositions* out) const;
  // Lengths of the function's lines with their ends (the first and last as far as they are its
  // own), as LEB128; those that fit in `out`. Of a long function only the first `max_chars`. Gives
  // the bytes written.
  uint32_t ReadLineLengths(const FunctionIdentity& function, const FunctionPositions& positions,
                           uint32_t max_chars, uint8_t* out, uint32_t capacity) const;

  bool IsBytecodeArray(uint64_t word) const;
  // The Code object whose instructions hold `pc`: steps back from pc to the code's header
  // (docs/design/v8-internals.md 0).
  bool FindCode(uint64_t pc, CodeObject* out) const;
  // The function that optimized code was compiled for.
  bool ReadOptimizedFunction(const CodeObject& code, FunctionIdentity* out) const;

  // Places in a script as frames keep them: 1 + offset, 0 where V8 has no table or it is not
  // understood. `slot` is the word in which the interpreter keeps its offset; *offset then counts
  // from the first bytecode.
  bool ReadBytecodeOffset(uint64_t bytecode_array, uint64_t slot, uint32_t* offset) const;
  uint32_t PlaceInBytecode(uint64_t bytecode_array, uint32_t offset) const;
  // `pc_offset` from the first instruction of Sparkplug's `code`; kPositionAtEntry: in its
  // prologue. IsBaselineOf: that it was made
  // from `bytecode_array`.
  bool IsBaselineOf(const CodeObject& code, uint64_t bytecode_array) const;
  uint32_t PlaceInBaseline(const CodeObject& code, uint64_t bytecode_array,
                           uint32_t pc_offset) const;
  // False: nothing is known of the place.
  bool BeginInlineWalk(const CodeObject& code, uint32_t pc_offset, InlineWalk* out) const;
  // The inlined function that `walk` is in; moves on to the call of it, in its caller. False:
  // damaged.
  bool StepInlineWalk(InlineWalk* walk, FunctionIdentity* function) const;

  // v8_wasm.cc. `instance` is from the frame's slot, or a register. ReadWasmScript leaves
  // `literal_id` open, which is for ReadWasmIndex to tell.
  bool ReadWasmScript(uint64_t instance, FunctionIdentity* out) const;
  bool FindWasmCode(uint64_t pc, uint64_t instance, WasmCode* out) const;
  WasmAnswer ReadWasmIndex(uint64_t script, uint32_t slot, int32_t* index) const;

 private:
  bool Field(uint64_t object, uint32_t offset, uint64_t* out) const;
  bool SmiField(uint64_t object, uint32_t offset, int32_t* out) const;
  bool TypeOf(uint64_t word, uint16_t* out) const;
  bool HasType(uint64_t word, uint16_t type, uint64_t* known_map) const;
  bool ReadScript(uint64_t shared, uint64_t* out) const;
  bool ReadScope(uint64_t scope, uint32_t* flags, uint32_t* slot) const;
  // The elements of an array of bytes or words, when it has the type.
  bool ReadArray(uint64_t word, uint16_t type, uint64_t* elements, uint32_t* length) const;
  bool FindInTable(uint64_t table, uint32_t offset, SourcePosition* out) const;
  bool ReadString(uint64_t word, Text* out) const;
  bool AppendString(uint64_t word, uint32_t from, uint32_t count, int depth, Text* out) const;
  // A flat string's characters; false when it is not flat or not in memory.
  bool FlatChars(uint64_t word, uint64_t* address, uint32_t* length, bool* two_byte) const;
  void ResolveLine(uint64_t script, FunctionPositions* positions) const;
  bool LineFromTable(uint64_t line_ends, FunctionPositions* positions) const;
  bool LineFromSource(uint64_t script, uint32_t limit, FunctionPositions* positions) const;
  bool ReadCodeField(uint64_t code, uint8_t offset, uint16_t type, uint64_t* out) const;
  bool ReadPositionsOfCode(uint64_t code, uint64_t* out) const;
  bool ReadDeoptData(uint64_t code, uint64_t* out) const;
  bool ReadBytecodesOfBaseline(uint64_t code, uint64_t* out) const;
  bool ReadBytecodeArray(const FunctionIdentity& function, uint64_t* out) const;
  bool FindFieldOfType(uint64_t object, uint32_t fields, uint16_t type, uint64_t* out) const;
  bool FindWasmPrologue(uint64_t pc, uint64_t* start) const;
  bool FindWasmJumpTable(uint64_t instance, uint64_t* table) const;
  bool ReadWasmSlot(uint64_t table, uint32_t slot, uint64_t* target) const;
  WasmAnswer FindWasmSlot(uint64_t pc, uint64_t instance, uint64_t begin, WasmCode* out) const;
  WasmAnswer FindWasmSlotByIndex(uint64_t pc, uint64_t table, uint64_t begin, WasmCode* out) const;
  bool FindWasmBytes(uint64_t script, uint64_t* begin, uint64_t* size) const;
  void ReadWasmName(const FunctionIdentity& function, Text* out) const;
  void ReadWasmPosition(const FunctionIdentity& function, FunctionPositions* out) const;

  const V8Layout& v8_;
  KnownMaps* maps_;
  TableMarks* marks_;
  uint32_t epoch_;
};

}  // namespace spprof
