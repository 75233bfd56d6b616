#include "v8/layout_finder.h"

#include <dlfcn.h>

#include "v8/bytecode_sizes.h"
#include "v8/vm_state.h"

namespace spprof {

namespace {

// Versions whose stacks the tests have seen (`npm run test:matrix`), and how each writes its tables
// of positions.
struct TestedVersion {
  int major, minor;
  PositionEncoding position_encoding;
};

constexpr TestedVersion kTested[] = {
    {10, 2, PositionEncoding::kSigned},   // Node 18
    {11, 3, PositionEncoding::kSigned},   // Node 20
    {12, 4, PositionEncoding::kSigned},   // Node 22
    {13, 6, PositionEncoding::kSigned},   // Node 24
    {14, 6, PositionEncoding::kFlagged},  // Node 26
};

const TestedVersion* FindTested(V8Version version) {
  for (const TestedVersion& tested : kTested) {
    if (tested.major == version.major && tested.minor == version.minor) return &tested;
  }
  return nullptr;
}

void FindIsolate(V8Layout* v8) {
  v8->try_get_current =
      reinterpret_cast<void* (*)()>(dlsym(RTLD_DEFAULT, "_ZN2v87Isolate13TryGetCurrentEv"));
  void* const isolate = v8->try_get_current != nullptr ? v8->try_get_current() : nullptr;
  if (isolate != nullptr)
    v8->isolate_vm_state = FindVmState(reinterpret_cast<uintptr_t>(isolate), *v8);
}

bool HasTrustedSpace(const V8Metadata& metadata) {
  return metadata.Find({"type_TrustedByteArray__"}) >= 0;
}

// Fields of Code objects. All or none: code_objects says.
void FindCodeObjects(const V8Metadata& metadata, V8Layout* v8) {
  bool complete = true;
  const auto need = [&complete, &metadata](std::string_view name, int missing = -1) {
    const int value = metadata.Find({name}, missing);
    if (value < 0) complete = false;
    return static_cast<uint8_t>(value < 0 ? 0 : value);
  };
  v8->code_type = static_cast<uint16_t>(metadata.Find({"type_Code__"}, 0));
  v8->instruction_stream_type =
      static_cast<uint16_t>(metadata.Find({"type_InstructionStream__"}, v8->code_type));
  // V8 10 has its instructions behind the Code object itself. V8 11 is silent of three fields,
  // which are known of 11.3.
  const bool has_streams = v8->instruction_stream_type != v8->code_type;
  const bool is_11_3 = v8->major == 11 && v8->minor == 3;
  v8->stream_header = need(has_streams ? "class_InstructionStream__instruction_start__"
                                       : "class_Code__instruction_start__");
  v8->code_instruction_start =
      has_streams ? need("class_Code__instruction_start__", is_11_3 ? 40 : -1) : uint8_t{0};
  v8->code_instruction_size = need("class_Code__instruction_size__", is_11_3 ? 56 : -1);
  v8->code_flags = need("class_Code__flags__", is_11_3 ? 48 : -1);
  v8->kind_baseline = need("CodeKindBaseline");
  // Counted from the baseline's: the kinds between are WebAssembly's, one of which went as V8 moved
  // code to its trusted space.
  const bool has_trusted_space = HasTrustedSpace(metadata);
  v8->kind_regexp = static_cast<uint8_t>(v8->kind_baseline - (has_trusted_space ? 7 : 8));
  const bool has_maglev = metadata.Find({"frametype_MaglevFrame"}) >= 0;
  v8->kind_maglev = static_cast<uint8_t>(has_maglev ? v8->kind_baseline + 1 : 0);
  v8->kind_turbofan = static_cast<uint8_t>(v8->kind_baseline + 2);
  v8->code_objects = complete && v8->code_type != 0;
}

// Position tables and inlined functions. What is missing is 0: a frame then has no position, or no
// inlined functions. Which arrays hold them changed as V8 moved them to its trusted space
// (docs/design/v8-internals.md 1.4).
void FindPositions(const V8Metadata& metadata, const TestedVersion* tested, V8Layout* v8) {
  const auto type = [&metadata](std::string_view name) {
    return static_cast<uint16_t>(metadata.Find({name}, 0));
  };
  const auto index = [&metadata](std::string_view name, int missing) {
    return static_cast<uint8_t>(metadata.Find({name}, missing));
  };
  const bool has_trusted_bytes = HasTrustedSpace(metadata);
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
  v8->deopt_inlined_count_index = index("DeoptimizationDataInlinedFunctionCountIndex", 1);
  v8->deopt_literals_index = index("DeoptimizationDataLiteralArrayIndex", 2);
  v8->deopt_positions_index = index("DeoptimizationDataInliningPositionsIndex", 7);
  const int wrapped = metadata.Find({"DeoptimizationDataWrappedSharedFunctionInfoIndex",
                                     "DeoptimizationDataSharedFunctionInfoWrapperIndex"});
  v8->deopt_shared_is_wrapped = wrapped >= 0;
  v8->deopt_shared_index = v8->deopt_shared_is_wrapped
                               ? static_cast<uint8_t>(wrapped)
                               : index("DeoptimizationDataSharedFunctionInfoIndex", 6);
  // With a trusted space, the type of what lies in a Code object tells which field it is.
  v8->code_deoptimization_data =
      index("class_Code__deoptimization_data__", has_trusted_bytes ? 0 : 16);
  v8->code_positions = index("class_Code__source_position_table__", has_trusted_bytes ? 0 : 24);
  if (v8->code_objects) v8->bytecode_sizes = FindBytecodeSizes(v8->major, v8->minor, metadata);
  if (tested == nullptr) return;  // position_check.h finds out
  v8->bytecode_positions = has_trusted_bytes ? 24 : 32;
  v8->position_encoding = tested->position_encoding;
}

std::string NoteOfUntested(const V8Layout& v8) {
  std::string note = NameOfV8(v8.major, v8.minor) + " is not known to this version of spprof: ";
  if (!v8.code_objects) {
    note += "compiled functions have no lines, and what was inlined counts as its caller";
  } else if (v8.bytecode_sizes.sizes == nullptr) {
    note += "it is read as it describes itself, and samples in Sparkplug's code have no lines";
  } else {
    note += "it is read as it describes itself, which has not been tested";
  }
  if (v8.isolate_vm_state == 0)
    note += "; JavaScript of workers that spprof did not start appears as (js)";
  return note;
}

}  // namespace

std::string NameOfV8(int major, int minor) {
  return major == 0 ? "this V8" : "V8 " + std::to_string(major) + "." + std::to_string(minor);
}

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
  v8.frame_entry = static_cast<uint8_t>(metadata.Find({"frametype_EntryFrame"}, v8.frame_entry));
  v8.frame_construct_entry = static_cast<uint8_t>(
      metadata.Find({"frametype_ConstructEntryFrame"}, v8.frame_construct_entry));
  FindIsolate(&v8);
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
  // V8 10 and 11 do not announce how many types of functions come behind the plain one: those of
  // classes' constructors, of arrays' and others.
  constexpr int kFurtherFunctionTypes = 15;
  const int function_type = need(metadata.Find({"type_JSFunction__"}));
  v8.first_js_function_type =
      static_cast<uint16_t>(metadata.Find({"FirstJSFunctionType"}, function_type));
  v8.last_js_function_type = static_cast<uint16_t>(
      metadata.Find({"LastJSFunctionType"}, function_type + kFurtherFunctionTypes));
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
  constexpr std::string_view kScriptOrDebugInfo =
      "class_SharedFunctionInfo__script_or_debug_info__";
  v8.shared_script = offset({kScriptOrDebugInfo, "class_SharedFunctionInfo__script__"});
  if (metadata.Find({kScriptOrDebugInfo}) >= 0)
    v8.debug_info_type = static_cast<uint16_t>(metadata.Find({"type_DebugInfo__"}, 0));
  v8.shared_literal_id = static_cast<uint8_t>(offset({"class_SharedFunctionInfo__flags__"}) + 4);
  v8.script_source = offset({"class_Script__source__"});
  v8.script_name = offset({"class_Script__name__"});
  v8.script_line_ends = offset({"class_Script__line_ends__"});
  v8.script_id = static_cast<uint8_t>(v8.script_line_ends + 8);
  v8.scope_first_variable = offset({"scopeinfo_idx_first_vars"});
  v8.scope_positions_first = v8.scope_first_variable >= 5;
  v8.scope_flags_are_raw = v8.scope_positions_first;
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
  v8.script_source_map_url = static_cast<uint8_t>(before_flags != 0 ? before_flags + 24 : 0);
  const auto frame = [&metadata](std::string_view name) {
    return static_cast<uint8_t>(metadata.Find({name}, 0));
  };
  v8.frame_wasm = frame("frametype_WasmFrame");
  v8.frame_wasm_to_js = frame("frametype_WasmToJsFrame");
  v8.frame_js_to_wasm = frame("frametype_JsToWasmFrame");
  // Came together with V8 13: a kind of frame, numbers in baseline code, slots that are aligned.
  v8.wasm_is_numbered = frame("frametype_WasmSegmentStartFrame") != 0;
  v8.wasm_slot_bytes = v8.wasm_is_numbered ? 8 : 5;
  v8.wasm_module_type = static_cast<uint16_t>(metadata.Find({"type_WasmModuleObject__"}, 0));
  v8.wasm_instance_type = static_cast<uint16_t>(metadata.Find({"type_WasmInstanceObject__"}, 0));
  v8.script_wasm_module =
      static_cast<uint8_t>(metadata.Find({"class_Script__wasm_managed_native_module__"}, 0));
  v8.js_frames = complete;
  if (!complete) {
    warnings->push_back(
        NameOfV8(version.major, version.minor) +
        " lacks debugging metadata that is needed: JavaScript frames appear as (js)");
    return v8;
  }

  const TestedVersion* tested = FindTested(version);
  FindCodeObjects(metadata, &v8);
  FindPositions(metadata, tested, &v8);
  if (tested == nullptr) warnings->push_back(NoteOfUntested(v8));
  return v8;
}

}  // namespace spprof
