// Where V8 keeps what the walker reads: offsets, instance types and frame markers of the running
// version. Filled once by v8/ from the metadata that the executable exports
// (docs/design/v8-internals.md); read by the handler. Offsets are from an object's untagged start.
//
// Context: plain data, any.
#pragma once

#include <cstdint>

#include "signal_safe/v8_heap/position_table.h"

namespace spprof {

struct V8Layout {
  bool js_frames = false;     // functions can be identified
  bool code_objects = false;  // a pc can be taken to its Code object
  int major = 0;
  int minor = 0;

  // Instance types.
  uint16_t first_js_function_type = 0;
  uint16_t last_js_function_type = 0;
  uint16_t shared_function_info_type = 0;
  uint16_t scope_info_type = 0;
  uint16_t script_type = 0;
  uint16_t debug_info_type = 0;  // 0: functions keep their script themselves (V8 12 on)
  uint16_t bytecode_array_type = 0;
  uint16_t fixed_array_type = 0;
  uint16_t code_type = 0;
  uint16_t instruction_stream_type = 0;  // the Code object's own in V8 10
  uint16_t position_table_type = 0;      // ByteArray, or TrustedByteArray
  uint16_t inlining_positions_type = 0;
  uint16_t deopt_data_type = 0;
  uint16_t deopt_literals_type = 0;
  uint16_t first_nonstring_type = 128;
  uint16_t wasm_module_type = 0;  // WasmModuleObject; 0: nothing is known of WebAssembly
  uint16_t wasm_instance_type =
      0;  // WasmInstanceObject; 0: frames hold it themselves (up to V8 11)

  // Objects.
  uint8_t map_instance_type = 12;
  uint8_t function_shared = 0;
  uint8_t shared_name_or_scope_info = 0;
  uint8_t shared_script = 0;
  uint8_t shared_literal_id = 0;
  uint8_t script_source = 8;
  uint8_t script_name = 16;
  uint8_t script_line_offset = 24;
  uint8_t script_column_offset = 32;
  uint8_t script_line_ends = 56;
  uint8_t script_id = 64;
  uint8_t script_source_url = 0;          // of a sourceURL comment; 0: unknown
  uint8_t script_source_map_url = 0;      // of a sourceMappingURL comment; 0: unknown
  uint8_t script_eval_from_shared = 0;    // or something else; 0: unknown
  uint8_t script_eval_from_position = 0;  // or, negative, a bytecode's offset
  uint8_t shared_data = 8;                // bytecodes, or baseline code
  uint8_t script_wasm_module = 0;         // the managed object of a module's script
  // ScopeInfo: slots of eight bytes after the map.
  uint8_t scope_first_variable = 3;
  bool scope_flags_are_raw = false;    // a raw 32-bit word instead of a Smi
  bool scope_positions_first = false;  // start and end precede the variables

  // Code objects.
  uint8_t stream_header = 0;           // bytes between the stream's start and its first instruction
  uint8_t code_instruction_start = 0;  // 0: instructions follow the object itself (V8 10)
  uint8_t code_instruction_size = 0;
  uint8_t code_flags = 0;
  uint8_t code_deoptimization_data = 0;  // 0: by its type
  uint8_t deopt_shared_index = 0;
  bool deopt_shared_is_wrapped = false;
  // Inlined functions. deopt_positions_index 0: unknown.
  uint8_t deopt_inlined_count_index = 1;
  uint8_t deopt_literals_index = 0;
  uint8_t deopt_positions_index = 0;
  uint8_t kind_regexp = 0;
  uint8_t kind_baseline = 0;
  uint8_t kind_maglev = 0;  // 0: this V8 has no Maglev
  uint8_t kind_turbofan = 0;

  // Frame markers (StackFrame::Type).
  uint8_t frame_entry = 1;
  uint8_t frame_construct_entry = 2;
  uint8_t frame_irregexp = 0;     // 0: none
  uint8_t frame_wasm = 0;         // 0: none
  bool wasm_is_numbered = false;  // V8 13 on: baseline code says which function it is
  uint8_t wasm_slot_bytes = 5;    // of a module's jump table
  uint8_t frame_wasm_to_js = 0;
  uint8_t frame_js_to_wasm = 0;

  // Source positions. Offset 0: unknown.
  PositionEncoding position_encoding = PositionEncoding::kUnknown;
  uint8_t bytecode_positions = 0;
  uint8_t bytecode_first = 0;  // offset of the first bytecode
  uint8_t code_positions = 0;  // position table; of Sparkplug's code, its table of bytecodes. 0: by
                               // its type
  BytecodeSizes bytecode_sizes;

  // Isolate. Offset 0: unknown.
  uint32_t isolate_vm_state = 0;
  // v8::Isolate::TryGetCurrent, a load from thread-local storage; null on threads that run no
  // JavaScript.
  void* (*try_get_current)() = nullptr;

  // Of a frame in which JavaScript was entered from C++.
  bool IsEntryMarker(uint64_t marker) const {
    return marker == uint64_t{frame_entry} << 1 || marker == uint64_t{frame_construct_entry} << 1;
  }
};

inline constexpr uint32_t kVmStateJs = 0;
inline constexpr uint32_t kVmStateGc = 1;
inline constexpr uint32_t kVmStateExternal = 6;

}  // namespace spprof
