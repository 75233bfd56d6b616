#include "v8/layout_finder.h"

#include <dlfcn.h>

#include <cstring>

#include "v8/bytecode_sizes.h"

namespace spprof {

namespace {

// What the metadata lacks in at least one version. -1: this version has no such thing, or announces
// it.
struct VersionTable {
  int major, minor;
  int first_function_type, last_function_type;
  int stream_type, stream_header;
  int code_instruction_start, code_instruction_size, code_flags, code_deopt_data;
  int deopt_shared_index;
  int code_positions, bytecode_positions;
  PositionEncoding position_encoding;
  int vm_state_offset, vm_state_bytes;
};

constexpr auto kSigned = PositionEncoding::kSigned;
constexpr auto kFlagged = PositionEncoding::kFlagged;

constexpr VersionTable kVersions[] = {
    // Node 18
    {10, 2, 2065, 2080, 240, 128, 0, 40, 48, 16, 6, 24, 32, kSigned, 0x4568, 4},
    // Node 20
    {11, 3, 2066, 2081, -1, 16, 40, 56, 48, 16, 6, 24, 32, kSigned, 0x1b0, 4},
    // Node 22
    {12, 4, -1, -1, -1, 32, -1, -1, -1, 8, 6, 16, 24, kSigned, 0x1b8, 2},
    // Node 24
    {13, 6, -1, -1, -1, 32, -1, -1, -1, 8, 7, 16, 24, kSigned, 0x1e8, 2},
    // Node 26
    {14, 6, -1, -1, -1, 32, -1, -1, -1, 8, 7, 16, 24, kFlagged, 0x1f0, 2},
};

const VersionTable* TableOf(V8Version version) {
  for (const VersionTable& table : kVersions) {
    if (table.major == version.major && table.minor == version.minor) return &table;
  }
  return nullptr;
}

int FromEither(int announced, int tabulated) { return announced >= 0 ? announced : tabulated; }

void FindIsolateState(const VersionTable* table, V8Layout* layout) {
  layout->try_get_current =
      reinterpret_cast<void* (*)()>(dlsym(RTLD_DEFAULT, "_ZN2v87Isolate13TryGetCurrentEv"));
  if (layout->try_get_current == nullptr || table == nullptr) return;
  const auto* isolate = static_cast<const uint8_t*>(layout->try_get_current());
  if (isolate == nullptr) return;
  // The table's word must say where we are: in a C++ callback from JavaScript, which newer versions
  // do not tell from JavaScript while nobody of V8's own profiles. Two words before it is the stack
  // pointer with which JavaScript was entered, somewhere above us.
  uint32_t state = 0;
  uint64_t js_entry_sp;
  std::memcpy(&state, isolate + table->vm_state_offset, table->vm_state_bytes);
  std::memcpy(&js_entry_sp, isolate + table->vm_state_offset - 2 * sizeof(uint64_t),
              sizeof(js_entry_sp));
  constexpr uint64_t kMaxStackBytes = uint64_t{1} << 30;
  const auto here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  const bool is_on_stack = js_entry_sp > here && js_entry_sp - here < kMaxStackBytes;
  if (!is_on_stack || (state != kVmStateJs && state != kVmStateExternal)) return;
  layout->isolate_vm_state = static_cast<uint32_t>(table->vm_state_offset);
}

// Fields of Code objects. All or none: code_objects says.
void FindCodeObjects(const V8Metadata& metadata, const VersionTable& table, V8Layout* v8) {
  bool complete = true;
  const auto need = [&complete](int value) {
    if (value < 0) complete = false;
    return value < 0 ? 0 : value;
  };
  v8->code_type = static_cast<uint16_t>(need(metadata.Find({"type_Code__"})));
  v8->instruction_stream_type = static_cast<uint16_t>(
      need(FromEither(metadata.Find({"type_InstructionStream__"}), table.stream_type)));
  v8->stream_header = static_cast<uint8_t>(table.stream_header);
  // Node 18's metadata describes the field that its other kinds of Code use; the table's 0 says:
  // inline.
  v8->code_instruction_start = static_cast<uint8_t>(
      table.code_instruction_start >= 0 ? table.code_instruction_start
                                        : need(metadata.Find({"class_Code__instruction_start__"})));
  v8->code_instruction_size = static_cast<uint8_t>(need(
      FromEither(metadata.Find({"class_Code__instruction_size__"}), table.code_instruction_size)));
  v8->code_flags = static_cast<uint8_t>(
      need(FromEither(metadata.Find({"class_Code__flags__"}), table.code_flags)));
  v8->code_deoptimization_data = static_cast<uint8_t>(table.code_deopt_data);
  v8->deopt_shared_index = static_cast<uint8_t>(table.deopt_shared_index);
  v8->deopt_shared_is_wrapped =
      metadata.Find({"class_SharedFunctionInfoWrapper__shared_info__"}) >= 0;
  v8->kind_baseline = static_cast<uint8_t>(need(metadata.Find({"CodeKindBaseline"})));
  v8->kind_maglev = static_cast<uint8_t>(v8->major >= 11 ? v8->kind_baseline + 1 : 0);
  v8->kind_turbofan = static_cast<uint8_t>(v8->kind_baseline + 2);
  v8->kind_regexp = static_cast<uint8_t>(v8->major >= 14 ? 4 : 3);
  v8->code_objects = complete;
}

// Position tables and inlined functions. What is missing is 0: a frame then has no position, or no
// inlined functions. Which arrays hold them changed as V8 moved them to its trusted space
// (V8.md 1.4).
void FindPositions(const V8Metadata& metadata, const VersionTable* table, V8Layout* v8) {
  const auto type = [&metadata](std::string_view name) {
    return static_cast<uint16_t>(metadata.Find({name}, 0));
  };
  const auto index = [&metadata](std::string_view name, int missing) {
    return static_cast<uint8_t>(metadata.Find({name}, missing));
  };
  const bool has_trusted_bytes = type("type_TrustedByteArray__") != 0;
  const bool has_trusted_weak = type("type_TrustedWeakFixedArray__") != 0;
  v8->position_table_type =
      type(has_trusted_bytes ? "type_TrustedByteArray__" : "type_ByteArray__");
  v8->inlining_positions_type =
      has_trusted_weak ? v8->position_table_type : type("type_ByteArray__");
  v8->deopt_literals_type =
      type(has_trusted_weak ? "type_TrustedWeakFixedArray__" : "type_WeakFixedArray__");
  v8->deopt_data_type = has_trusted_weak    ? type("type_ProtectedFixedArray__")
                        : has_trusted_bytes ? type("type_TrustedFixedArray__")
                                            : v8->fixed_array_type;
  v8->bytecode_first = index("class_BytecodeArray__data__", 0);
  if (table == nullptr) return;
  v8->deopt_inlined_count_index = index("DeoptimizationDataInlinedFunctionCountIndex", 1);
  v8->deopt_literals_index = index("DeoptimizationDataLiteralArrayIndex", 2);
  v8->deopt_positions_index = index("DeoptimizationDataInliningPositionsIndex", 7);
  v8->code_positions = static_cast<uint8_t>(table->code_positions);
  v8->bytecode_positions = static_cast<uint8_t>(table->bytecode_positions);
  v8->position_encoding = table->position_encoding;
  v8->bytecode_sizes = FindBytecodeSizes(v8->major, v8->minor);
}

}  // namespace

V8Version FindV8Version() {
  const auto* major =
      static_cast<const int*>(dlsym(RTLD_DEFAULT, "_ZN2v88internal7Version6major_E"));
  const auto* minor =
      static_cast<const int*>(dlsym(RTLD_DEFAULT, "_ZN2v88internal7Version6minor_E"));
  if (major == nullptr || minor == nullptr) return {};
  return {*major, *minor};
}

V8Layout FindV8Layout(const V8Metadata& metadata, V8Version version,
                      std::vector<std::string>* warnings) {
  V8Layout v8;
  v8.major = version.major;
  v8.minor = version.minor;
  const VersionTable* table = TableOf(version);
  FindIsolateState(table, &v8);
  if (metadata.empty()) {
    warnings->push_back(
        "this Node.js exports no V8 debugging metadata: JavaScript frames appear as (js)");
    return v8;
  }
  constexpr int kTaggedSize = 8;
  if (metadata.Find({"TaggedSize"}, kTaggedSize) != kTaggedSize) {
    warnings->push_back(
        "this Node.js is built with compressed pointers: JavaScript frames appear as (js)");
    return v8;
  }

  bool complete = true;
  const auto need = [&complete](int value) {
    if (value < 0) complete = false;
    return value < 0 ? 0 : value;
  };
  const int function_type = metadata.Find({"type_JSFunction__"});
  v8.first_js_function_type = static_cast<uint16_t>(
      need(FromEither(metadata.Find({"FirstJSFunctionType"}),
                      table != nullptr ? table->first_function_type : function_type)));
  v8.last_js_function_type = static_cast<uint16_t>(
      need(FromEither(metadata.Find({"LastJSFunctionType"}),
                      table != nullptr ? table->last_function_type : function_type)));
  v8.shared_function_info_type =
      static_cast<uint16_t>(need(metadata.Find({"type_SharedFunctionInfo__"})));
  v8.scope_info_type = static_cast<uint16_t>(need(metadata.Find({"type_ScopeInfo__"})));
  v8.script_type = static_cast<uint16_t>(need(metadata.Find({"type_Script__"})));
  v8.bytecode_array_type = static_cast<uint16_t>(need(metadata.Find({"type_BytecodeArray__"})));
  v8.fixed_array_type = static_cast<uint16_t>(need(metadata.Find({"type_FixedArray__"})));
  v8.first_nonstring_type = static_cast<uint16_t>(metadata.Find({"FirstNonstringType"}, 128));

  const auto offset = [&need, &metadata](std::initializer_list<std::string_view> prefixes) {
    return static_cast<uint8_t>(need(metadata.Find(prefixes)));
  };
  v8.map_instance_type = offset({"class_Map__instance_type__"});
  v8.function_shared = offset({"class_JSFunction__shared__"});
  v8.shared_name_or_scope_info = offset({"class_SharedFunctionInfo__name_or_scope_info__"});
  v8.shared_script = offset(
      {"class_SharedFunctionInfo__script_or_debug_info__", "class_SharedFunctionInfo__script__"});
  v8.shared_literal_id = static_cast<uint8_t>(offset({"class_SharedFunctionInfo__flags__"}) + 4);
  v8.script_source = offset({"class_Script__source__"});
  v8.script_name = offset({"class_Script__name__"});
  v8.script_line_ends = offset({"class_Script__line_ends__"});
  v8.script_id = static_cast<uint8_t>(v8.script_line_ends + 8);
  v8.scope_first_variable = offset({"scopeinfo_idx_first_vars"});
  v8.scope_positions_first = v8.scope_first_variable >= 5;
  v8.scope_flags_are_raw = v8.scope_positions_first;
  v8.frame_entry = offset({"frametype_EntryFrame"});
  v8.frame_construct_entry = offset({"frametype_ConstructEntryFrame"});
  v8.frame_irregexp = static_cast<uint8_t>(metadata.Find({"frametype_IrregexpFrame"}, 0));
  const auto script = [&metadata](std::string_view name) {
    return static_cast<uint8_t>(metadata.Find({name}, 0));
  };
  v8.script_eval_from_shared = script("class_Script__eval_from_shared_or_wrapped_arguments");
  v8.script_eval_from_position = script("class_Script__eval_from_position__");
  // Two fields behind what precedes its flags, which the metadata leaves out.
  const uint8_t lazy = script("class_Script__compiled_lazy_function_positions__");
  const uint8_t before_flags = lazy != 0 ? lazy : script("class_Script__wasm_weak_instance_list__");
  v8.script_source_url = static_cast<uint8_t>(before_flags != 0 ? before_flags + 16 : 0);
  const auto frame = [&metadata](std::string_view name) {
    return static_cast<uint8_t>(metadata.Find({name}, 0));
  };
  v8.frame_wasm = frame("frametype_WasmFrame");
  v8.frame_wasm_to_js = frame("frametype_WasmToJsFrame");
  v8.frame_js_to_wasm = frame("frametype_JsToWasmFrame");
  v8.wasm_is_numbered = version.major >= 13;
  v8.wasm_slot_bytes = version.major >= 13 ? 8 : 5;
  v8.wasm_module_type = static_cast<uint16_t>(metadata.Find({"type_WasmModuleObject__"}, 0));
  v8.wasm_instance_type = static_cast<uint16_t>(metadata.Find({"type_WasmInstanceObject__"}, 0));
  v8.script_wasm_module =
      static_cast<uint8_t>(metadata.Find({"class_Script__wasm_managed_native_module__"}, 0));
  v8.js_frames = complete;
  if (!complete) {
    warnings->push_back(
        "V8 " + std::to_string(version.major) + "." + std::to_string(version.minor) +
        " lacks debugging metadata that is needed: JavaScript frames appear as (js)");
    return v8;
  }

  if (table != nullptr) {
    FindCodeObjects(metadata, *table, &v8);
  } else {
    warnings->push_back("V8 " + std::to_string(version.major) + "." +
                        std::to_string(version.minor) +
                        " is not known to this version of spprof: what was inlined counts as its "
                        "caller, and JavaScript of workers that it did not start appears as (js)");
  }
  FindPositions(metadata, table, &v8);
  return v8;
}

}  // namespace spprof
