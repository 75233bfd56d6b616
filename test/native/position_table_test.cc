// V8's position tables, made by hand: what they say is found, what is damaged is refused, and no
// bytes lead out of bounds or on for ever.
#include "signal_safe/v8_heap/position_table.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "core_support.h"
#include "platform/fault_handler.h"

namespace spprof {
namespace {

using Bytes = std::vector<uint8_t>;

void AddVlq(uint64_t value, Bytes* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<uint8_t>(value | 0x80));
  out->push_back(static_cast<uint8_t>(value));
}
uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

struct Entry {
  uint32_t code_offset;
  uint32_t place;  // 1 + offset in the script
  uint32_t inlining_id = 0;
  bool is_statement = true;
};

uint64_t WordOf(const Entry& entry) {
  return uint64_t{entry.place} << 1 | uint64_t{entry.inlining_id} << 31;
}

Bytes Encode(PositionEncoding encoding, const std::vector<Entry>& entries) {
  Bytes bytes;
  int64_t code_offset = -1, source = 0;
  for (const Entry& entry : entries) {
    const int64_t step = int64_t{entry.code_offset} - code_offset;
    if (encoding == PositionEncoding::kSigned) {
      AddVlq(ZigZag(entry.is_statement ? step : -step - 1), &bytes);
    } else {
      AddVlq(static_cast<uint64_t>(step) << 2 | (entry.is_statement ? 3 : 2), &bytes);
    }
    AddVlq(ZigZag(static_cast<int64_t>(WordOf(entry)) - source), &bytes);
    code_offset = entry.code_offset;
    source = static_cast<int64_t>(WordOf(entry));
  }
  return bytes;
}

// Bytes that end where the readable memory ends: one read too many is a fault.
class AtTheEdge {
 public:
  AtTheEdge() {
    memory_ = static_cast<uint8_t*>(
        mmap(nullptr, 2 * kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (mprotect(memory_ + kSize, kSize, PROT_NONE) != 0) std::abort();
  }
  ~AtTheEdge() { munmap(memory_, 2 * kSize); }
  uintptr_t Put(const Bytes& bytes) {
    uint8_t* at = memory_ + kSize - bytes.size();
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return reinterpret_cast<uintptr_t>(at);
  }

 private:
  static constexpr size_t kSize = 1 << 17;
  uint8_t* memory_;
};

class PositionTable : public testing::TestWithParam<PositionEncoding> {
 protected:
  PositionTable() {
    if (!InstallFaultHandler().ok()) std::abort();
  }
  ~PositionTable() override { UninstallFaultHandler(); }
  bool Find(const Bytes& bytes, uint32_t offset, SourcePosition* out) {
    return FindSourcePosition(GetParam(), edge_.Put(bytes), static_cast<uint32_t>(bytes.size()),
                              offset, MarksOfTable(&marks_, epoch_, 1), out);
  }
  // How many looks it takes; 0: more than there are bytes for.
  uint32_t Looks(const Bytes& bytes, uint32_t offset, SourcePosition* out) {
    for (uint32_t look = 1; look <= bytes.size() / kTableSliceBytes + 1; look++) {
      if (Find(bytes, offset, out)) return look;
    }
    return 0;
  }
  AtTheEdge edge_;
  TableMarks marks_{};
  uint32_t epoch_ = 0;  // nothing is kept
};

INSTANTIATE_TEST_SUITE_P(Encodings, PositionTable,
                         testing::Values(PositionEncoding::kSigned, PositionEncoding::kFlagged),
                         [](const auto& info) {
                           return info.param == PositionEncoding::kSigned ? "Signed" : "Flagged";
                         });

TEST_P(PositionTable, GivesTheLastEntryThatIsNotBehindTheOffset) {
  const Bytes bytes =
      Encode(GetParam(), {{4, 100}, {10, 90, 2, false}, {10, 95, 3}, {500, 70'000, 0, false}});
  SourcePosition found;
  EXPECT_FALSE(Find(bytes, 3, &found)) << "before the first entry";
  struct Case {
    uint32_t offset, place, inlining_id;
  };
  for (const Case& c : {Case{4, 100, 0},
                        {9, 100, 0},
                        {10, 95, 3},
                        {499, 95, 3},
                        {500, 70'000, 0},
                        {UINT32_MAX, 70'000, 0}}) {
    ASSERT_TRUE(Find(bytes, c.offset, &found)) << c.offset;
    EXPECT_EQ(found.place, c.place) << c.offset;
    EXPECT_EQ(found.inlining_id, c.inlining_id) << c.offset;
  }
  EXPECT_FALSE(Find({}, 0, &found));
}

TEST_P(PositionTable, RefusesATableThatBreaksOff) {
  const Bytes whole = Encode(GetParam(), {{0, 1000}, {300, 2000}});
  SourcePosition found;
  ASSERT_TRUE(Find(whole, 400, &found));
  for (size_t kept = 1; kept < whole.size(); kept++) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<long>(kept));
    const bool is_good = Find(part, 400, &found);
    // Only where an entry ends is what remains a table too.
    EXPECT_EQ(is_good, part == Encode(GetParam(), {{0, 1000}})) << kept;
  }
}

// Entries of two bytes, one each code offset; the place is that and 1.
Bytes LongTable(PositionEncoding encoding, uint32_t entries) {
  std::vector<Entry> all;
  for (uint32_t i = 0; i < entries; i++) all.push_back({i, i + 1});
  return Encode(encoding, all);
}

TEST_P(PositionTable, ALongTableIsReadInSlicesFromLookToLook) {
  constexpr uint32_t kEntries = 30'000;
  const Bytes bytes = LongTable(GetParam(), kEntries);
  const auto slices = static_cast<uint32_t>(bytes.size() / kTableSliceBytes + 1);
  ASSERT_GT(slices, 3u);
  epoch_ = 7;
  SourcePosition found;
  const uint64_t given_up = PositionsGivenUp();
  EXPECT_EQ(Looks(bytes, 100, &found), 1u) << "in the first slice";
  EXPECT_EQ(Looks(bytes, kEntries - 1, &found), slices);
  EXPECT_EQ(found.place, kEntries);
  EXPECT_EQ(PositionsGivenUp(), given_up + slices - 1) << "each look that gave no answer counts";
  EXPECT_EQ(marks_.looks_broken_off, slices - 1);
  for (uint32_t offset = 0; offset < kEntries; offset += 97) {
    ASSERT_EQ(Looks(bytes, offset, &found), 1u) << "every place is near a mark now";
    ASSERT_EQ(found.place, offset + 1);
  }
}

TEST_P(PositionTable, MarksAreVoidWhenTheCollectorMayHaveMovedTheTable) {
  const Bytes bytes = LongTable(GetParam(), 30'000);
  SourcePosition found;
  epoch_ = 7;
  ASSERT_NE(Looks(bytes, 29'000, &found), 0u);
  epoch_ = 8;
  EXPECT_FALSE(Find(bytes, 29'000, &found));
  const Bytes other = {0};
  epoch_ = 7;
  EXPECT_FALSE(Find(other, 29'000, &found)) << "shorter than where the mark leads";
}

TEST_P(PositionTable, WithoutMarksOnlyTheFirstSliceIsRead) {
  const Bytes bytes = LongTable(GetParam(), 30'000);
  SourcePosition found;
  ASSERT_TRUE(Find(bytes, 5'000, &found));
  EXPECT_EQ(found.place, 5'001u);
  const uint64_t before = PositionsGivenUp();
  EXPECT_EQ(Looks(bytes, 29'000, &found), 0u);
  EXPECT_GT(PositionsGivenUp(), before);
}

TEST_P(PositionTable, MoreLongTablesThanThereIsRoomForAreReadAllTheSame) {
  const Bytes bytes = LongTable(GetParam(), 30'000);
  epoch_ = 7;
  SourcePosition found;
  const uintptr_t at = edge_.Put(bytes);
  for (uint64_t table = 1; table < 2 * kTableMarks * 8; table += 8) {
    bool is_found = false;
    for (uint32_t look = 0; look < 8 && !is_found; look++) {
      is_found = FindSourcePosition(GetParam(), at, static_cast<uint32_t>(bytes.size()), 29'999,
                                    MarksOfTable(&marks_, epoch_, table), &found);
    }
    ASSERT_TRUE(is_found) << table;
    ASSERT_EQ(found.place, 30'000u);
  }
}

TEST_P(PositionTable, SurvivesRandomBytes) {
  std::mt19937_64 random(test::TestSeed());
  uint64_t found_count = 0;
  for (int turn = 0; turn < 20'000; turn++) {
    Bytes bytes(random() % 60);
    const uint64_t mask = random();
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() & mask);
    SourcePosition found;
    if (!Find(bytes, static_cast<uint32_t>(random() >> (random() % 60)), &found)) continue;
    found_count++;
    ASSERT_LT(found.place, 1u << 30);
    ASSERT_LT(found.inlining_id, 1u << 16);
  }
  EXPECT_GT(found_count, 100u);
}

TEST(SourcePositionWord, GivesNoPlaceInAScriptForAnExternalOne) {
  EXPECT_EQ(UnpackSourcePosition(uint64_t{77} << 1).place, 77u);
  EXPECT_EQ(UnpackSourcePosition(uint64_t{77} << 1 | 1).place, 0u);
  EXPECT_EQ(UnpackSourcePosition(uint64_t{5} << 31).inlining_id, 5u);
}

// Five opcodes: four that widen, and two of the sizes 1 and 3, 1 and 5, 1 and 9.
constexpr uint8_t kSizes[] = {1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1, 9};
constexpr BytecodeSizes kTable{kSizes, 6};
constexpr uint8_t kWide = 0, kExtraWide = 1, kShort = 4, kLong = 5;

class BaselineTable : public testing::Test {
 protected:
  BaselineTable() {
    if (!InstallFaultHandler().ok()) std::abort();
    // Offsets 0, 1, 4, 10, 20.
    for (const Bytes& one : {Bytes{kShort}, Bytes{kLong, 7, 7}, Bytes{kWide, kLong, 7, 7, 7, 7},
                             Bytes{kExtraWide, kLong, 7, 7, 7, 7, 7, 7, 7, 7}, Bytes{kShort}}) {
      code_.insert(code_.end(), one.begin(), one.end());
    }
    for (const uint64_t size : {30, 5, 0, 200, 10, 4}) AddVlq(size, &table_);
  }
  ~BaselineTable() override { UninstallFaultHandler(); }
  bool Find(uint32_t pc_offset, uint32_t* out) {
    const Bytecodes bytecodes{code_edge_.Put(code_), static_cast<uint32_t>(code_.size())};
    return FindBaselineBytecode(kTable, table_edge_.Put(table_),
                                static_cast<uint32_t>(table_.size()), bytecodes, pc_offset, none_,
                                out);
  }
  const MarksOfTable none_{nullptr, 0, 0};
  Bytes code_, table_;
  AtTheEdge code_edge_, table_edge_;
};

TEST_F(BaselineTable, FindsTheBytecodeOfEveryInstruction) {
  uint32_t found = 99;
  EXPECT_FALSE(Find(29, &found)) << "the prologue";
  const uintptr_t table = table_edge_.Put(table_);
  EXPECT_TRUE(IsInBaselinePrologue(table, static_cast<uint32_t>(table_.size()), 29));
  EXPECT_FALSE(IsInBaselinePrologue(table, static_cast<uint32_t>(table_.size()), 30));
  EXPECT_FALSE(IsInBaselinePrologue(table, 0, 0)) << "no table";
  struct Case {
    uint32_t pc_offset, bytecode;
  };
  for (const Case& c :
       {Case{30, 0}, {34, 0}, {35, 4}, {234, 4}, {235, 10}, {244, 10}, {245, 20}, {248, 20}}) {
    ASSERT_TRUE(Find(c.pc_offset, &found)) << c.pc_offset;
    EXPECT_EQ(found, c.bytecode) << c.pc_offset;
  }
  EXPECT_FALSE(Find(249, &found)) << "behind the last";
}

TEST_F(BaselineTable, RefusesBytecodesAndTableThatDoNotFit) {
  uint32_t found;
  code_.push_back(kShort);
  EXPECT_FALSE(Find(30, &found)) << "a bytecode too many";
  code_.resize(code_.size() - 2);
  EXPECT_FALSE(Find(30, &found)) << "a bytecode too few";
  code_.push_back(6);
  EXPECT_FALSE(Find(30, &found)) << "an opcode that there is not";
  code_.back() = kShort;
  EXPECT_TRUE(Find(30, &found));
  EXPECT_FALSE(FindBaselineBytecode({}, table_edge_.Put(table_), 6, {code_edge_.Put(code_), 21}, 30,
                                    none_, &found));
}

TEST_F(BaselineTable, OfCertainSizesNoMoreIsReadThanTheBytecodesUpToThere) {
  static constexpr BytecodeSizes kCertain{kSizes, 6, true};
  const auto find = [this](uint32_t pc_offset, uint32_t* out) {
    const Bytecodes bytecodes{code_edge_.Put(code_), static_cast<uint32_t>(code_.size())};
    return FindBaselineBytecode(kCertain, table_edge_.Put(table_),
                                static_cast<uint32_t>(table_.size()), bytecodes, pc_offset, none_,
                                out);
  };
  code_.resize(10);  // what is behind the third bytecode cannot be read
  uint32_t found = 99;
  ASSERT_TRUE(find(35, &found));
  EXPECT_EQ(found, 4u);
  EXPECT_FALSE(find(245, &found)) << "a bytecode that is not there";
  EXPECT_FALSE(find(29, &found)) << "the prologue";
}

TEST_F(BaselineTable, ALongOneIsReadInSlicesFromLookToLook) {
  constexpr uint32_t kBytecodes = 20'000;
  code_.assign(kBytecodes * 3, 7);
  for (uint32_t i = 0; i < kBytecodes; i++) code_[3 * i] = kLong;
  table_ = {30};
  table_.insert(table_.end(), kBytecodes, 5);
  auto marks = std::make_unique<TableMarks>();
  const MarksOfTable marks_of_table(marks.get(), 7, 1);
  const auto find = [&](bool is_certain, uint32_t bytecode, uint32_t* out) {
    const BytecodeSizes sizes{kSizes, 6, is_certain};
    return FindBaselineBytecode(sizes, table_edge_.Put(table_),
                                static_cast<uint32_t>(table_.size()),
                                {code_edge_.Put(code_), static_cast<uint32_t>(code_.size())},
                                30 + 5 * bytecode + 2, marks_of_table, out);
  };
  uint32_t found = 0, looks = 1;
  while (!find(true, kBytecodes - 1, &found) && looks < 10) looks++;
  EXPECT_EQ(looks, 4u) << "60,000 bytes of bytecodes";
  EXPECT_EQ(found, 3 * (kBytecodes - 1));
  for (uint32_t bytecode = 0; bytecode < kBytecodes; bytecode += 91) {
    ASSERT_TRUE(find(true, bytecode, &found));
    ASSERT_EQ(found, 3 * bytecode);
  }

  // Of sizes that are not certain, only the whole proves that they are the right ones.
  *marks = TableMarks{};
  looks = 1;
  while (!find(false, 5, &found) && looks < 10) looks++;
  EXPECT_EQ(looks, 4u) << "the first is near the beginning, and waits for the end";
  EXPECT_EQ(found, 15u);
  code_.push_back(kShort);  // a bytecode too many
  *marks = TableMarks{};
  for (looks = 0; looks < 10; looks++) ASSERT_FALSE(find(false, 5, &found));
}

TEST_F(BaselineTable, SurvivesRandomBytes) {
  std::mt19937_64 random(test::TestSeed());
  for (int turn = 0; turn < 20'000; turn++) {
    code_.resize(random() % 40);
    table_.resize(random() % 40);
    for (uint8_t& byte : code_) byte = static_cast<uint8_t>(random() % 8);
    for (uint8_t& byte : table_) byte = static_cast<uint8_t>(random());
    uint32_t found;
    if (Find(static_cast<uint32_t>(random() % 4000), &found)) {
      ASSERT_LT(found, code_.size());
    }
  }
}

}  // namespace
}  // namespace spprof
