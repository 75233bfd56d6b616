// The reader of V8's heap, on a heap of our own: what is right is read, what is wrong is refused.
#include "signal_safe/v8_heap/v8_reader.h"

#include <gtest/gtest.h>

#include "core_support.h"
#include "platform/fault_handler.h"
#include "v8_heap_support.h"

namespace spprof {
namespace {

using test::Position;
using test::ScopeFields;
using test::TableOf;
using test::V8Heap;

constexpr uint32_t kCapacity = 64;

struct Family {
  const char* name;
  V8Layout (*layout)();
};

constexpr Family kFamilies[] = {
    Family{"18", test::LayoutOfNode18}, Family{"22", test::LayoutOfNode22},
    Family{"24", test::LayoutOfNode24}, Family{"by_type", test::LayoutByType}};

class V8ReaderTest : public testing::TestWithParam<Family> {
 protected:
  V8ReaderTest() : heap_(GetParam().layout()), reader_(heap_.v8, &maps_) {
    EXPECT_TRUE(InstallFaultHandler().ok());
  }
  ~V8ReaderTest() override { UninstallFaultHandler(); }

  // UTF-16 of what the reader makes of a string; "<refused>" when it refuses.
  std::u16string Read(uint64_t string) {
    const uint64_t script = heap_.Script(1, string, 0);
    text_ = {buffer_, kCapacity};
    if (!reader_.ReadScriptName(script, &text_)) return u"<refused>";
    return Characters();
  }
  std::u16string Characters() {
    std::u16string characters;
    const auto* bytes = reinterpret_cast<const uint8_t*>(buffer_);
    for (uint32_t i = 0; i < text_.length; i++) {
      characters += text_.two_byte ? buffer_[i] : static_cast<char16_t>(bytes[i]);
    }
    return characters;
  }
  std::u16string NameOf(uint64_t name_or_scope) {
    FunctionIdentity function;
    function.shared = heap_.Shared(name_or_scope, 0, 1);
    text_ = {buffer_, kCapacity};
    return reader_.ReadName(function, &text_) ? Characters() : u"<refused>";
  }
  FunctionPositions PositionsOf(const ScopeFields& scope, uint64_t script) {
    FunctionIdentity function;
    EXPECT_TRUE(reader_.ReadShared(heap_.Shared(heap_.ScopeInfo(scope), script, 3), &function));
    FunctionPositions positions;
    reader_.ReadPositions(function, &positions);
    return positions;
  }

  V8Heap heap_;
  KnownMaps maps_;
  V8Reader reader_;
  Text text_;
  char16_t buffer_[kCapacity];
};
INSTANTIATE_TEST_SUITE_P(Node, V8ReaderTest, testing::ValuesIn(kFamilies),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(V8ReaderTest, IdentifiesAFunctionByScriptAndLiteral) {
  const uint64_t script = heap_.Script(42, heap_.OneByte("a.js"), heap_.OneByte("source"));
  const uint64_t shared = heap_.Shared(heap_.OneByte("name"), script, 7);
  FunctionIdentity function;
  ASSERT_TRUE(reader_.ReadFunction(heap_.Function(shared), &function));
  EXPECT_EQ(function.shared, shared);
  EXPECT_EQ(function.script, script);
  EXPECT_EQ(function.script_id, 42);
  EXPECT_EQ(function.literal_id, 7);
}

TEST_P(V8ReaderTest, TakesEveryKindOfFunctionAndNothingElse) {
  const uint64_t shared = heap_.Shared(heap_.OneByte("name"), heap_.Script(1, 0, 0), 7);
  const int last = heap_.v8.last_js_function_type - heap_.v8.first_js_function_type;
  FunctionIdentity function;
  EXPECT_TRUE(reader_.ReadFunction(heap_.Function(shared, 0), &function));
  EXPECT_TRUE(reader_.ReadFunction(heap_.Function(shared, last), &function));
  EXPECT_FALSE(reader_.ReadFunction(heap_.Function(shared, -1), &function));
  EXPECT_FALSE(reader_.ReadFunction(heap_.Function(shared, last + 1), &function));
  EXPECT_FALSE(reader_.ReadFunction(shared, &function));
}

TEST_P(V8ReaderTest, AFunctionWithoutAScriptIsABuiltin) {
  const uint64_t undefined = heap_.New(131, 24);
  FunctionIdentity function;
  ASSERT_TRUE(reader_.ReadFunction(
      heap_.Function(heap_.Shared(heap_.OneByte("map"), undefined, -1)), &function));
  EXPECT_EQ(function.script, 0u);
  EXPECT_EQ(function.script_id, -1);
}

TEST_P(V8ReaderTest, AFunctionThatIsWatchedKeepsItsScript) {
  if (heap_.v8.debug_info_type == 0) GTEST_SKIP() << "this V8 leaves the script where it is";
  const uint64_t script = heap_.Script(42, heap_.OneByte("a.js"), heap_.OneByte("source"));
  const uint64_t shared = heap_.Shared(heap_.OneByte("name"), script, 7);
  const uint64_t info = heap_.DebugInfo(shared, script);
  FunctionIdentity function;
  ASSERT_TRUE(reader_.ReadFunction(heap_.Function(shared), &function));
  EXPECT_EQ(function.script, script);
  EXPECT_EQ(function.script_id, 42);
  EXPECT_EQ(function.literal_id, 7);

  // Of another function, or without a script: refused, and not taken for a builtin's.
  heap_.Set(info, 8, heap_.Shared(heap_.OneByte("other"), script, 8));
  EXPECT_FALSE(reader_.ReadFunction(heap_.Function(shared), &function));
  heap_.DebugInfo(shared, V8Heap::Smi(1));
  EXPECT_FALSE(reader_.ReadFunction(heap_.Function(shared), &function));
}

TEST_P(V8ReaderTest, RefusesSmisWildPointersAndMovedObjects) {
  FunctionIdentity function;
  for (uint64_t word :
       {uint64_t{0}, V8Heap::Smi(7), uint64_t{1}, uint64_t{17}, uint64_t{0xdead0001}, ~uint64_t{0},
        ~uint64_t{2}, heap_.address() + V8Heap::kBytes * 64 + 1}) {
    EXPECT_FALSE(reader_.ReadFunction(word, &function)) << std::hex << word;
    EXPECT_FALSE(reader_.ReadShared(word, &function));
    EXPECT_FALSE(reader_.IsBytecodeArray(word));
  }
  const uint64_t shared = heap_.Shared(heap_.OneByte("f"), heap_.Script(1, 0, 0), 1);
  const uint64_t moved = heap_.Function(shared);
  heap_.Set(moved, 0, heap_.address() + 64);  // a forwarding address has no tag
  EXPECT_FALSE(reader_.ReadFunction(moved, &function));
  const uint64_t script = heap_.Script(1, 0, 0);
  heap_.Set(script, heap_.v8.script_id, uint64_t{0x1234567});  // no Smi
  EXPECT_FALSE(reader_.ReadFunction(heap_.Function(heap_.Shared(0, script, 1)), &function));
}

TEST_P(V8ReaderTest, KnowsABytecodeArrayByItsMap) {
  const uint64_t array = heap_.New(heap_.v8.bytecode_array_type, 64);
  EXPECT_TRUE(reader_.IsBytecodeArray(array));
  EXPECT_TRUE(reader_.IsBytecodeArray(heap_.New(heap_.v8.bytecode_array_type, 64)));
  EXPECT_FALSE(reader_.IsBytecodeArray(heap_.FixedArray({})));
}

TEST_P(V8ReaderTest, ReadsEveryRepresentationOfAString) {
  static const char kChars[] = "external";
  static const char16_t kWide[] = u"\u4e16\u754c outside";
  const uint64_t one = heap_.OneByte("caf\xe9");
  const uint64_t two = heap_.TwoByte(u"\u4f60\u597d");
  EXPECT_EQ(Read(one), u"caf\u00e9");
  EXPECT_FALSE(text_.two_byte);
  EXPECT_EQ(Read(two), u"\u4f60\u597d");
  EXPECT_TRUE(text_.two_byte);
  EXPECT_EQ(Read(heap_.OneByte("")), u"");
  EXPECT_EQ(Read(heap_.Thin(one, 4, true)), u"caf\u00e9");
  EXPECT_EQ(Read(heap_.Sliced(one, 1, 2, true)), u"af");
  EXPECT_EQ(Read(heap_.Sliced(two, 1, 1, false)), u"\u597d");
  EXPECT_EQ(Read(heap_.External(kChars, 8, true)), u"external");
  EXPECT_EQ(Read(heap_.External(kWide, 10, false)), kWide);
  EXPECT_EQ(Read(heap_.Cons(one, heap_.OneByte("!"), 5, true)), u"caf\u00e9!");
  EXPECT_EQ(Read(heap_.Cons(one, two, 6, false)), u"caf\u00e9\u4f60\u597d");
  const uint64_t tree = heap_.Cons(heap_.Cons(one, heap_.External(kChars, 8, true), 12, true),
                                   heap_.Thin(heap_.Sliced(one, 0, 3, true), 3, true), 15, true);
  EXPECT_EQ(Read(tree), u"caf\u00e9externalcaf");
  EXPECT_EQ(Read(heap_.Sliced(tree, 3, 4, true)), u"\u00e9ext");
}

TEST_P(V8ReaderTest, CutsALongStringAndSaysSo) {
  EXPECT_EQ(Read(heap_.OneByte(std::string(kCapacity, 'a'))), std::u16string(kCapacity, u'a'));
  EXPECT_FALSE(text_.shortened);
  EXPECT_EQ(Read(heap_.OneByte(std::string(1000, 'b'))), std::u16string(kCapacity, u'b'));
  EXPECT_TRUE(text_.shortened);
  const uint64_t half = heap_.OneByte(std::string(50, 'c'));
  EXPECT_EQ(Read(heap_.Cons(half, half, 100, true)).size(), kCapacity);
  EXPECT_TRUE(text_.shortened);
}

TEST_P(V8ReaderTest, RefusesStringsThatAreTorn) {
  const uint64_t one = heap_.OneByte("abcd"), two = heap_.TwoByte(u"xy");
  EXPECT_EQ(Read(heap_.Cons(one, two, 6, true)), u"<refused>") << "a wide part of a narrow string";
  EXPECT_EQ(Read(heap_.Sliced(one, 2, 4, true)), u"<refused>") << "beyond its parent";
  EXPECT_EQ(Read(heap_.Sliced(one, -1, 2, true)), u"<refused>");
  EXPECT_EQ(Read(heap_.Cons(one, V8Heap::Smi(1), 8, true)), u"<refused>");
  EXPECT_EQ(Read(heap_.Thin(0, 4, true)), u"<refused>");
  EXPECT_EQ(Read(heap_.External(nullptr, 4, true)), u"<refused>");
  EXPECT_EQ(Read(heap_.External(reinterpret_cast<void*>(8), 4, true)), u"<refused>");
  EXPECT_EQ(Read(heap_.External("text", 4, true, true)), u"<refused>") << "no cached characters";
  const uint64_t loop = heap_.Thin(0, 4, true);
  heap_.Set(loop, 16, loop);
  EXPECT_EQ(Read(loop), u"<refused>");
}

TEST_P(V8ReaderTest, FindsTheNameBehindAnyNumberOfVariables) {
  const uint64_t name = heap_.OneByte("named"), inferred = heap_.OneByte("K.inferred");
  for (int locals : {0, 1, 5, 74, 75, 76, 200}) {
    for (bool has_class : {false, true}) {
      ScopeFields scope{.locals = locals, .has_class_variable = has_class};
      EXPECT_EQ(NameOf(heap_.ScopeInfo(scope)), u"");
      scope.inferred_name = inferred;
      EXPECT_EQ(NameOf(heap_.ScopeInfo(scope)), u"K.inferred") << locals;
      scope.has_name = true;
      EXPECT_EQ(NameOf(heap_.ScopeInfo(scope)), u"K.inferred") << "the name's slot is empty";
      scope.name = heap_.OneByte("");
      EXPECT_EQ(NameOf(heap_.ScopeInfo(scope)), u"K.inferred");
      scope.name = name;
      EXPECT_EQ(NameOf(heap_.ScopeInfo(scope)), u"named") << locals;
      scope.inferred_name = 0;
      EXPECT_EQ(NameOf(heap_.ScopeInfo(scope)), u"named") << locals;
    }
  }
  EXPECT_EQ(NameOf(heap_.OneByte("not compiled yet")), u"not compiled yet");
  EXPECT_EQ(NameOf(V8Heap::Smi(0)), u"<refused>");
  EXPECT_EQ(NameOf(heap_.FixedArray({})), u"<refused>");
}

TEST_P(V8ReaderTest, FindsPositionsAndTheLineFromTheSource) {
  const uint64_t source = heap_.OneByte("one\ntwo\r\nthree\rfour function");
  const uint64_t script = heap_.Script(1, 0, source);
  struct Case {
    int start, line, column;
  };
  for (const Case& c : {Case{0, 1, 1}, {3, 1, 4}, {4, 2, 1}, {9, 3, 1}, {15, 4, 1}, {20, 4, 6}}) {
    for (int locals : {0, 3, 80}) {
      ScopeFields scope{.locals = locals, .has_class_variable = true, .has_name = true};
      scope.inferred_name = heap_.OneByte("x");
      scope.start = c.start;
      scope.end = c.start + 5;
      const FunctionPositions positions = PositionsOf(scope, script);
      EXPECT_EQ(positions.start, c.start);
      EXPECT_EQ(positions.end, c.start + 5);
      EXPECT_EQ(positions.line, c.line) << c.start;
      EXPECT_EQ(positions.column, c.column) << c.start;
    }
  }
}

TEST_P(V8ReaderTest, FindsPositionsBehindAModulesExtraSlot) {
  const uint64_t script = heap_.Script(1, 0, heap_.OneByte("a\nb"));
  const FunctionPositions positions =
      PositionsOf({.locals = 2, .module_slots = 1, .start = 2, .end = 3}, script);
  EXPECT_EQ(positions.start, 2);
  EXPECT_EQ(positions.line, 2);
}

TEST_P(V8ReaderTest, KnowsTheLineEndsOfTwoByteSources) {
  const uint64_t source = heap_.TwoByte(u"a\u2028b\u2029c\nd");
  const FunctionPositions positions =
      PositionsOf({.start = 6, .end = 7}, heap_.Script(1, 0, source));
  EXPECT_EQ(positions.line, 4);
  EXPECT_EQ(positions.column, 1);
}

TEST_P(V8ReaderTest, PrefersV8sOwnTableOfLineEndsAndAddsTheScriptsOffset) {
  const uint64_t ends = heap_.FixedArray({V8Heap::Smi(10), V8Heap::Smi(20), V8Heap::Smi(30)});
  const uint64_t script = heap_.Script(1, 0, heap_.OneByte("no lines here"), ends, 100, 50);
  struct Case {
    int start, line, column;
  };
  for (const Case& c :
       {Case{0, 101, 51}, {10, 101, 61}, {11, 102, 1}, {20, 102, 10}, {25, 103, 5}}) {
    const FunctionPositions positions = PositionsOf({.start = c.start, .end = c.start + 1}, script);
    EXPECT_EQ(positions.line, c.line) << c.start;
    EXPECT_EQ(positions.column, c.column) << c.start;
  }
}

TEST_P(V8ReaderTest, GivesTheLengthsOfAFunctionsLines) {
  const auto lengths = [this](uint64_t source, int start, int end, uint32_t capacity = 64) {
    FunctionIdentity function;
    function.script = heap_.Script(1, 0, source);
    FunctionPositions positions;
    positions.start = start;
    positions.end = end;
    uint8_t bytes[64];
    const uint32_t size = reader_.ReadLineLengths(function, positions, 4096, bytes, capacity);
    return std::vector<int>(bytes, bytes + size);
  };
  using Lengths = std::vector<int>;
  const uint64_t mixed = heap_.OneByte("12\n456\r\n9\r1\r\r\nend");
  EXPECT_EQ(lengths(mixed, 0, 17), (Lengths{3, 5, 2, 2, 2, 3}));
  EXPECT_EQ(lengths(mixed, 1, 2), (Lengths{1}));
  EXPECT_EQ(lengths(mixed, 4, 8), (Lengths{4})) << "cut between \\r and \\n";
  EXPECT_EQ(lengths(mixed, 3, 3), Lengths{});
  EXPECT_EQ(lengths(mixed, 0, 17, 7), (Lengths{3, 5, 2})) << "no room for more";
  EXPECT_EQ(lengths(mixed, 5, 18), Lengths{}) << "beyond the source";
  EXPECT_EQ(lengths(mixed, 5, 4), Lengths{});
  EXPECT_EQ(lengths(heap_.TwoByte(u"a\u2028bc\u2029\n"), 0, 6), (Lengths{2, 3, 1}));
  EXPECT_EQ(lengths(heap_.OneByte(std::string(1000, 'x') + "\ny"), 0, 1002),
            (Lengths{1001 % 128 + 128, 1001 / 128, 1}));
  EXPECT_EQ(lengths(heap_.OneByte(std::string(9000, 'x')), 0, 9000), (Lengths{128, 4096 / 128}))
      << "of a long function the beginning";
  EXPECT_EQ(lengths(V8Heap::Smi(0), 0, 1), Lengths{});
}

TEST_P(V8ReaderTest, CountsTheLinesOfASlice) {
  const uint64_t whole = heap_.OneByte("\n\n12345\n7\n9ab");
  const uint64_t slice = heap_.Sliced(whole, 3, 10, true);  // 2345\n7\n9ab
  const FunctionPositions positions =
      PositionsOf({.start = 7, .end = 9}, heap_.Script(1, 0, slice));
  EXPECT_EQ(positions.line, 3);
  EXPECT_EQ(positions.column, 1);
  const uint64_t torn = heap_.Sliced(whole, 8, 10, true);
  EXPECT_EQ(PositionsOf({.start = 7, .end = 9}, heap_.Script(1, 0, torn)).line, 0);
}

// What a program has put before a text that it compiles (Vitest's wrapper) has no place.
TEST_P(V8ReaderTest, TakesNegativeOffsetsOfAScript) {
  const uint64_t source = heap_.OneByte("(function(){f();\n\ng();");
  const auto place = [&](int32_t start, int32_t line_offset, int32_t column_offset) {
    const FunctionPositions positions =
        PositionsOf({.start = start, .end = start + 1},
                    heap_.Script(1, 0, source, 0, line_offset, column_offset));
    return std::to_string(positions.line) + ":" + std::to_string(positions.column);
  };
  EXPECT_EQ(place(12, 0, -12), "1:1");
  EXPECT_EQ(place(3, 0, -12), "0:0");
  EXPECT_EQ(place(18, 0, -12), "3:1");
  EXPECT_EQ(place(18, -2, 0), "1:1");
  EXPECT_EQ(place(12, -2, 0), "0:0");
}

TEST_P(V8ReaderTest, LeavesTheLineOpenWhereTheSourceIsNotAtHand) {
  const FunctionPositions positions =
      PositionsOf({.start = 5, .end = 9}, heap_.Script(1, 0, V8Heap::Smi(0)));
  EXPECT_EQ(positions.start, 5);
  EXPECT_EQ(positions.line, 0);
  const FunctionPositions behind =
      PositionsOf({.start = 50, .end = 90}, heap_.Script(1, 0, heap_.OneByte("short")));
  EXPECT_EQ(behind.line, 0);
}

TEST_P(V8ReaderTest, ReadsTheShapeOfAScript) {
  uint32_t length = 9;
  int32_t line = 0, column = 0;
  EXPECT_TRUE(reader_.ReadScriptShape(heap_.Script(1, 0, heap_.OneByte("12345"), 0, 3, 4), &length,
                                      &line, &column));
  EXPECT_EQ(length, 5u);
  EXPECT_EQ(line, 3);
  EXPECT_EQ(column, 4);
  EXPECT_TRUE(reader_.ReadScriptShape(heap_.Script(1, 0, 0), &length, &line, &column));
  EXPECT_EQ(length, 0u);
  EXPECT_EQ(Read(heap_.New(131, 24)), u"") << "undefined: no name";
}

TEST_P(V8ReaderTest, FindsTheCodeOfEveryInstruction) {
  const uint64_t shared = heap_.Shared(heap_.OneByte("hot"), heap_.Script(5, 0, 0), 9);
  heap_.Code(heap_.v8.kind_baseline, 320, shared);
  const uint64_t start = heap_.Code(heap_.v8.kind_turbofan, 1000, shared);
  for (uint64_t pc = start; pc < start + 1000; pc++) {
    CodeObject code;
    ASSERT_TRUE(reader_.FindCode(pc, &code)) << pc - start;
    EXPECT_EQ(code.instruction_start, start);
    EXPECT_EQ(code.instruction_size, 1000u);
    EXPECT_EQ(code.kind, heap_.v8.kind_turbofan);
    FunctionIdentity function;
    ASSERT_TRUE(reader_.ReadOptimizedFunction(code, &function));
    EXPECT_EQ(function.script_id, 5);
    EXPECT_EQ(function.literal_id, 9);
  }
  CodeObject code;
  EXPECT_FALSE(reader_.FindCode(start + 1000, &code)) << "behind the last instruction";
  EXPECT_FALSE(reader_.FindCode(heap_.address(), &code));
  EXPECT_FALSE(reader_.FindCode(64, &code));
}

TEST_P(V8ReaderTest, NamesNoFunctionForBaselineCode) {
  const uint64_t shared = heap_.Shared(heap_.OneByte("warm"), heap_.Script(5, 0, 0), 9);
  const uint64_t start = heap_.Code(heap_.v8.kind_baseline, 100, shared);
  CodeObject code;
  FunctionIdentity function;
  ASSERT_TRUE(reader_.FindCode(start + 10, &code));
  EXPECT_EQ(code.kind, heap_.v8.kind_baseline);
  EXPECT_FALSE(reader_.ReadOptimizedFunction(code, &function));
}

class InlinedTest : public V8ReaderTest {
 protected:
  InlinedTest() {
    const uint64_t script = heap_.Script(5, 0, 0);
    for (int id = 0; id < 3; id++) {
      shared_.push_back(heap_.Shared(heap_.OneByte("f"), script, 10 + id));
    }
    inlining_.functions = {shared_[1], shared_[2] | 2};  // the second one weakly
    inlining_.calls = {{Position(50, 0), 0}, {Position(70, 1), 1}};
    inlining_.position_table = TableOf(heap_.v8.position_encoding, 10, Position(90, 2));
  }
  // literal id@place, innermost first; "?" where it breaks, "-" where nothing is known.
  std::string Walk(uint32_t pc_offset) {
    CodeObject code;
    const uint64_t start = heap_.Code(heap_.v8.kind_turbofan, 100, shared_[0], inlining_);
    if (!reader_.FindCode(start, &code)) return "no code";
    InlineWalk walk;
    if (!reader_.BeginInlineWalk(code, pc_offset, &walk)) return "-";
    std::string result;
    while (walk.at.inlining_id != 0) {
      FunctionIdentity function;
      const uint32_t place = walk.at.place;
      if (!reader_.StepInlineWalk(&walk, &function)) return result + "?";
      result += std::to_string(function.literal_id) + "@" + std::to_string(place) + " ";
    }
    return result + "@" + std::to_string(walk.at.place);
  }
  std::vector<uint64_t> shared_;
  test::Inlining inlining_;
};

INSTANTIATE_TEST_SUITE_P(Node, InlinedTest, testing::ValuesIn(kFamilies),
                         [](const auto& info) { return info.param.name; });

TEST_P(InlinedTest, GivesTheFunctionsInnermostFirstWithThePlacesOfTheCalls) {
  EXPECT_EQ(Walk(10), "12@90 11@70 @50");
  EXPECT_EQ(Walk(99), "12@90 11@70 @50");
  EXPECT_EQ(Walk(9), "-") << "before the first entry";
  inlining_.position_table = TableOf(heap_.v8.position_encoding, 0, Position(33, 0));
  EXPECT_EQ(Walk(50), "@33") << "in the function itself";
}

TEST_P(InlinedTest, RefusesWhatContradictsItself) {
  const test::Inlining good = inlining_;
  inlining_.calls[1].position = Position(70, 2);
  EXPECT_EQ(Walk(10), "?") << "its own caller";
  inlining_.calls[1].position = Position(70, 3);
  EXPECT_EQ(Walk(10), "?") << "calls are numbered outside in";
  inlining_ = good;
  inlining_.calls[1].function = 2;
  EXPECT_EQ(Walk(10), "?") << "no such function";
  inlining_.calls[1].function = -1;
  EXPECT_EQ(Walk(10), "?");
  inlining_ = good;
  inlining_.calls.pop_back();
  EXPECT_EQ(Walk(10), "?") << "no such call";
  inlining_ = good;
  inlining_.functions[1] = 3;
  EXPECT_EQ(Walk(10), "?") << "a weak reference that was cleared";
  inlining_.functions[1] = V8Heap::Smi(4);
  EXPECT_EQ(Walk(10), "?");
}

TEST_P(InlinedTest, KnowsNothingWhereAnArrayIsOfAnotherKind) {
  for (uint16_t V8Layout::*type :
       {&V8Layout::position_table_type, &V8Layout::inlining_positions_type,
        &V8Layout::deopt_data_type, &V8Layout::deopt_literals_type}) {
    const uint16_t right = heap_.v8.*type;
    CodeObject code;
    const uint64_t start = heap_.Code(heap_.v8.kind_turbofan, 100, shared_[0], inlining_);
    ASSERT_TRUE(reader_.FindCode(start, &code));
    InlineWalk walk;
    EXPECT_TRUE(reader_.BeginInlineWalk(code, 10, &walk));
    heap_.v8.*type = 99;
    EXPECT_FALSE(reader_.BeginInlineWalk(code, 10, &walk));
    heap_.v8.*type = right;
  }
}

TEST_P(V8ReaderTest, FindsThePlaceOfABytecode) {
  const uint64_t array = heap_.BytecodeArray(
      std::vector<uint8_t>(20), TableOf(heap_.v8.position_encoding, 4, Position(123, 0)));
  ASSERT_TRUE(reader_.IsBytecodeArray(array));
  uint32_t offset = 99;
  // V8 counts from the tagged pointer.
  EXPECT_FALSE(reader_.ReadBytecodeOffset(array, V8Heap::Smi(62), &offset));
  EXPECT_TRUE(reader_.ReadBytecodeOffset(array, V8Heap::Smi(63), &offset));
  EXPECT_EQ(offset, 0u);
  EXPECT_TRUE(reader_.ReadBytecodeOffset(array, V8Heap::Smi(63 + 19), &offset));
  EXPECT_EQ(offset, 19u);
  EXPECT_FALSE(reader_.ReadBytecodeOffset(array, V8Heap::Smi(63 + 20), &offset));
  EXPECT_FALSE(reader_.ReadBytecodeOffset(array, V8Heap::Smi(-1), &offset));
  EXPECT_FALSE(reader_.ReadBytecodeOffset(array, array, &offset)) << "no Smi";
  EXPECT_EQ(reader_.PlaceInBytecode(array, 3), 0u);
  EXPECT_EQ(reader_.PlaceInBytecode(array, 19), 123u);
  heap_.Set(array, heap_.v8.bytecode_positions, heap_.New(131, 24));
  EXPECT_EQ(reader_.PlaceInBytecode(array, 19), 0u) << "undefined: V8 has made no table";
}

TEST_P(V8ReaderTest, TellsWhereEvalWasCalled) {
  const uint64_t file = heap_.Script(1, heap_.OneByte("file.js"), 0);
  const uint64_t bytecodes = heap_.BytecodeArray(
      std::vector<uint8_t>(20), TableOf(heap_.v8.position_encoding, 4, Position(123, 0)));
  const uint64_t caller = heap_.Shared(heap_.OneByte("caller"), file, 7);
  heap_.Set(caller, heap_.v8.shared_data, bytecodes);
  const uint64_t evaluated = heap_.Script(2, 0, 0);
  FunctionIdentity function;
  uint32_t place;
  EXPECT_FALSE(reader_.ReadEvalOrigin(evaluated, &function, &place));
  heap_.Set(evaluated, heap_.v8.script_eval_from_shared, caller);
  heap_.Set(evaluated, heap_.v8.script_eval_from_position, V8Heap::Smi(55));
  ASSERT_TRUE(reader_.ReadEvalOrigin(evaluated, &function, &place));
  EXPECT_EQ(function.literal_id, 7);
  EXPECT_EQ(function.script_id, 1);
  EXPECT_EQ(place, 56u);
  heap_.Set(evaluated, heap_.v8.script_eval_from_position, V8Heap::Smi(-10));
  ASSERT_TRUE(reader_.ReadEvalOrigin(evaluated, &function, &place));
  EXPECT_EQ(place, 123u) << "of bytecode 10";
}

TEST_P(V8ReaderTest, NamesAScriptWithoutANameByItsComment) {
  char16_t buffer[32];
  Text text{buffer, 32};
  const uint64_t script = heap_.Script(2, 0, 0);
  ASSERT_TRUE(reader_.ReadScriptName(script, &text));
  EXPECT_EQ(text.length, 0u);
  heap_.Set(script, heap_.v8.script_source_url, heap_.OneByte("commented.js"));
  ASSERT_TRUE(reader_.ReadScriptName(script, &text));
  EXPECT_EQ(std::string(reinterpret_cast<char*>(buffer), text.length), "commented.js");
  heap_.Set(script, heap_.v8.script_name, heap_.OneByte("file.js"));
  ASSERT_TRUE(reader_.ReadScriptName(script, &text));
  EXPECT_EQ(std::string(reinterpret_cast<char*>(buffer), text.length), "file.js");
}

// Words of every kind in every place: whatever is read, nothing crashes and no text outgrows its
// buffer.
TEST_P(V8ReaderTest, SurvivesAHeapOfRandomWords) {
  std::mt19937_64 random(test::TestSeed());
  const uint64_t script = heap_.Script(1, heap_.OneByte("u"), heap_.OneByte("a\nb"));
  const uint64_t scope =
      heap_.ScopeInfo({.locals = 3, .has_name = true, .name = heap_.OneByte("n")});
  std::vector<uint64_t> objects = {script,
                                   scope,
                                   heap_.OneByte("text"),
                                   heap_.TwoByte(u"wide"),
                                   heap_.FixedArray({1, 2, 3}),
                                   heap_.Shared(scope, script, 1)};
  objects.push_back(heap_.Function(objects.back()));
  objects.push_back(heap_.Cons(objects[2], objects[3], 8, false));
  objects.push_back(heap_.Sliced(objects[2], 1, 2, true));
  objects.push_back(heap_.Thin(objects[2], 4, true));
  const uint64_t code_start = heap_.Code(heap_.v8.kind_turbofan, 256, objects[5],
                                         {{objects[5]},
                                          {{Position(5, 0), 0}, {Position(6, 1), 0}},
                                          TableOf(heap_.v8.position_encoding, 0, Position(7, 2))});
  objects.push_back(heap_.BytecodeArray(std::vector<uint8_t>(20),
                                        TableOf(heap_.v8.position_encoding, 4, Position(123, 0))));
  const size_t words = heap_.used() / 8;
  const std::vector<uint64_t> good(heap_.words(), heap_.words() + words);
  const auto any_word = [&]() -> uint64_t {
    switch (random() % 8) {
      case 0:
        return random();
      case 1:
        return V8Heap::Smi(static_cast<int32_t>(random() >> (random() % 40)));
      case 2:
        return heap_.address() + random() % (words * 8 + 4096) + 1;
      case 3:
        return heap_.address() + V8Heap::kBytes - random() % 64;  // straddles its end
      case 4:
        return good[random() % words];
      case 5:
        return uint64_t{1} << (random() % 64);
      case 6:
        return random() % 64;
      default:
        return objects[random() % objects.size()];
    }
  };
  uint64_t read = 0;
  for (int turn = 0; turn < (test::kSanitized ? 20'000 : 100'000); turn++) {
    std::copy(good.begin(), good.end(), heap_.words());
    for (size_t i = 0, n = random() % 30; i < n; i++) heap_.words()[random() % words] = any_word();
    KnownMaps maps;
    const V8Reader reader(heap_.v8, &maps);
    constexpr char16_t kCanary = 0x5a5a;
    char16_t buffer[20];
    std::fill(std::begin(buffer), std::end(buffer), kCanary);
    Text text{buffer, 16};
    FunctionIdentity function;
    FunctionPositions positions;
    const uint64_t word = random() % 2 ? objects[random() % objects.size()] : any_word();
    if (reader.ReadFunction(word, &function) || reader.ReadShared(word, &function)) {
      read += reader.ReadName(function, &text);
      reader.ReadPositions(function, &positions);
      uint8_t lines[24] = {};
      ASSERT_LE(reader.ReadLineLengths(function, positions, 4096, lines, 16), 16u);
      ASSERT_EQ(lines[16], 0);
    }
    function.shared = function.script = word;
    uint32_t length;
    int32_t line, column;
    read += reader.ReadName(function, &text);
    reader.ReadPositions(function, &positions);
    read += reader.ReadScriptName(word, &text);
    reader.ReadScriptShape(word, &length, &line, &column);
    reader.IsBytecodeArray(word);
    CodeObject code;
    if (reader.FindCode(random() % 4 ? code_start + random() % 300 : any_word(), &code)) {
      read += reader.ReadOptimizedFunction(code, &function);
      read += reader.PlaceInBaseline(code, word, static_cast<uint32_t>(random() % 300));
      InlineWalk walk;
      if (reader.BeginInlineWalk(code, static_cast<uint32_t>(random() % 300), &walk)) {
        int steps = 0;
        while (reader.StepInlineWalk(&walk, &function)) ASSERT_LT(steps++, 1 << 16);
      }
    }
    uint32_t offset;
    if (reader.ReadBytecodeOffset(word, any_word(), &offset)) {
      read += reader.PlaceInBytecode(word, offset) != 0;
    }
    ASSERT_LE(text.length, text.capacity);
    for (size_t i = 16; i < 20; i++) ASSERT_EQ(buffer[i], kCanary);
  }
  EXPECT_GT(read, 100u) << "it must not refuse everything either";
}

}  // namespace
}  // namespace spprof
