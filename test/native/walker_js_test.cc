// JavaScript frames on a stack and a heap of our own: interpreter, Sparkplug, optimized code with
// inlined functions; what is remembered of them, and for how long.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "core_support.h"
#include "handler_support.h"
#include "sampling/wasm_indexer.h"
#include "signal_safe/machine/guarded_load.h"
#include "v8_heap_support.h"
#include "wasm_support.h"

namespace spprof {
namespace {

using test::Position;
using test::TableOf;
using test::V8Heap;
using test::WasmInstance;

constexpr uint64_t kBuiltin = 0x10010;  // a program counter in what the module table calls builtins

class JsWalk : public testing::Test {
 protected:
  JsWalk() : heap_(test::LayoutOfNode22()) {
    builtins_ = {0x10000, 0x20000, CodeKind::kBuiltinsCopy};
    table_ = {&builtins_, 1};
    script_ = heap_.Script(5, 0, 0);
    wasm_script_ = heap_.Script(6, 0, 0);
    context_ = heap_.FixedArray({});
    for (int i = 0; i < 4; i++) {
      shared_.push_back(heap_.Shared(heap_.OneByte("f"), script_, i));
      functions_.push_back(heap_.Function(shared_.back()));
    }
    // f1 calls f0 at 50, and f0 was at 90.
    inlining_.functions = {shared_[0]};
    inlining_.calls = {{Position(50, 0), 0}};
    inlining_.position_table = TableOf(heap_.v8.position_encoding, 5, Position(90, 1));
    bytecodes_ = heap_.BytecodeArray(std::vector<uint8_t>(20), TwoEntries());
    State()->walk.gc_epoch = State()->walk.code_epoch = 1;
  }

  // From bytecode 2 on place 30, from 12 on place 40.
  static std::vector<uint8_t> TwoEntries() {
    std::vector<uint8_t> table = TableOf(PositionEncoding::kSigned, 2, Position(30, 0));
    table.push_back(10 << 1);
    table.push_back((Position(40, 0) - Position(30, 0)) << 1);
    return table;
  }
  static uint64_t OffsetSlot(int32_t bytecode) { return V8Heap::Smi(63 + bytecode); }

  ThreadState* State() { return harness_.State(slot_); }
  uint64_t At(size_t word) const { return reinterpret_cast<uint64_t>(&stack_[word]); }

  // A frame at stack word `at`, called from `caller_pc` in the one at `caller`.
  void PutFrame(size_t at, uint64_t function, size_t caller, uint64_t caller_pc) {
    stack_[at - 1] = context_;
    stack_[at - 2] = function;
    stack_[at - 3] = 1;
    stack_[at] = caller != 0 ? At(caller) : 0;
    stack_[at + 1] = caller_pc;
  }
  void PutWasm(size_t at, const WasmInstance& wasm, size_t caller, uint64_t caller_pc) {
    PutFrame(at, wasm.instance, caller, caller_pc);
    stack_[at - 1] = uint64_t{heap_.v8.frame_wasm} << 1;
  }
  void PutInterpreted(size_t at, uint64_t function, int32_t bytecode, size_t caller = 0) {
    PutFrame(at, function, caller, caller != 0 ? kBuiltin : 0);
    stack_[at - 4] = bytecodes_;
    stack_[at - 5] = OffsetSlot(bytecode);
  }
  Registers RegistersAt(uint64_t pc, size_t fp) {
    Registers registers{};
    registers.pc = pc;
    registers.sp = At(fp - 8);
    registers.fp = At(fp);
    registers.has_scratch = true;
    return registers;
  }

  // "literal@place", with the tier's initial and "!" for inlined; "b" a builtin, "?" unknown.
  std::string Walk(const Registers& registers, WalkOptions options = {}) {
    KnownMaps maps;
    const V8Reader reader(heap_.v8, &maps);
    Definitions definitions(harness_.Slot(slot_), harness_.region()->base(), &State()->walk,
                            reader);
    Walker walker(table_, heap_.v8, reader, &State()->walk, &definitions, options);
    const WalkResult result = walker.Walk(registers);
    std::string text;
    for (uint32_t i = 0; i < result.frame_count; i++) {
      const Frame frame = State()->walk.frames[i];
      if (i != 0) text += " ";
      switch (FrameTypeOf(frame)) {
        case FrameType::kBuiltin:
          text += "b";
          break;
        case FrameType::kJs:
          text += LiteralOf(FrameFunctionOf(frame)) + "@" + std::to_string(FramePositionOf(frame));
          text += "?ibmto"[static_cast<size_t>(FrameTierOf(frame))];
          if (IsInlinedFrame(frame)) text += "!";
          break;
        case FrameType::kWasm:
          text += "w";
          break;
        default:
          text += "?";
      }
    }
    return text;
  }
  void Capture(const Registers& registers) {
    KnownMaps maps;
    const V8Reader reader(heap_.v8, &maps);
    Definitions definitions(harness_.Slot(slot_), harness_.region()->base(), &State()->walk,
                            reader);
    const WalkOptions options;
    Walker(table_, heap_.v8, reader, &State()->walk, &definitions, options).CaptureForGc(registers);
  }
  std::string LiteralOf(uint32_t function_id) {
    for (const FunctionEntry& entry : State()->walk.functions) {
      if (entry.key != 0 && entry.id == function_id) {
        return std::string("f").append(std::to_string(static_cast<uint32_t>(entry.key)));
      }
    }
    return "lost";
  }

  test::HandlerHarness harness_;
  uint32_t slot_ = harness_.AddThread();
  V8Heap heap_;
  ModuleRange builtins_;
  ModuleTable table_;
  uint64_t script_, wasm_script_, context_, bytecodes_;
  std::vector<uint64_t> shared_, functions_;
  test::Inlining inlining_;
  std::vector<uint64_t> stack_ = std::vector<uint64_t>(256);
};

TEST_F(JsWalk, GivesInlinedFunctionsAndTheirCallerFromOneFrame) {
  const uint64_t code = heap_.Code(heap_.v8.kind_turbofan, 100, shared_[1], inlining_);
  PutFrame(40, functions_[1], 80, kBuiltin);
  PutInterpreted(80, functions_[2], 12);
  EXPECT_EQ(Walk(RegistersAt(code + 20, 40)), "f0@90t! f1@50t f2@40i");
  EXPECT_EQ(Walk(RegistersAt(code + 20, 40)), "f0@90t! f1@50t f2@40i") << "remembered";
}

TEST_F(JsWalk, LooksUpTheCallOfACallerAndNotWhatFollows) {
  inlining_.position_table = TableOf(heap_.v8.position_encoding, 5, Position(90, 1));
  inlining_.position_table.push_back(15 << 1);  // from 20 on
  inlining_.position_table.push_back(10 << 1);  // place 95
  const uint64_t code = heap_.Code(heap_.v8.kind_maglev, 100, shared_[1], inlining_);
  PutInterpreted(40, functions_[3], 2, 80);
  PutFrame(80, functions_[1], 0, 0);
  stack_[41] = code + 20;  // returns behind a call that ends at 20
  EXPECT_EQ(Walk(RegistersAt(kBuiltin, 40)), "b f3@30i f0@90m! f1@50m");
  stack_[41] = code + 21;
  EXPECT_EQ(Walk(RegistersAt(kBuiltin, 40)), "b f3@30i f0@95m! f1@50m");
}

TEST_F(JsWalk, ShowsTheFunctionAloneWhereTheChainBreaks) {
  inlining_.calls[0].function = 7;
  const uint64_t code = heap_.Code(heap_.v8.kind_turbofan, 100, shared_[1], inlining_);
  PutFrame(40, functions_[1], 0, 0);
  EXPECT_EQ(Walk(RegistersAt(code + 20, 40)), "f1@0t");
  heap_.v8.position_encoding = PositionEncoding::kUnknown;
  EXPECT_EQ(Walk(RegistersAt(code + 30, 40)), "f1@0t");
}

TEST_F(JsWalk, RemembersCodeUntilACollectionThatMayMoveItBegins) {
  const uint64_t code = heap_.Code(heap_.v8.kind_turbofan, 100, shared_[1], inlining_);
  PutFrame(40, functions_[1], 0, 0);
  const Registers here = RegistersAt(code + 20, 40);
  EXPECT_EQ(Walk(here), "f0@90t! f1@50t");
  const PositionEncoding known = heap_.v8.position_encoding;
  heap_.v8.position_encoding = PositionEncoding::kUnknown;
  EXPECT_EQ(Walk(here), "f0@90t! f1@50t");
  State()->walk.gc_epoch++;
  EXPECT_EQ(Walk(here), "f0@90t! f1@50t") << "a young generation's collection moves no code";
  State()->walk.code_epoch++;
  EXPECT_EQ(Walk(here), "f1@0t") << "looked at again";
  // A thread whose collections are not announced remembers nothing.
  State()->walk.gc_epoch = State()->walk.code_epoch = 0;
  EXPECT_EQ(Walk(here), "f1@0t");
  heap_.v8.position_encoding = known;
  EXPECT_EQ(Walk(here), "f0@90t! f1@50t");
}

TEST_F(JsWalk, RemembersMorePlacesThanThereIsRoomFor) {
  std::vector<uint64_t> codes;
  for (int i = 0; i < 60; i++) {
    codes.push_back(heap_.Code(heap_.v8.kind_turbofan, 100, shared_[1], inlining_));
  }
  PutFrame(40, functions_[1], 0, 0);
  for (int turn = 0; turn < 2; turn++) {
    for (const uint64_t code : codes) {
      for (uint64_t at = 10; at < 100; at++) {
        ASSERT_EQ(Walk(RegistersAt(code + at, 40)), "f0@90t! f1@50t");
      }
    }
    ASSERT_LE(State()->walk.code_frames_used, kCodeFramesSize);
  }
}

TEST_F(JsWalk, KeepsInlinedFunctionsForTheSamplesOfACollection) {
  const uint64_t code = heap_.Code(heap_.v8.kind_turbofan, 100, shared_[1], inlining_);
  PutInterpreted(40, functions_[3], 2, 80);
  PutFrame(80, functions_[1], 120, kBuiltin);
  stack_[41] = code + 20;
  PutInterpreted(120, functions_[2], 12);
  const Registers here = RegistersAt(kBuiltin, 40);
  const std::string whole = Walk(here);
  EXPECT_EQ(whole, "b f3@30i f0@90t! f1@50t f2@40i");
  Capture(here);
  std::fill(heap_.words(), heap_.words() + heap_.used() / 8, 0x12345678);  // all has moved
  stack_[38] = stack_[78] = stack_[118] = 0;
  WalkOptions moving;
  moving.heap_is_moving = moving.has_gc_frames = true;
  EXPECT_EQ(Walk(here, moving), "f3@30i f0@90t! f1@50t f2@40i");
}

TEST_F(JsWalk, AsksTheInterpretersRegistersBeforeTheFrame) {
  PutInterpreted(40, functions_[3], 2);
  Registers here = RegistersAt(kBuiltin, 40);
  EXPECT_EQ(Walk(here), "b f3@30i") << "registers of something else";
  here.r12 = bytecodes_;
  here.r9 = 63 + 12;
  EXPECT_EQ(Walk(here), "b f3@40i");
  here.r9 = 63 + 20;
  EXPECT_EQ(Walk(here), "b f3@30i") << "beyond the bytecodes";
  here.r9 = uint64_t{1} << 40;
  EXPECT_EQ(Walk(here), "b f3@30i");
  here.r9 = 63 + 12;
  here.has_scratch = false;
  EXPECT_EQ(Walk(here), "b f3@30i");
}

TEST_F(JsWalk, AsksThemForTheFrameAboveAHandlersOwnAndNoFurther) {
  PutFrame(40, 0, 80, kBuiltin);
  stack_[39] = 17 << 1;  // a stub's marker
  PutInterpreted(80, functions_[3], 2, 120);
  PutInterpreted(120, functions_[2], 2);
  Registers here = RegistersAt(kBuiltin, 40);
  here.r12 = bytecodes_;
  here.r9 = 63 + 12;
  EXPECT_EQ(Walk(here), "b f3@40i f2@30i");
}

TEST_F(JsWalk, FindsThePlaceInSparkplugsCodeWhenBytecodesAndTableFit) {
  constexpr uint8_t kSizes[] = {1, 1, 1, 1, 2, 1, 1, 1, 1, 3, 1, 1, 1, 1, 5};
  heap_.v8.bytecode_sizes = {kSizes, 5};
  bytecodes_ = heap_.BytecodeArray({4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0}, TwoEntries());
  test::Inlining baseline;
  baseline.position_table = {20, 5, 5, 5, 5, 5, 5, 5};  // of machine code, a bytecode each
  const uint64_t code = heap_.Code(heap_.v8.kind_baseline, 60, shared_[3], baseline);
  uint64_t object;
  ASSERT_TRUE(GuardedLoad64(code - heap_.v8.stream_header + 8, &object));
  heap_.Set(object, heap_.v8.code_deoptimization_data, bytecodes_);
  PutInterpreted(40, functions_[3], 0);
  stack_[35] = context_;  // the feedback vector
  EXPECT_EQ(Walk(RegistersAt(code + 25, 40)), "f3@30b");
  EXPECT_EQ(Walk(RegistersAt(code + 51, 40)), "f3@40b");
  EXPECT_EQ(Walk(RegistersAt(code + 10, 40)), "f3@" + std::to_string(kPositionAtEntry) + "b")
      << "the prologue has the line of the function itself";
  heap_.v8.bytecode_sizes.opcode_count = 4;
  State()->walk.code_epoch++;
  EXPECT_EQ(Walk(RegistersAt(code + 25, 40)), "f3@0b") << "another V8's bytecodes";
}

TEST_F(JsWalk, TellsWebAssemblysFunctionsByTheJumpTable) {
  const WasmInstance wasm = heap_.Wasm(test::WasmModule(1, {"first", "second"}), wasm_script_, 14);
  PutWasm(40, wasm, 80, wasm.code[1] + 20);
  PutWasm(80, wasm, 0, 0);
  EXPECT_EQ(Walk(RegistersAt(wasm.code[0] + 12, 40)), "f1@0? f2@0?") << "one is imported";
  EXPECT_EQ(Walk(RegistersAt(wasm.code[13] + 12, 40)), "f14@0? f2@0?") << "of the second line";
}

// What takes long is asked for, and known to later samples.
TEST_F(JsWalk, TellsTheFunctionsOfALongModuleWhenTheDrainHasLookedIntoIt) {
  constexpr uint32_t kFunctions = 700;
  std::vector<std::string> names;
  for (uint32_t i = 0; i < kFunctions; i++) names.push_back("ns::method_" + std::to_string(i));
  const WasmInstance wasm = heap_.Wasm(test::WasmModule(1, names), wasm_script_, kFunctions);
  PutWasm(40, wasm, 0, 0);
  WasmIndexer indexer;
  const std::string module_alone = "f4294967295@0?";
  const uint64_t pc = wasm.code[600] + 12;
  for (const char* round : {"the jump table is asked for", "and then the module"}) {
    EXPECT_EQ(Walk(RegistersAt(pc, 40)), module_alone) << round;
    EXPECT_EQ(Walk(RegistersAt(pc, 40)), module_alone) << round;
    indexer.Visit(1);
  }
  EXPECT_EQ(Walk(RegistersAt(pc, 40)), "f601@0?");
  EXPECT_EQ(Walk(RegistersAt(wasm.code[3] + 12, 40)), "f4@0?");
}

TEST_F(JsWalk, SaysWhereOnlyTheModuleIsKnown) {
  const WasmInstance wasm = heap_.Wasm(test::WasmModule(0, {}), wasm_script_, 2);
  PutWasm(40, wasm, 0, 0);
  heap_.Set(wasm.table + 1, 0, uint64_t{0x90});  // the function has got other code since
  EXPECT_EQ(Walk(RegistersAt(wasm.code[0] + 12, 40)), "f4294967295@0?");
}

TEST_F(JsWalk, TakesCodeWithoutAFrameForItsOwnAndNotForWhatLiesBefore) {
  const WasmInstance wasm = heap_.Wasm(test::WasmModule(0, {}), wasm_script_, 3);
  heap_.Set(wasm.code[1] + 1, 0, uint64_t{0x90909090});
  heap_.Set(wasm.code[2] + 1, 0, uint64_t{0x0a6a'e5894855});  // a wrapper's, no slot jumps to it
  heap_.Set(wasm.table + 1, 10, uint64_t{0x90});
  PutWasm(40, wasm, 0, 0);
  EXPECT_EQ(Walk(RegistersAt(wasm.code[1] + 12, 40)), "f1@0?");
  EXPECT_EQ(Walk(RegistersAt(wasm.code[2] + 12, 40)), "w");
}

// Stacks, registers and heaps of words that may be anything: a walk ends, within its bounds.
TEST_F(JsWalk, SurvivesAnyStackOnAnyHeap) {
  std::mt19937_64 random(test::TestSeed());
  const uint64_t codes[] = {heap_.Code(heap_.v8.kind_turbofan, 300, shared_[1], inlining_),
                            heap_.Code(heap_.v8.kind_baseline, 300, shared_[2], inlining_)};
  const WasmInstance wasm = heap_.Wasm(test::WasmModule(1, {"first", "second"}), wasm_script_, 14);
  const size_t words = heap_.used() / 8;
  const std::vector<uint64_t> good(heap_.words(), heap_.words() + words);
  const auto any_word = [&]() -> uint64_t {
    switch (random() % 11) {
      case 10:
        return wasm.code[random() % 14] + random() % 64;
      case 0:
        return random();
      case 1:
        return OffsetSlot(static_cast<int32_t>(random() % 24));
      case 2:
        return functions_[random() % 4];
      case 3:
        return codes[random() % 2] + random() % 310;
      case 4:
        return At(random() % 256);
      case 5:
        return bytecodes_;
      case 6:
        return kBuiltin + random() % 64;
      case 7:
        return heap_.address() + random() % (words * 8) + 1;
      case 8:
        return random() % 64;
      default:
        return context_;
    }
  };
  WalkOptions options;
  options.max_frames = 40;
  uint64_t js = 0;
  for (int turn = 0; turn < (test::kSanitized ? 10'000 : 50'000); turn++) {
    std::copy(good.begin(), good.end(), heap_.words());
    for (size_t i = 0, n = random() % 12; i < n; i++) heap_.words()[random() % words] = any_word();
    for (uint64_t& word : stack_) word = any_word();
    for (size_t at = 20; at < 240; at += 20) {
      if (random() % 3 != 0) PutInterpreted(at, functions_[random() % 4], 12, at + 20);
      if (random() % 2 != 0) stack_[at + 1] = codes[random() % 2] + random() % 300;
    }
    Registers here = RegistersAt(random() % 2 ? codes[random() % 2] + random() % 300 : any_word(),
                                 20 * (1 + random() % 11));
    here.r12 = any_word();
    here.r9 = random() % 90;
    here.rdi = any_word();
    if (random() % 8 == 0) here.fp = any_word();
    State()->walk.gc_epoch = State()->walk.code_epoch = random() % 4 == 0 ? 0 : turn + 1;
    for (size_t at = 40; at < 240 && turn % 4 == 0; at += 60) {
      PutWasm(at, wasm, at + 20, wasm.code[random() % 14] + random() % 64);
      if (random() % 4 == 0) stack_[at - 2] = any_word();
    }
    const std::string walk = Walk(here, options);
    ASSERT_LE(std::count(walk.begin(), walk.end(), ' '), 40);
    js += walk.find('@') != std::string::npos;
    if (turn % 64 == 0) harness_.TakeStacks(slot_);
  }
  EXPECT_GT(js, 1000u);
}

}  // namespace
}  // namespace spprof
