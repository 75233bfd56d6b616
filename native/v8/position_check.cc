#include "v8/position_check.h"

#include <cstring>

#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/v8_heap/v8_reader.h"
#include "v8/layout_finder.h"

namespace spprof {

namespace {

constexpr uint64_t kSearchedStackBytes = 64 * 1024;
constexpr char kCall[] = "start(";

struct InterpretedFrame {
  uint64_t bytecode_array;
  uint64_t script;
  FunctionPositions function;
  uint32_t offset;
};

// The innermost one above `sp`; false when there is none, or Sparkplug's code is further in.
// Neighbouring words are looked for instead of following frame pointers, which other addons may not
// keep: function, argument count, bytecode array, offset (docs/design/v8-internals.md 2.1).
bool FindInterpretedFrame(const V8Reader& reader, uint64_t sp, InterpretedFrame* out) {
  for (uint64_t at = sp; at < sp + kSearchedStackBytes; at += 8) {
    uint64_t array, offset_slot, function_word;
    FunctionIdentity function;
    if (!GuardedLoad64(at, &array)) return false;
    if (!reader.IsBytecodeArray(array) || !GuardedLoad64(at - 8, &offset_slot) ||
        !GuardedLoad64(at + 16, &function_word) || !reader.ReadFunction(function_word, &function) ||
        function.script == 0) {
      continue;
    }
    if (!reader.ReadBytecodeOffset(array, offset_slot, &out->offset)) return false;
    reader.ReadPositions(function, &out->function);
    out->bytecode_array = array;
    out->script = function.script;
    return true;
  }
  return false;
}

bool IsAtCall(const V8Reader& reader, const InterpretedFrame& frame) {
  const uint32_t place = reader.PlaceInBytecode(frame.bytecode_array, frame.offset);
  if (place == 0 || static_cast<int64_t>(place) - 1 < frame.function.start) return false;
  // A call's entry is at its bytecode, exactly: one misread that merely covers it begins before.
  if (frame.offset != 0 &&
      reader.PlaceInBytecode(frame.bytecode_array, frame.offset - 1) == place) {
    return false;
  }
  constexpr uint32_t kLength = sizeof(kCall) - 1;
  char16_t buffer[kLength];
  Text text{buffer, kLength};
  if (!reader.ReadSource(frame.script, place - 1, &text) || text.length != kLength) return false;
  for (uint32_t i = 0; i < kLength; i++) {
    const char16_t c = text.two_byte ? buffer[i] : reinterpret_cast<const uint8_t*>(buffer)[i];
    if (c != static_cast<char16_t>(kCall[i])) return false;
  }
  return true;
}

// What V8 versions have done so far, the tabulated first.
bool Calibrate(const InterpretedFrame& frame, KnownMaps* maps, V8Layout* v8) {
  const V8Layout tabulated = *v8;
  const V8Reader reader(*v8, maps);
  if (IsAtCall(reader, frame)) return true;
  for (const uint8_t offset : {24, 32}) {
    for (const PositionEncoding encoding :
         {PositionEncoding::kFlagged, PositionEncoding::kSigned}) {
      v8->bytecode_positions = offset;
      v8->position_encoding = encoding;
      if (IsAtCall(reader, frame)) return true;
    }
  }
  *v8 = tabulated;
  return false;
}

}  // namespace

void CheckPositions(V8Layout* v8, std::vector<std::string>* warnings) {
  if (!v8->js_frames || v8->bytecode_first == 0) return;
  KnownMaps maps;
  const V8Reader reader(*v8, &maps);
  InterpretedFrame frame;
  const auto sp = reinterpret_cast<uint64_t>(__builtin_frame_address(0)) & ~uint64_t{7};
  const bool is_tested_version = v8->position_encoding != PositionEncoding::kUnknown;
  if (FindInterpretedFrame(reader, sp, &frame) ? Calibrate(frame, &maps, v8) : is_tested_version) {
    return;
  }
  v8->position_encoding = PositionEncoding::kUnknown;
  warnings->push_back(NameOfV8(v8->major, v8->minor) +
                      " keeps source positions in a way that is not known here: functions have no "
                      "sampled lines, and what was inlined counts as its caller");
}

}  // namespace spprof
