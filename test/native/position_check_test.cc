// The self-test of source positions, on a stack and a heap of our own.
#include "v8/position_check.h"

#include <gtest/gtest.h>

#include "platform/fault_handler.h"
#include "v8_heap_support.h"

namespace spprof {
namespace {

using test::Position;
using test::TableOf;
using test::V8Heap;

constexpr auto kSigned = PositionEncoding::kSigned;
constexpr auto kFlagged = PositionEncoding::kFlagged;
constexpr char kSource[] = "function f() { before(); binding.start(options); }";
constexpr uint32_t kCallOffset = 33;
constexpr int kCallBytecode = 8;

class PositionCheck : public testing::Test {
 protected:
  PositionCheck() : heap_(test::LayoutOfNode22()) {
    if (!InstallFaultHandler().ok()) std::abort();
    const uint64_t script = heap_.Script(1, 0, heap_.OneByte(kSource));
    const uint64_t scope = heap_.ScopeInfo({.start = 10, .end = 50});
    function_ = heap_.Function(heap_.Shared(scope, script, 1));
  }
  ~PositionCheck() override { UninstallFaultHandler(); }

  // With a frame below whose position table has the call at `place`, in `encoding`.
  __attribute__((noinline)) void Check(PositionEncoding encoding, uint32_t place,
                                       uint64_t offset_slot = V8Heap::Smi(63 + kCallBytecode)) {
    const uint64_t array = heap_.BytecodeArray(
        std::vector<uint8_t>(20), TableOf(encoding, kCallBytecode, Position(place, 0)));
    uint64_t frame[] = {offset_slot, array, 1, function_};
    asm volatile("" : : "r"(frame) : "memory");  // it is read, though by nobody the compiler knows
    warnings_.clear();
    if (is_unknown_version_) {
      heap_.v8.position_encoding = PositionEncoding::kUnknown;
      heap_.v8.bytecode_positions = 0;
    }
    CheckPositions(&heap_.v8, &warnings_);
    asm volatile("" : : "r"(frame) : "memory");
  }
  V8Heap heap_;
  uint64_t function_;
  bool is_unknown_version_ = false;
  std::vector<std::string> warnings_;
};

TEST_F(PositionCheck, KeepsWhatFindsTheCall) {
  ASSERT_EQ(std::string(kSource).substr(kCallOffset, 6), "start(");
  Check(kSigned, 1 + kCallOffset);
  EXPECT_EQ(heap_.v8.position_encoding, kSigned);
  EXPECT_EQ(heap_.v8.bytecode_positions, 24);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PositionCheck, FindsTheEncodingThatIsNotTheTables) {
  Check(kFlagged, 1 + kCallOffset);
  EXPECT_EQ(heap_.v8.position_encoding, kFlagged);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PositionCheck, FindsTheTableOfAnUnknownVersion) {
  is_unknown_version_ = true;
  Check(kSigned, 1 + kCallOffset);
  EXPECT_EQ(heap_.v8.position_encoding, kSigned);
  EXPECT_EQ(heap_.v8.bytecode_positions, 24);
}

TEST_F(PositionCheck, HasNoLinesRatherThanWrongOnes) {
  for (const uint32_t place : {kCallOffset, 2 + kCallOffset, 16u, 4u, 60u}) {
    heap_.v8.position_encoding = kSigned;
    Check(kSigned, place);
    EXPECT_EQ(heap_.v8.position_encoding, PositionEncoding::kUnknown) << place;
    EXPECT_EQ(warnings_.size(), 1u);
  }
}

TEST_F(PositionCheck, TrustsATestedVersionWhoseCallerIsNotInterpreted) {
  Check(kFlagged, 1 + kCallOffset, function_);  // a feedback vector where the offset would be
  EXPECT_EQ(heap_.v8.position_encoding, kSigned);
  EXPECT_TRUE(warnings_.empty());
  is_unknown_version_ = true;
  Check(kFlagged, 1 + kCallOffset, function_);
  EXPECT_EQ(heap_.v8.position_encoding, PositionEncoding::kUnknown);
  EXPECT_EQ(warnings_.size(), 1u);
}

}  // namespace
}  // namespace spprof
