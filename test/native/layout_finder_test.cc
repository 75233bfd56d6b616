// What is made of V8's metadata: entries as they are in the binaries of Node 18, 20 and 26, and as
// a V8 that comes later may have them.
#include "v8/layout_finder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "platform/fault_handler.h"

namespace spprof {
namespace {

using Entries = std::vector<std::pair<std::string_view, int>>;

// What every version says, with one version's values.
const Entries kCommon = {
    {"TaggedSize", 8},
    {"FirstNonstringType", 128},
    {"class_Map__instance_type__uint16_t", 12},
    {"type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 288},
    {"type_ScopeInfo__SCOPE_INFO_TYPE", 286},
    {"type_Script__SCRIPT_TYPE", 166},
    {"type_FixedArray__FIXED_ARRAY_TYPE", 205},
    {"type_ByteArray__BYTE_ARRAY_TYPE", 218},
    {"type_BytecodeArray__BYTECODE_ARRAY_TYPE", 185},
    {"type_WeakFixedArray__WEAK_FIXED_ARRAY_TYPE", 258},
    {"class_JSFunction__shared__Tagged_SharedFunctionInfo_", 32},
    {"class_SharedFunctionInfo__name_or_scope_info__Object", 24},
    {"class_SharedFunctionInfo__script__HeapObject", 40},
    {"class_SharedFunctionInfo__flags__uint32_t", 56},
    {"class_Script__source__Object", 8},
    {"class_Script__name__Object", 16},
    {"class_Script__line_ends__Object", 56},
    {"class_BytecodeArray__data__uintptr_t", 64},
    {"scopeinfo_idx_first_vars", 5},
    {"frametype_EntryFrame", 1},
    {"frametype_ConstructEntryFrame", 2},
};

const Entries kNode18 = {
    {"CodeKindBaseline", 11},
    {"class_Code__flags__uint32_t", 48},
    {"class_Code__instruction_size__int", 40},
    {"class_Code__instruction_start__uintptr_t", 128},
    {"type_Code__CODE_TYPE", 240},
    {"type_JSFunction__JS_FUNCTION_TYPE", 2065},
};

const Entries kNode20 = {
    {"CodeKindBaseline", 11},
    {"DeoptimizationDataInlinedFunctionCountIndex", 1},
    {"DeoptimizationDataInliningPositionsIndex", 7},
    {"DeoptimizationDataLiteralArrayIndex", 2},
    {"DeoptimizationDataSharedFunctionInfoIndex", 6},
    {"class_Code__deoptimization_data__FixedArray", 16},
    {"class_Code__source_position_table__ByteArray", 24},
    {"class_InstructionStream__instruction_start__uintptr_t", 16},
    {"frametype_MaglevFrame", 15},
    {"type_Code__CODE_TYPE", 245},
    {"type_InstructionStream__INSTRUCTION_STREAM_TYPE", 252},
    {"type_JSFunction__JS_FUNCTION_TYPE", 2066},
};

const Entries kNode26 = {
    {"CodeKindBaseline", 11},
    {"DeoptimizationDataInlinedFunctionCountIndex", 1},
    {"DeoptimizationDataInliningPositionsIndex", 8},
    {"DeoptimizationDataLiteralArrayIndex", 3},
    {"DeoptimizationDataWrappedSharedFunctionInfoIndex", 7},
    {"FirstJSFunctionType", 2066},
    {"LastJSFunctionType", 2082},
    {"class_Code__flags__uint32_t", 52},
    {"class_Code__instruction_size__int", 56},
    {"class_Code__instruction_start__Address", 40},
    {"class_InstructionStream__instruction_start__uintptr_t", 32},
    {"frametype_MaglevFrame", 6},
    {"type_Code__CODE_TYPE", 186},
    {"type_InstructionStream__INSTRUCTION_STREAM_TYPE", 192},
    {"type_JSFunction__JS_FUNCTION_TYPE", 2066},
    {"type_ProtectedFixedArray__PROTECTED_FIXED_ARRAY_TYPE", 193},
    {"type_TrustedByteArray__TRUSTED_BYTE_ARRAY_TYPE", 196},
    {"type_TrustedWeakFixedArray__TRUSTED_WEAK_FIXED_ARRAY_TYPE", 199},
};

class LayoutFinder : public testing::Test {
 protected:
  LayoutFinder() { EXPECT_TRUE(InstallFaultHandler().ok()); }
  ~LayoutFinder() override { UninstallFaultHandler(); }

  V8Layout Find(Entries entries, V8Version version) {
    entries.insert(entries.end(), kCommon.begin(), kCommon.end());
    warnings_.clear();
    return FindV8Layout(V8Metadata::FromEntries(std::move(entries)), version, &warnings_);
  }
  static Entries Without(Entries entries, std::string_view name) {
    const auto end = std::remove_if(entries.begin(), entries.end(), [name](const auto& entry) {
      return entry.first.starts_with(name);
    });
    EXPECT_NE(end, entries.end()) << name;
    entries.erase(end, entries.end());
    return entries;
  }
  std::vector<std::string> warnings_;
};

TEST_F(LayoutFinder, InstructionsFollowTheCodeObjectInV8_10) {
  const V8Layout v8 = Find(kNode18, {10, 2});
  EXPECT_TRUE(v8.js_frames && v8.code_objects);
  EXPECT_EQ(v8.instruction_stream_type, 240);
  EXPECT_EQ(v8.stream_header, 128);
  EXPECT_EQ(v8.code_instruction_start, 0);
  EXPECT_EQ(v8.code_instruction_size, 40);
  EXPECT_EQ(v8.code_deoptimization_data, 16);
  EXPECT_EQ(v8.code_positions, 24);
  EXPECT_EQ(v8.deopt_shared_index, 6);
  EXPECT_FALSE(v8.deopt_shared_is_wrapped);
  EXPECT_EQ(v8.last_js_function_type, 2080);
  EXPECT_EQ(v8.kind_regexp, 3);
  EXPECT_EQ(v8.kind_maglev, 0);
  EXPECT_EQ(v8.kind_turbofan, 13);
  EXPECT_EQ(v8.bytecode_positions, 32);
  EXPECT_EQ(v8.position_encoding, PositionEncoding::kSigned);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(LayoutFinder, KnowsWhatV8_11_3IsSilentOf) {
  const V8Layout v8 = Find(kNode20, {11, 3});
  EXPECT_TRUE(v8.code_objects);
  EXPECT_EQ(v8.stream_header, 16);
  EXPECT_EQ(v8.code_instruction_start, 40);
  EXPECT_EQ(v8.code_instruction_size, 56);
  EXPECT_EQ(v8.code_flags, 48);
  EXPECT_EQ(v8.code_deoptimization_data, 16);
  EXPECT_EQ(v8.last_js_function_type, 2081);
  EXPECT_EQ(v8.kind_maglev, 12);
  EXPECT_TRUE(warnings_.empty());
  // What holds for one version is not supposed of its neighbour.
  EXPECT_FALSE(Find(kNode20, {11, 8}).code_objects);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("have no lines, and what was inlined counts as its caller"),
            std::string::npos);
}

TEST_F(LayoutFinder, WithATrustedSpaceFieldsOfCodeAreToldByTheirTypes) {
  const V8Layout v8 = Find(kNode26, {14, 6});
  EXPECT_TRUE(v8.code_objects);
  EXPECT_EQ(v8.code_instruction_start, 40);
  EXPECT_EQ(v8.code_deoptimization_data, 0);
  EXPECT_EQ(v8.code_positions, 0);
  EXPECT_EQ(v8.deopt_data_type, 193);
  EXPECT_EQ(v8.position_table_type, 196);
  EXPECT_EQ(v8.deopt_literals_type, 199);
  EXPECT_EQ(v8.deopt_shared_index, 7);
  EXPECT_TRUE(v8.deopt_shared_is_wrapped);
  EXPECT_EQ(v8.kind_regexp, 4);
  EXPECT_EQ(v8.bytecode_positions, 24);
  EXPECT_EQ(v8.position_encoding, PositionEncoding::kFlagged);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(LayoutFinder, AVersionThatComesLaterIsReadAsItDescribesItself) {
  const V8Layout v8 = Find(kNode26, {15, 2});
  EXPECT_TRUE(v8.js_frames && v8.code_objects);
  EXPECT_EQ(v8.deopt_shared_index, 7);
  // Which is to be found out, or lines are left out.
  EXPECT_EQ(v8.position_encoding, PositionEncoding::kUnknown);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("V8 15.2 is not known"), std::string::npos);
}

TEST_F(LayoutFinder, CodeObjectsAreReadWholeOrNotAtAll) {
  for (const char* name :
       {"class_Code__flags__", "class_Code__instruction_size__", "class_Code__instruction_start__",
        "class_InstructionStream__instruction_start__", "CodeKindBaseline", "type_Code__"}) {
    const V8Layout v8 = Find(Without(kNode26, name), {15, 2});
    EXPECT_TRUE(v8.js_frames) << name;
    EXPECT_FALSE(v8.code_objects) << name;
    EXPECT_EQ(warnings_.size(), 1u) << name;
  }
}

TEST_F(LayoutFinder, NothingIsReadOfCompressedPointers) {
  Entries entries = kNode26;
  entries.insert(entries.end(), kCommon.begin(), kCommon.end());
  ASSERT_TRUE(FindV8Layout(V8Metadata::FromEntries(entries), {14, 6}, &warnings_).js_frames);
  for (auto& [name, value] : entries) {
    if (name == "TaggedSize") value = 4;
  }
  EXPECT_FALSE(FindV8Layout(V8Metadata::FromEntries(entries), {14, 6}, &warnings_).js_frames);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("compressed pointers"), std::string::npos);
}

}  // namespace
}  // namespace spprof
