// Call-frame information made by hand: each instruction, each encoding, each way to be malformed.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "cfi_test_support.h"
#include "signal_safe/cfi/cfi.h"

namespace spprof {
namespace {

using Bytes = std::vector<uint8_t>;

void Append(Bytes* to, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) to->push_back(static_cast<uint8_t>(value >> (8 * i)));
}
Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

enum class Table { kUsual, kAbsolute8, kNone };

// One CIE and one FDE for 0x100 bytes of code at Code(), in memory of their own between pages that
// cannot be touched.
class Object {
 public:
  struct Options {
    std::string augmentation = "zR";
    Bytes augmentation_data = {0x1b};  // pcrel sdata4
    uint8_t version = 1;
    Table table = Table::kUsual;
    bool has_extended_length = false;
    uint64_t code_alignment = 1;
  };

  // The CIE says: CFA = rsp + 8, return address at CFA - 8.
  explicit Object(const Bytes& instructions) : Object(instructions, Options()) {}
  Object(const Bytes& instructions, const Options& options) {
    memory_ = static_cast<uint8_t*>(
        mmap(nullptr, 3 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + kPage, kPage, PROT_READ | PROT_WRITE);
    const auto base = reinterpret_cast<uintptr_t>(memory_ + kPage);
    code_ = base + 0x800;
    constexpr size_t kSectionAt = 64;

    Bytes cie;
    Append(&cie, 0, 4);
    cie.push_back(options.version);
    for (char c : options.augmentation) cie.push_back(static_cast<uint8_t>(c));
    cie.push_back(0);
    if (options.version == 4) cie = cie + Bytes{8, 0};
    cie = cie + Bytes{static_cast<uint8_t>(options.code_alignment), 0x78, 16};  // data alignment -8
    if (!options.augmentation.empty()) {
      cie.push_back(static_cast<uint8_t>(options.augmentation_data.size()));
      cie = cie + options.augmentation_data;
    }
    cie = cie + Bytes{0x0c, 7, 8, 0x80 | 16, 1};
    Bytes section;
    AppendRecord(&section, cie, options.has_extended_length);

    const size_t fde_at = section.size();
    const size_t id_at = fde_at + (options.has_extended_length ? 12 : 4);
    Bytes fde;
    Append(&fde, id_at, 4);
    if (options.augmentation.empty()) {
      Append(&fde, code_, 8);
      Append(&fde, 0x100, 8);
    } else {
      Append(&fde, code_ - (base + kSectionAt + id_at + 4), 4);
      Append(&fde, 0x100, 4);
      fde.push_back(0);
    }
    AppendRecord(&section, fde + instructions, options.has_extended_length);
    Append(&section, 0, 4);

    Bytes header = {1, 0x1b, 0x03, 0x3b};
    Append(&header, kSectionAt - 4, 4);
    if (options.table == Table::kUsual) {
      Append(&header, 1, 4);
      Append(&header, code_ - base, 4);
      Append(&header, kSectionAt + fde_at, 4);
    } else if (options.table == Table::kAbsolute8) {
      header[3] = 0x00;
      Append(&header, 1, 4);
      Append(&header, code_, 8);
      Append(&header, base + kSectionAt + fde_at, 8);
    } else {
      header[2] = header[3] = 0xff;
    }
    memcpy(memory_ + kPage, header.data(), header.size());
    memcpy(memory_ + kPage + kSectionAt, section.data(), section.size());
    module_ = {code_, code_ + 0x200, base, header.size(), base, base + kSectionAt + section.size()};
  }
  ~Object() { munmap(memory_, 3 * kPage); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const CfiModule& module() const { return module_; }
  CfiModule* mutable_module() { return &module_; }
  uintptr_t code() const { return code_; }
  UnwindRule At(uintptr_t offset) const { return DecodeRule(module_, code_ + offset); }

  // Applies the rule at `offset` to a stack of 32 words of which word i is 1000 + i; sp is its
  // word 8.
  StepResult Step(uintptr_t offset, Registers* registers) {
    for (size_t i = 0; i < 32; ++i) stack_[i] = 1000 + i;
    registers->pc = code_ + offset;
    registers->sp = WordAt(8);
    return ApplyRule(module_, At(offset), code_ + offset, WordAt(32), registers);
  }
  uintptr_t WordAt(size_t index) const { return reinterpret_cast<uintptr_t>(stack_) + 8 * index; }
  void SetStackWord(size_t index, uint64_t value) { stack_[index] = value; }

 private:
  static constexpr size_t kPage = 4096;

  static void AppendRecord(Bytes* section, Bytes content, bool has_extended_length) {
    while (content.size() % 4 != 0) content.push_back(0);
    if (has_extended_length) {
      Append(section, 0xffffffff, 4);
      Append(section, content.size(), 8);
    } else {
      Append(section, content.size(), 4);
    }
    *section = *section + content;
  }

  uint8_t* memory_;
  uintptr_t code_;
  CfiModule module_;
  uint64_t stack_[32];
};

TEST(CfiInterpreter, KnowsEveryAdvance) {
  const Object object(Bytes{0x41, 0x0e, 16,                   // advance 1: CFA = rsp + 16
                            0x02, 0x0f, 0x0e, 24,             // to 0x10
                            0x03, 0x10, 0, 0x0e, 32,          // to 0x20
                            0x04, 0x20, 0, 0, 0, 0x0e, 40});  // to 0x40
  EXPECT_EQ(object.At(0).offset, 8);
  EXPECT_EQ(object.At(1).offset, 16);
  EXPECT_EQ(object.At(0xf).offset, 16);
  EXPECT_EQ(object.At(0x10).offset, 24);
  EXPECT_EQ(object.At(0x1f).offset, 24);
  EXPECT_EQ(object.At(0x20).offset, 32);
  EXPECT_EQ(object.At(0x40).offset, 40);
  EXPECT_EQ(object.At(0xff).offset, 40);
  EXPECT_EQ(object.At(0x100).kind, RuleKind::kNone);
}

TEST(CfiInterpreter, SetsTheLocationAbsolutely) {
  // The operand is pc-relative like all of this object's pointers; without augmentation it is
  // absolute.
  Object::Options options;
  options.augmentation = "";
  Object probe({}, options);
  Bytes instructions = {0x01};
  Append(&instructions, probe.code() + 0x30, 8);
  // Where the object lies is only known afterwards: mmap gives the next one another place, so patch
  // by trying.
  instructions = instructions + Bytes{0x0e, 16};
  Object object(instructions, options);
  auto* bytes = reinterpret_cast<uint8_t*>(object.module().eh_frame_hdr);
  const uint64_t old_target = probe.code() + 0x30, target = object.code() + 0x30;
  for (size_t i = 64; i < 256; ++i) {
    if (memcmp(bytes + i, &old_target, 8) == 0) memcpy(bytes + i, &target, 8);
  }
  EXPECT_EQ(object.At(0x2f).offset, 8);
  EXPECT_EQ(object.At(0x30).offset, 16);
}

TEST(CfiInterpreter, ScalesByTheAlignments) {
  Object::Options options;
  options.code_alignment = 4;
  const Object object(Bytes{0x42, 0x12, 7, 0x7e, 0x86, 3, 0x11, 3, 4},
                      options);  // CFA = rsp + -2 * -8
  EXPECT_EQ(object.At(7).offset, 8);
  EXPECT_EQ(object.At(8).offset, 16);
  EXPECT_EQ(object.At(8).saved[kSavedFp], -3);
  EXPECT_EQ(object.At(8).saved[kSavedRbx], -4);
}

TEST(CfiInterpreter, RestoresRegistersAndStates) {
  const Object object(Bytes{0x0e, 16,   0x86, 2,    0x41, 0x0a,
                            0x0c, 6,    16,   0x83, 3,  // 1: by rbp, rbx saved
                            0x41, 0x0a, 0xc6, 0x06, 3,  // 2: both restored
                            0x41, 0x0b, 0x41, 0x0b});   // 3: as 1; 4: as 0
  EXPECT_EQ(object.At(0).saved[kSavedFp], -2);
  EXPECT_EQ(object.At(1).cfa_register, kDwarfFp);
  EXPECT_EQ(object.At(1).saved[kSavedRbx], -3);
  EXPECT_EQ(object.At(2).saved[kSavedFp], 0);
  EXPECT_EQ(object.At(2).saved[kSavedRbx], 0);
  EXPECT_EQ(object.At(3).saved[kSavedRbx], -3);
  EXPECT_EQ(object.At(3).saved[kSavedFp], -2);
  EXPECT_EQ(object.At(4).cfa_register, kDwarfSp);
  EXPECT_EQ(object.At(4).saved[kSavedRbx], 0);
}

TEST(CfiInterpreter, RefusesWhatIsMalformedOrTooDeep) {
  const Bytes bad[] = {
      {0x0b},                          // nothing remembered
      {0x0a, 0x0a, 0x0a, 0x0a, 0x0a},  // five deep
      {0x17},                          // unknown
      {0x3f},                          //
      {0x0c, 200, 1, 8},               // CFA by a register that is none
      {0x09, 3, 99},                   // from one that is none
      {0x0f, 2, 0x77, 0, 0x0e, 8},     // half of an expression changed
      {0x0f, 0xff, 0x7f},              // longer than the entry
      {0x0e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff},                                // a number without end
      {0x0e, 0xff, 0xff, 0xff, 0xff, 0x7f},  // an offset of more than 32 bits
      {0x08, 16},                            // the return address is this pc: nowhere to go
  };
  for (const Bytes& instructions : bad) {
    const Object object(instructions);
    EXPECT_EQ(object.At(8).kind, RuleKind::kBad) << testing::PrintToString(instructions);
  }
  EXPECT_EQ(Object({0x0a, 0x0a, 0x0a, 0x0a, 0x0b, 0x0b}).At(8).kind, RuleKind::kPlain);
}

TEST(CfiInterpreter, EndsWhereTheReturnAddressIsUndefined) {
  Object object(Bytes{0x41, 0x07, 16});
  Registers registers{};
  EXPECT_EQ(object.At(0).kind, RuleKind::kPlain);
  EXPECT_EQ(object.At(1).kind, RuleKind::kEndOfStack);
  EXPECT_EQ(object.Step(1, &registers), StepResult::kEndOfStack);
}

TEST(CfiInterpreter, AppliesAPlainRule) {
  Object object(Bytes{0x0e, 48, 0x2e, 16, 0x86, 2, 0x83, 3, 0x8c, 4, 0x8f, 5});
  Registers registers{};
  registers.r13 = 13;
  ASSERT_EQ(object.At(0).kind, RuleKind::kPlain);
  ASSERT_EQ(object.Step(0, &registers), StepResult::kOk);
  EXPECT_EQ(registers.sp, object.WordAt(14));
  EXPECT_EQ(registers.pc, 1013u);
  EXPECT_EQ(registers.fp, 1012u);
  EXPECT_EQ(registers.rbx, 1011u);
  EXPECT_EQ(registers.r12, 1010u);
  EXPECT_EQ(registers.r15, 1009u);
  EXPECT_EQ(registers.r13, 13u);
}

TEST(CfiInterpreter, AppliesEveryKindOfRegisterRule) {
  Object object(Bytes{0x0e, 48,                     // CFA = word 14
                      0x14, 3,  2,                  // rbx = CFA - 16
                      0x15, 12, 1,                  // r12 = CFA - 8
                      0x09, 13, 0,                  // r13 = rax
                      0x10, 14, 3, 0x77, 16, 0x96,  // r14 at [rsp + 16]
                      0x16, 15, 3, 0x23, 5,  0x96,  // r15 = CFA + 5
                      0x08, 6});
  Registers registers{};
  registers.rax = 77;
  registers.fp = 66;
  ASSERT_EQ(object.At(0).kind, RuleKind::kExpression);
  ASSERT_EQ(object.Step(0, &registers), StepResult::kOk);
  const uint64_t cfa = object.WordAt(14);
  EXPECT_EQ(registers.sp, cfa);
  EXPECT_EQ(registers.pc, 1013u);
  EXPECT_EQ(registers.rbx, cfa - 16);
  EXPECT_EQ(registers.r12, cfa - 8);
  EXPECT_EQ(registers.r13, 77u);
  EXPECT_EQ(registers.r14, 1010u);
  EXPECT_EQ(registers.r15, cfa + 5);
  EXPECT_EQ(registers.fp, 66u);
}

TEST(CfiInterpreter, AppliesThePltRule) {
  // CFA = rsp + 8 + ((rip & 15) >= 11) * 8
  Object object(Bytes{0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22});
  Registers registers{};
  ASSERT_EQ(object.Step(0x1a, &registers), StepResult::kOk);
  EXPECT_EQ(registers.sp, object.WordAt(9));
  ASSERT_EQ(object.Step(0x1b, &registers), StepResult::kOk);
  EXPECT_EQ(registers.sp, object.WordAt(10));
}

TEST(CfiInterpreter, RefusesStepsThatLeaveTheStackOrDoNotRise) {
  Registers registers{};
  const auto refused = [&registers](const Bytes& instructions) {
    Object object(instructions);
    registers = Registers{};
    registers.fp = 16;
    Registers before = registers;
    before.pc = object.code();
    before.sp = object.WordAt(8);
    const StepResult result = object.Step(0, &registers);
    if (result == StepResult::kOk) return false;
    EXPECT_EQ(memcmp(&before, &registers, offsetof(Registers, has_scratch)), 0) << "changed";
    return result == StepResult::kBad;
  };
  EXPECT_TRUE(refused({0x0e, 0}));              // CFA = sp
  EXPECT_TRUE(refused({0x13, 1}));              // CFA = sp - 8
  EXPECT_TRUE(refused({0x0e, 12}));             // not aligned
  EXPECT_TRUE(refused({0x0e, 0xc8, 1}));        // one word above the stack
  EXPECT_TRUE(refused({0x0c, 6, 16}));          // rbp is nonsense
  EXPECT_TRUE(refused({0x83, 0x60}));           // saved far below the red zone
  EXPECT_TRUE(refused({0x0f, 2, 0x77, 0}));     // CFA expression = sp
  EXPECT_TRUE(refused({0x0f, 3, 0x76, 0, 6}));  // reads [rbp]
  EXPECT_TRUE(refused({0x0f, 1, 0x22}));        // empty stack
  EXPECT_FALSE(refused({0x0e, 0xc0, 1}));       // exactly the stack's end
}

TEST(CfiInterpreter, TakesAReturnAddressOfZeroForTheEnd) {
  Object object(Bytes{});
  Registers registers{};
  registers.pc = object.code();
  registers.sp = object.WordAt(8);
  object.SetStackWord(8, 0);
  EXPECT_EQ(ApplyRule(object.module(), object.At(0), object.code(), object.WordAt(32), &registers),
            StepResult::kEndOfStack);
}

TEST(CfiLookup, ReadsWhatLinkersAndCompilersMayWrite) {
  const Bytes instructions = {0x41, 0x0e, 16};
  for (Table table : {Table::kUsual, Table::kAbsolute8, Table::kNone}) {
    for (uint8_t version : {uint8_t{1}, uint8_t{3}, uint8_t{4}}) {
      for (bool is_extended : {false, true}) {
        for (int augmentation = 0; augmentation < 4; ++augmentation) {
          Object::Options options;
          options.table = table;
          options.version = version;
          options.has_extended_length = is_extended;
          if (augmentation == 1) options.augmentation = "";
          if (augmentation == 2) {
            options.augmentation = "zPLR";
            options.augmentation_data = {0x9b, 1, 2, 3, 4, 0x1b, 0x1b};
          } else if (augmentation == 3) {
            options.augmentation = "zRS";
          }
          const Object object(instructions, options);
          const UnwindRule rule = object.At(1);
          EXPECT_EQ(rule.kind, augmentation == 3 ? RuleKind::kExpression : RuleKind::kPlain)
              << int(table) << version << is_extended << augmentation;
          EXPECT_EQ(rule.is_signal_frame, augmentation == 3);
          if (augmentation != 3) {
            EXPECT_EQ(rule.offset, 16);
          }
          EXPECT_EQ(object.At(0x100).kind, RuleKind::kNone);
        }
      }
    }
  }
}

TEST(CfiLookup, RefusesAugmentationsItCannotStepOver) {
  for (const char* augmentation : {"eh", "zQR", "zRRRRRRRRR"}) {
    Object::Options options;
    options.augmentation = augmentation;
    EXPECT_EQ(Object({}, options).At(0).kind, RuleKind::kBad) << augmentation;
  }
}

TEST(CfiLookup, ReadsNothingOutsideTheModule) {
  Object object({});
  CfiModule* module = object.mutable_module();
  const CfiModule whole = *module;
  for (uintptr_t end = whole.mapped_start; end < whole.mapped_end; ++end) {
    *module = whole;
    module->mapped_end = end;
    const RuleKind kind = object.At(0).kind;
    EXPECT_TRUE(kind == RuleKind::kBad || end + 4 >= whole.mapped_end) << end - whole.mapped_start;
  }
  *module = whole;
  module->eh_frame_hdr_size = 11;
  EXPECT_EQ(object.At(0).kind, RuleKind::kBad);
  module->eh_frame_hdr = 0;
  EXPECT_EQ(object.At(0).kind, RuleKind::kNone);
}

}  // namespace
}  // namespace spprof
