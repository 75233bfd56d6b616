// Where the return address of generated code is, told by the instructions ahead: by hand, and over
// random bytes.
#include "signal_safe/machine/leaf_frame.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <initializer_list>
#include <random>

#include "platform/fault_handler.h"
#include "signal_safe/machine/x86_64/x86_instruction.h"

namespace spprof {
namespace {

constexpr uint32_t kMaxInstructions = 400;
constexpr size_t kPage = 4096;

class LeafFrames : public testing::Test {
 protected:
  void SetUp() override {
#if !defined(__x86_64__)
    GTEST_SKIP() << "reads x86-64's instructions";
#endif
    ASSERT_TRUE(InstallFaultHandler().ok());
    // What follows the page cannot be read, and what precedes it is no code.
    void* mapped =
        mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    ASSERT_EQ(mprotect(static_cast<uint8_t*>(mapped) + kPage, kPage, PROT_NONE), 0);
    page_ = static_cast<uint8_t*>(mapped);
  }
  void TearDown() override {
    if (page_ == nullptr) return;
    munmap(page_, 2 * kPage);
    UninstallFaultHandler();
  }

  // Of `code`, at its byte `from`, as a search of `max_instructions` finds it.
  LeafFrame Find(std::initializer_list<uint8_t> code, size_t from = 0,
                 uint32_t max_instructions = kMaxInstructions) {
    constexpr size_t kBegin = 128;
    std::memset(page_, 0xcc, kPage);
    std::memcpy(page_ + kBegin, std::data(code), code.size());
    return FindLeafFrame(reinterpret_cast<uint64_t>(page_ + kBegin + from), max_instructions);
  }

  static LeafFrame None(int16_t offset) { return {LeafFrameKind::kNone, offset}; }
  static LeafFrame Own() { return {LeafFrameKind::kOwn, 0}; }

  uint8_t* page_ = nullptr;
};

TEST_F(LeafFrames, AFunctionHasNoneBeforeItsPrologueHalfOfOneWithinAndItsOwnBehind) {
  // test; push rbp; mov rbp, rsp; push 2; mov rsp, rbp; pop rbp; ret
  const std::initializer_list<uint8_t> bytes = {0x85, 0xc0, 0x55, 0x48, 0x89, 0xe5, 0x6a,
                                                0x02, 0x48, 0x8b, 0xe5, 0x5d, 0xc3};
  EXPECT_EQ(Find(bytes, 0), None(0));
  EXPECT_EQ(Find(bytes, 2), None(0));
  EXPECT_EQ(Find(bytes, 3), (LeafFrame{LeafFrameKind::kHalfBuilt, 0}));
  EXPECT_EQ(Find(bytes, 6), Own());
  EXPECT_EQ(Find(bytes, 11), Own());
  EXPECT_EQ(Find(bytes, 12), None(0));
}

TEST_F(LeafFrames, WhatIsPushedAndPoppedIsCounted) {
  // push rax; sub rsp, 16; add rsp, 16; pop rax; ret
  EXPECT_EQ(Find({0x50, 0x48, 0x83, 0xec, 0x10, 0x48, 0x83, 0xc4, 0x10, 0x58, 0xc3}), None(0));
  EXPECT_EQ(Find({0x48, 0x83, 0xc4, 0x10, 0x58, 0xc3}), None(24));
}

TEST_F(LeafFrames, AReturnAddressMayBeInARegister) {
  // pop rcx; lea rsp, [rsp + rbx * 8]; push rcx; ret
  const std::initializer_list<uint8_t> code = {0x59, 0x48, 0x8d, 0x24, 0xdc, 0x51, 0xc3};
  EXPECT_EQ(Find(code, 0), None(0));
  EXPECT_EQ(Find(code, 1), (LeafFrame{LeafFrameKind::kInRegister, 1}));
  EXPECT_EQ(Find(code, 6), None(0));
}

TEST_F(LeafFrames, ACallOfOtherCodeForGoodLeavesTheReturnAddressOnTop) {
  EXPECT_EQ(Find({0xff, 0xe1}), None(0));                    // jmp rcx
  EXPECT_EQ(Find({0x41, 0xff, 0xa5, 0, 1, 0, 0}), None(0));  // jmp [r13 + 256]
  EXPECT_EQ(Find({0x48, 0x83, 0xec, 0x08, 0xff, 0x74, 0x24, 0x08, 0xff, 0xe1}), None(0));
  // A switch stays within the function.
  EXPECT_EQ(Find({0x41, 0xff, 0xe2}).kind, LeafFrameKind::kUnknown);  // jmp r10
}

TEST_F(LeafFrames, ACallThatDoesNotComeBackIsMadeFromAFrame) {
  EXPECT_EQ(Find({0xe8, 0, 0, 0, 0, 0xcc}), Own());
}

TEST_F(LeafFrames, BothWaysOfABranchAreFollowedAndALoopOnce) {
  EXPECT_EQ(Find({0x75, 0x01, 0xcc, 0xcc, 0xc3}).kind, LeafFrameKind::kUnknown);
  EXPECT_EQ(Find({0x75, 0x01, 0xcc, 0xc9, 0xc3}), Own());
  EXPECT_EQ(Find({0x90, 0xeb, 0xfe}).kind, LeafFrameKind::kUnknown);  // jmp to itself
  EXPECT_EQ(Find({0x90, 0x90, 0x90, 0xc3}, 0, 3).kind, LeafFrameKind::kUnknown);
}

TEST_F(LeafFrames, OfAnyBytesTheSearchEnds) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int turn = 0; turn < 2000; turn++) {
    for (size_t i = 0; i < kPage; i++) page_[i] = static_cast<uint8_t>(random());
    for (int i = 0; i < 20; i++) {
      const LeafFrame leaf =
          FindLeafFrame(reinterpret_cast<uint64_t>(page_) + random() % (2 * kPage), 2000);
      EXPECT_LE(leaf.kind, LeafFrameKind::kHalfBuilt);
      EXPECT_GE(leaf.offset, 0);
    }
  }
}

TEST(X86Instruction, LengthsOfWhatV8Writes) {
  const struct {
    std::initializer_list<uint8_t> bytes;
  } kInstructions[] = {
      {{0x90}},
      {{0x48, 0x8b, 0x44, 0x24, 0x08}},                    // mov rax, [rsp + 8]
      {{0x49, 0xba, 1, 2, 3, 4, 5, 6, 7, 8}},              // mov r10, imm64
      {{0x66, 0x41, 0xc7, 0x44, 0x24, 0x33, 0x00, 0x00}},  // mov word [r12 + 51], 0
      {{0xf6, 0x47, 0x2f, 0x60}},                          // test byte [rdi + 47], 96
      {{0xf7, 0xd8}},                                      // neg eax
      {{0xc5, 0xfb, 0x10, 0x40, 0x07}},                    // vmovsd xmm0, [rax + 7]
      {{0xc4, 0xe3, 0x79, 0x16, 0xc0, 0x01}},              // vpextrd eax, xmm0, 1
      {{0x0f, 0x85, 0, 1, 0, 0}},                          // jne
      {{0x48, 0x8d, 0x0d, 0, 0, 0, 0}},                    // lea rcx, [rip]
      {{0x66, 0x0f, 0x3a, 0x0b, 0xc0, 0x0b}},              // roundsd
      {{0x4c, 0x8b, 0x34, 0xc5, 0, 0, 0, 0}},              // mov r14, [rax * 8]
  };
  for (const auto& [bytes] : kInstructions) {
    uint8_t padded[kMaxInstructionBytes] = {};
    std::memcpy(padded, std::data(bytes), bytes.size());
    X86Instruction instruction;
    ASSERT_TRUE(DecodeX86(padded, &instruction));
    EXPECT_EQ(instruction.length, bytes.size());
  }
}

// Found by x86_fuzz: its negative is not an int32_t.
TEST(X86Instruction, TakesTheLeastImmediateFromTheStackPointer) {
  const uint8_t bytes[kMaxInstructionBytes] = {0x48, 0x81, 0xec, 0, 0, 0, 0x80};  // sub rsp, -2^31
  X86Instruction instruction;
  ASSERT_TRUE(DecodeX86(bytes, &instruction));
  EXPECT_EQ(instruction.length, 7);
  EXPECT_EQ(instruction.effect, X86Effect::kMoveSp);
  EXPECT_EQ(instruction.value, INT32_MIN);
}

}  // namespace
}  // namespace spprof
