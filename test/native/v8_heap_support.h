// V8 heap objects in memory of our own, laid out as docs/design/v8-internals.md 1 says, for both
// families: Node 18 to 22 (a ScopeInfo's positions behind its variables, its flags a Smi) and 24 on
// (positions first, raw flags). Objects are tagged words; offsets are from the untagged start.
//
// Context: tests only.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "signal_safe/v8_heap/v8_layout.h"

namespace spprof::test {

inline V8Layout LayoutOfNode22() {
  V8Layout v8;
  v8.js_frames = v8.code_objects = true;
  v8.first_js_function_type = 2066;
  v8.last_js_function_type = 2082;
  v8.shared_function_info_type = 274;
  v8.scope_info_type = 272;
  v8.script_type = 167;
  v8.bytecode_array_type = 205;
  v8.fixed_array_type = 174;
  v8.code_type = 206;
  v8.instruction_stream_type = 210;
  v8.function_shared = 32;
  v8.shared_name_or_scope_info = 16;
  v8.shared_script = 32;
  v8.shared_literal_id = 52;
  v8.scope_first_variable = 3;
  v8.stream_header = 32;
  v8.code_instruction_start = 40;
  v8.code_instruction_size = 52;
  v8.code_flags = 48;
  v8.code_deoptimization_data = 8;
  v8.deopt_shared_index = 6;
  v8.position_table_type = 212;
  v8.inlining_positions_type = 186;
  v8.deopt_data_type = 213;
  v8.deopt_literals_type = 247;
  v8.deopt_literals_index = 2;
  v8.deopt_positions_index = 7;
  v8.position_encoding = PositionEncoding::kSigned;
  v8.bytecode_positions = 24;
  v8.bytecode_first = 64;
  v8.code_positions = 16;
  v8.kind_regexp = 3;
  v8.kind_baseline = 10;
  v8.kind_maglev = 11;
  v8.kind_turbofan = 12;
  v8.wasm_instance_type = 2156;
  v8.wasm_module_type = 2158;
  v8.script_wasm_module = 80;
  v8.script_eval_from_shared = 72;
  v8.script_eval_from_position = 80;
  v8.script_source_url = 112;
  v8.script_source_map_url = 120;
  v8.frame_wasm = 4;
  return v8;
}

inline V8Layout LayoutOfNode24() {
  V8Layout v8 = LayoutOfNode22();
  v8.shared_name_or_scope_info = 24;
  v8.shared_script = 40;
  v8.shared_literal_id = 60;
  v8.scope_first_variable = 5;
  v8.scope_positions_first = true;
  v8.scope_flags_are_raw = true;
  v8.code_instruction_size = 56;
  v8.code_flags = 52;
  v8.inlining_positions_type = v8.position_table_type = 197;
  v8.deopt_data_type = 193;
  v8.deopt_literals_type = 199;
  v8.deopt_literals_index = 3;
  v8.deopt_positions_index = 8;
  v8.deopt_shared_index = 7;
  v8.deopt_shared_is_wrapped = true;
  v8.wasm_is_numbered = true;
  v8.wasm_slot_bytes = 8;
  return v8;
}

// Of which the metadata does not say where a Code object has what: by its type.
inline V8Layout LayoutByType() {
  V8Layout v8 = LayoutOfNode24();
  v8.code_deoptimization_data = v8.code_positions = 0;
  return v8;
}

// Instructions behind the Code object itself.
inline V8Layout LayoutOfNode18() {
  V8Layout v8 = LayoutOfNode22();
  v8.function_shared = 24;
  v8.debug_info_type = 140;
  v8.code_type = v8.instruction_stream_type = 240;
  v8.stream_header = 128;
  v8.code_instruction_start = 0;
  v8.code_instruction_size = 40;
  v8.code_deoptimization_data = 16;
  v8.code_positions = 24;
  v8.position_table_type = v8.inlining_positions_type = 179;
  v8.deopt_data_type = v8.fixed_array_type;
  return v8;
}

// A position table of one entry; `code_offset` below 31.
inline std::vector<uint8_t> TableOf(PositionEncoding encoding, uint8_t code_offset, uint64_t word) {
  const auto step = static_cast<uint8_t>(code_offset + 1);
  std::vector<uint8_t> table = {
      static_cast<uint8_t>(encoding == PositionEncoding::kSigned ? step << 1 : step << 2)};
  for (word <<= 1; word >= 0x80; word >>= 7) table.push_back(static_cast<uint8_t>(word | 0x80));
  table.push_back(static_cast<uint8_t>(word));
  return table;
}
constexpr uint64_t Position(uint32_t place, uint32_t inlining_id) {
  return uint64_t{place} << 1 | uint64_t{inlining_id} << 31;
}

// What optimized code says of the functions that were inlined into it.
struct Inlining {
  struct Call {
    uint64_t position;  // as V8 packs it
    int32_t function;
  };
  std::vector<uint64_t> functions;  // SharedFunctionInfos
  std::vector<Call> calls;
  std::vector<uint8_t> position_table;
};

struct WasmInstance {
  uint64_t instance;
  uint64_t table;
  std::vector<uint64_t> code;  // of each function
};

struct ScopeFields {
  int locals = 0;
  bool has_class_variable = false;
  bool has_name = false;  // the slots are there; `name` 0: anonymous
  uint64_t name = 0;
  uint64_t inferred_name = 0;  // 0: no slot
  int module_slots = 0;
  int start = -1, end = -1;
};

class V8Heap {
 public:
  explicit V8Heap(const V8Layout& layout) : v8(layout) {
    void* memory =
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    begin_ = next_ = static_cast<uint8_t*>(memory);
  }
  ~V8Heap() { munmap(begin_, kBytes); }
  V8Heap(const V8Heap&) = delete;
  V8Heap& operator=(const V8Heap&) = delete;

  static constexpr size_t kBytes = 1 << 20;
  static uint64_t Smi(int32_t value) {
    return static_cast<uint64_t>(static_cast<uint32_t>(value)) << 32;
  }

  uint64_t* words() { return reinterpret_cast<uint64_t*>(begin_); }
  uint64_t address() const { return reinterpret_cast<uint64_t>(begin_); }
  size_t used() const { return static_cast<size_t>(next_ - begin_); }

  template <typename T>
  void Set(uint64_t object, size_t offset, T value) {
    std::memcpy(reinterpret_cast<uint8_t*>(object - 1) + offset, &value, sizeof(value));
  }
  uint64_t New(uint16_t type, size_t bytes) {
    const uint64_t map = MapOf(type);
    const uint64_t object = Room(bytes, 8) + 1;
    Set(object, 0, map);
    return object;
  }
  uint64_t MapOf(uint16_t type) {
    uint64_t& map = maps_[type];
    if (map == 0) {
      map = Room(24, 8) + 1;
      Set(map, v8.map_instance_type, type);
      Set(map, 0, map);
    }
    return map;
  }

  uint64_t OneByte(const std::string& text) {
    const uint64_t string = NewString(kSeq | kOneByte, text.size(), 16 + text.size());
    std::memcpy(reinterpret_cast<void*>(string + 15), text.data(), text.size());
    return string;
  }
  uint64_t TwoByte(const std::u16string& text) {
    const uint64_t string = NewString(kSeq, text.size(), 16 + 2 * text.size());
    std::memcpy(reinterpret_cast<void*>(string + 15), text.data(), 2 * text.size());
    return string;
  }
  uint64_t Cons(uint64_t first, uint64_t second, size_t length, bool one_byte) {
    return Pair(kCons | (one_byte ? kOneByte : 0), length, first, second);
  }
  uint64_t Sliced(uint64_t parent, int32_t from, size_t length, bool one_byte) {
    return Pair(kSliced | (one_byte ? kOneByte : 0), length, parent, Smi(from));
  }
  uint64_t Thin(uint64_t actual, size_t length, bool one_byte) {
    return Pair(kThin | (one_byte ? kOneByte : 0), length, actual, 0);
  }
  uint64_t External(const void* chars, size_t length, bool one_byte, bool uncached = false) {
    return Pair(kExternal | (one_byte ? kOneByte : 0) | (uncached ? 16 : 0), length,
                reinterpret_cast<uint64_t>(this), reinterpret_cast<uint64_t>(chars));
  }

  uint64_t FixedArray(const std::vector<uint64_t>& elements) {
    return Array(v8.fixed_array_type, elements);
  }
  uint64_t Bytes(uint16_t type, const std::vector<uint8_t>& bytes) {
    const uint64_t array = New(type, 16 + bytes.size());
    Set(array, 8, Smi(static_cast<int32_t>(bytes.size())));
    if (!bytes.empty())
      std::memcpy(reinterpret_cast<void*>(array + 15), bytes.data(), bytes.size());
    return array;
  }
  uint64_t BytecodeArray(const std::vector<uint8_t>& bytecodes,
                         const std::vector<uint8_t>& position_table) {
    const uint64_t array = New(v8.bytecode_array_type, v8.bytecode_first + bytecodes.size());
    Set(array, 8, Smi(static_cast<int32_t>(bytecodes.size())));
    Set(array, v8.bytecode_positions, Bytes(v8.position_table_type, position_table));
    if (!bytecodes.empty()) {
      std::memcpy(reinterpret_cast<void*>(array - 1 + v8.bytecode_first), bytecodes.data(),
                  bytecodes.size());
    }
    return array;
  }
  uint64_t Array(uint16_t type, const std::vector<uint64_t>& elements) {
    const uint64_t array = New(type, 16 + 8 * elements.size());
    Set(array, 8, Smi(static_cast<int32_t>(elements.size())));
    for (size_t i = 0; i < elements.size(); i++) Set(array, 16 + 8 * i, elements[i]);
    return array;
  }

  uint64_t ScopeInfo(const ScopeFields& fields) {
    std::vector<uint64_t> slots;
    const uint64_t local = OneByte("local");
    const uint32_t flags = (fields.has_class_variable ? 1u << 10 : 0) |
                           (fields.has_name ? 1u << 12 : 0) |
                           (fields.inferred_name != 0 ? 1u << 14 : 0);
    slots.push_back(v8.scope_flags_are_raw ? 0xdead000000000000 | flags
                                           : Smi(static_cast<int32_t>(flags)));
    slots.push_back(Smi(2));  // parameters
    slots.push_back(Smi(fields.locals));
    const auto positions = [&] {
      slots.push_back(Smi(fields.start));
      slots.push_back(Smi(fields.end));
    };
    if (v8.scope_positions_first) positions();
    for (int i = 0; i < (fields.locals < 75 ? fields.locals : 1); i++) slots.push_back(local);
    for (int i = 0; i < fields.locals; i++) slots.push_back(Smi(i));
    if (fields.has_class_variable) slots.push_back(Smi(1));
    if (fields.has_name) {
      slots.push_back(fields.name != 0 ? fields.name : Smi(0));
      slots.push_back(Smi(4));
    }
    if (fields.inferred_name != 0) slots.push_back(fields.inferred_name);
    for (int i = 0; i < fields.module_slots; i++) slots.push_back(OneByte("module"));
    if (!v8.scope_positions_first) positions();
    const uint64_t scope = New(v8.scope_info_type, 8 + 8 * slots.size());
    for (size_t i = 0; i < slots.size(); i++) Set(scope, 8 + 8 * i, slots[i]);
    return scope;
  }

  uint64_t Script(int32_t id, uint64_t name, uint64_t source, uint64_t line_ends = 0,
                  int32_t line_offset = 0, int32_t column_offset = 0) {
    const uint64_t script = New(v8.script_type, 128);
    Set(script, v8.script_source, source);
    Set(script, v8.script_name, name);
    Set(script, v8.script_line_offset, Smi(line_offset));
    Set(script, v8.script_column_offset, Smi(column_offset));
    Set(script, v8.script_line_ends, line_ends);
    Set(script, v8.script_id, Smi(id));
    return script;
  }
  uint64_t Shared(uint64_t name_or_scope, uint64_t script, int32_t literal_id) {
    const uint64_t shared = New(v8.shared_function_info_type, 80);
    Set(shared, v8.shared_name_or_scope_info, name_or_scope);
    Set(shared, v8.shared_script, script);
    Set(shared, v8.shared_literal_id, literal_id);
    return shared;
  }
  // What stands in place of the script of a function that is counted or has a break point.
  uint64_t DebugInfo(uint64_t shared, uint64_t script) {
    const uint64_t info = New(v8.debug_info_type, 72);
    Set(info, 8, shared);
    Set(info, 16, Smi(16));
    Set(info, 24, script);
    Set(shared, v8.shared_script, info);
    return info;
  }
  uint64_t Function(uint64_t shared, int kind = 1) {
    const auto type = static_cast<uint16_t>(v8.first_js_function_type + kind);
    const uint64_t function = New(type, 64);
    Set(function, v8.function_shared, shared);
    return function;
  }

  // An instance of the module that `bytes` are, with the code of as many functions.
  WasmInstance Wasm(const std::vector<uint8_t>& bytes, uint64_t script, uint32_t functions) {
    constexpr uint64_t kLine = 64;
    WasmInstance wasm{New(209, 320), 0, {}};
    const uint64_t object = New(v8.wasm_instance_type, 96), module = New(v8.wasm_module_type, 64);
    Set(wasm.instance, 160, object);
    Set(object, 32, module);
    Set(module, 32, script);
    const uint64_t slots = kLine / v8.wasm_slot_bytes, lines = (functions + slots - 1) / slots;
    wasm.table = Room((lines + functions + 1) * kLine, kLine);
    Set(wasm.instance, 72, wasm.table);
    for (uint32_t i = 0; i < functions; i++) {
      const uint64_t slot = wasm.table + i / slots * kLine + i % slots * v8.wasm_slot_bytes;
      wasm.code.push_back(wasm.table + (lines + i) * kLine);
      const auto distance = static_cast<uint32_t>(wasm.code[i] - slot - 5);
      Set(slot + 1, 0, uint64_t{distance} << 8 | 0xe9);
      Set(wasm.code[i] + 1, 0, 0x56'006a'e5894855 | uint64_t{v8.frame_wasm} << 41);
    }
    // V8's C++ side.
    const uint64_t data = Room(bytes.size() + 8, 8), vector = Room(16, 8), native = Room(768, 8);
    std::memcpy(reinterpret_cast<void*>(data), bytes.data(), bytes.size());
    Set(vector + 1, 0, data);
    Set(vector + 1, 8, bytes.size());
    Set(native + 1, 200, vector);
    const uint64_t holder = Room(16, 8), destructor = Room(64, 8), managed = New(204, 16);
    Set(holder + 1, 0, native);
    Set(destructor + 1, 24, holder);
    Set(managed, 8, destructor);
    Set(script, v8.script_wasm_module, managed);
    return wasm;
  }

  // Code of `size` bytes of instructions that V8 compiled for `shared`; returns the first
  // instruction's address.
  uint64_t Code(uint32_t kind, uint32_t size, uint64_t shared, const Inlining& inlining = {}) {
    uint64_t held = shared;
    if (v8.deopt_shared_is_wrapped) {
      held = New(195, 16);
      Set(held, 8, shared);
    }
    std::vector<uint64_t> data(12, Smi(0));
    data[v8.deopt_shared_index] = held;
    std::vector<uint8_t> calls(16 * inlining.calls.size());
    for (size_t i = 0; i < inlining.calls.size(); i++) {
      std::memcpy(&calls[16 * i], &inlining.calls[i].position, 8);
      std::memcpy(&calls[16 * i + 8], &inlining.calls[i].function, 4);
    }
    data[v8.deopt_inlined_count_index] = Smi(static_cast<int32_t>(inlining.functions.size()));
    data[v8.deopt_literals_index] = Array(v8.deopt_literals_type, inlining.functions);
    data[v8.deopt_positions_index] = Bytes(v8.inlining_positions_type, calls);
    const uint64_t deopt = Array(v8.deopt_data_type, data);
    const uint64_t positions = Bytes(v8.position_table_type, inlining.position_table);
    const uint64_t stream_map = MapOf(v8.instruction_stream_type);
    MapOf(v8.code_type);
    const uint64_t start = Room(v8.stream_header + size, 64, v8.stream_header) + v8.stream_header;
    // What looks like tagged words in the instructions must not mislead.
    std::memset(reinterpret_cast<void*>(start), 0x49, size);
    const uint64_t stream = start - v8.stream_header + 1;
    Set(stream, 0, stream_map);
    uint64_t code = stream;
    if (v8.code_instruction_start != 0) {
      code = New(v8.code_type, 96);
      Set(stream, 8, code);
      Set(code, v8.code_instruction_start, start);
    }
    Set(code, v8.code_instruction_size, size);
    Set(code, v8.code_flags, kind | 0x30u);
    // Where V8 has them while the layout leaves that open.
    Set(code, v8.code_deoptimization_data != 0 ? v8.code_deoptimization_data : 8, deopt);
    Set(code, v8.code_positions != 0 ? v8.code_positions : 16, positions);
    return start;
  }

  V8Layout v8;

 private:
  static constexpr uint16_t kSeq = 0, kCons = 1, kExternal = 2, kSliced = 3, kThin = 5,
                            kOneByte = 8;

  uint64_t NewString(int type, size_t length, size_t bytes) {
    const uint64_t string = New(static_cast<uint16_t>(type), bytes);
    Set(string, 12, static_cast<uint32_t>(length));
    return string;
  }
  uint64_t Pair(int type, size_t length, uint64_t first, uint64_t second) {
    const uint64_t string = NewString(type, length, 32);
    Set(string, 16, first);
    Set(string, 24, second);
    return string;
  }
  // Zeroed memory; `skew` bytes from its start on are aligned.
  uint64_t Room(size_t bytes, size_t alignment, size_t skew = 0) {
    auto at = reinterpret_cast<uint64_t>(next_);
    at = (at + skew + alignment - 1) / alignment * alignment - skew;
    next_ = reinterpret_cast<uint8_t*>(at + (bytes + 7) / 8 * 8);
    if (next_ > begin_ + kBytes) std::abort();
    return at;
  }

  uint8_t* begin_;
  uint8_t* next_;
  std::map<uint16_t, uint64_t> maps_;
};

}  // namespace spprof::test
