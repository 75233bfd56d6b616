// Long WebAssembly modules: the handler asks, the drain finds out, and nothing that a module says
// makes either take long.
#include "sampling/wasm_indexer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "core_support.h"
#include "platform/fault_handler.h"
#include "signal_safe/machine/protection_keys.h"
#include "signal_safe/v8_heap/wasm_module.h"
#include "wasm_support.h"

namespace spprof {
namespace {

using test::WasmBytes;

constexpr uint64_t kSecond = 1'000'000'000;

uint64_t AddressOf(const WasmBytes& bytes) { return reinterpret_cast<uint64_t>(bytes.data()); }

WasmBytes LongModule(uint32_t imports, uint32_t functions) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < functions; i++)
    names.push_back(i % 7 == 3 ? "" : "ns::Class::method_" + std::to_string(i));
  return test::WasmModule(imports, names);
}

std::string NameOf(const WasmBytes& bytes, uint32_t index) {
  WasmFunctionPlace place;
  if (AskWasmFunction(AddressOf(bytes), bytes.size(), index, &place) != WasmAnswer::kYes)
    return "?";
  char name[64];
  bool shortened;
  const uint32_t length = WasmModuleBytes(AddressOf(bytes), bytes.size())
                              .ReadNameAt(place.name, index, name, sizeof(name), &shortened);
  return {name, length};
}

// A jump table of slots of eight bytes, with code of one line each behind it.
class JumpTable {
 public:
  explicit JumpTable(uint32_t slots) : slots_(slots), lines_((slots + 7) / 8) {
    size_ = ((lines_ + slots + 2) * 64ul + kPage - 1) / kPage * kPage;
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) std::abort();
    for (uint32_t slot = 0; slot < slots; slot++) JumpTo(slot, CodeOf(slot));
  }
  ~JumpTable() { munmap(memory_, size_); }
  JumpTable(const JumpTable&) = delete;
  JumpTable& operator=(const JumpTable&) = delete;

  bool PutUnderKey(int key) {
    return pkey_mprotect(memory_, size_, PROT_READ | PROT_WRITE, key) == 0;
  }
  uint64_t table() const { return reinterpret_cast<uint64_t>(memory_); }
  uint64_t CodeOf(uint32_t number) const { return table() + (lines_ + number) * 64ul; }
  void JumpTo(uint32_t slot, uint64_t target) {
    const uint64_t at = table() + slot * 8ul;
    const uint64_t jump = uint64_t{static_cast<uint32_t>(target - at - 5)} << 8 | 0xe9;
    memcpy(reinterpret_cast<void*>(at), &jump, sizeof(jump));
  }
  // The slot of the code at `pc`; -1: not known, -2: not yet.
  int Ask(uint64_t pc) const {
    uint64_t word;
    const WasmAnswer answer = AskWasmCode(table(), 8, table(), pc, &word);
    if (answer == WasmAnswer::kYes) return static_cast<int>(word & 0xffff);
    return answer == WasmAnswer::kNo ? -1 : -2;
  }

 private:
  static constexpr size_t kPage = 4096;
  uint32_t slots_, lines_;
  size_t size_;
  void* memory_;
};

class WasmIndex : public testing::Test {
 protected:
  WasmIndex() { EXPECT_TRUE(InstallFaultHandler().ok()); }
  WasmIndexer indexer_;
};

TEST_F(WasmIndex, SaysWhatTheModuleItselfSays) {
  for (const uint32_t imports : {0u, 3u}) {
    const WasmBytes bytes = LongModule(imports, 100);
    const WasmModuleBytes module(AddressOf(bytes), bytes.size());
    ASSERT_TRUE(module.IsShort());
    uint32_t imported;
    const auto places = IndexWasmModule(AddressOf(bytes), bytes.size(), &imported);
    EXPECT_EQ(imported, imports);
    ASSERT_EQ(places.size(), imports + 100u);
    for (uint32_t index = 0; index < places.size(); index++) {
      char direct[64], by_index[64];
      bool shortened;
      uint32_t body = 0;
      module.FindFunctionBody(index, &body);
      EXPECT_EQ(places[index].body, body) << index;
      const uint32_t length = module.ReadFunctionName(index, direct, 64, &shortened);
      EXPECT_EQ(module.ReadNameAt(places[index].name, index, by_index, 64, &shortened), length);
      EXPECT_EQ(std::string(direct, length), std::string(by_index, length));
    }
  }
}

TEST_F(WasmIndex, IsMadeWhenTheHandlerHasAsked) {
  const WasmBytes bytes = LongModule(2, 20'000);
  const WasmModuleBytes module(AddressOf(bytes), bytes.size());
  char name[64];
  bool shortened;
  uint32_t imported = 77;
  EXPECT_FALSE(module.IsShort());
  EXPECT_FALSE(module.CountImportedFunctions(&imported)) << "the handler does not read it";
  EXPECT_EQ(module.ReadFunctionName(5, name, sizeof(name), &shortened), 0u);
  EXPECT_EQ(AskWasmImports(AddressOf(bytes), bytes.size(), &imported), WasmAnswer::kNotYet);
  EXPECT_EQ(NameOf(bytes, 2), "?");
  indexer_.Visit(kSecond);
  ASSERT_EQ(AskWasmImports(AddressOf(bytes), bytes.size(), &imported), WasmAnswer::kYes);
  EXPECT_EQ(imported, 2u);
  EXPECT_EQ(NameOf(bytes, 2), "ns::Class::method_0");
  EXPECT_EQ(NameOf(bytes, 20'001), "ns::Class::method_19999");
  EXPECT_EQ(NameOf(bytes, 5), "") << "it has none";
  EXPECT_EQ(NameOf(bytes, 20'002), "?") << "there is no such function";
}

TEST_F(WasmIndex, ForgetsWhatIsNotUsed) {
  const WasmBytes bytes = LongModule(0, 2'000);
  NameOf(bytes, 1);
  indexer_.Visit(kSecond);
  EXPECT_EQ(NameOf(bytes, 1), "ns::Class::method_1");
  const size_t held = indexer_.bytes();
  EXPECT_GE(held, 2'000 * sizeof(WasmFunctionPlace));
  indexer_.Visit(2 * kSecond);  // has been used since
  indexer_.Visit(2 * kSecond + WasmIndexer::kUnusedNs);
  EXPECT_EQ(NameOf(bytes, 1), "ns::Class::method_1");
  indexer_.Visit(3 * kSecond + WasmIndexer::kUnusedNs);
  indexer_.Visit(5 * kSecond + 3 * WasmIndexer::kUnusedNs);
  EXPECT_EQ(indexer_.bytes(), 0u);
  EXPECT_EQ(NameOf(bytes, 1), "?") << "asked for again";
}

TEST_F(WasmIndex, ModulesThatComeAndGoTakeNoMoreThanTheirShare) {
  uint64_t now = kSecond;
  const uint64_t refused = WasmIndexesRefused();
  for (int round = 0; round < 5; round++) {
    std::vector<WasmBytes> modules;
    for (uint32_t i = 0; i < 50; i++) modules.push_back(LongModule(0, 1'000 + i));
    for (const WasmBytes& bytes : modules) NameOf(bytes, 1);
    indexer_.Visit(now);
    EXPECT_LE(indexer_.bytes(), kWasmIndexSlots * 1'100 * sizeof(WasmFunctionPlace));
    EXPECT_EQ(NameOf(modules[0], 1), "ns::Class::method_1");
    indexer_.Visit(now += kSecond);
    indexer_.Visit(now += 2 * WasmIndexer::kUnusedNs);
    EXPECT_EQ(indexer_.bytes(), 0u) << "round " << round;
  }
  EXPECT_GT(WasmIndexesRefused(), refused);
}

TEST_F(WasmIndex, GivesUpASectionOfEmptyParts) {
  WasmBytes bytes = {0, 'a', 's', 'm', 1, 0, 0, 0}, section;
  test::AppendText(&section, "name");
  for (int i = 0; i < 30'000'000; i++) section.insert(section.end(), {2, 0});
  test::AppendSection(&bytes, 0, section);
  const uint64_t begin = test::ClockNs(CLOCK_THREAD_CPUTIME_ID);
  EXPECT_EQ(NameOf(bytes, 0), "?");
  const uint64_t asked = test::ClockNs(CLOCK_THREAD_CPUTIME_ID);
  indexer_.Visit(kSecond);
  const uint64_t made = test::ClockNs(CLOCK_THREAD_CPUTIME_ID);
  EXPECT_LT(asked - begin, 5'000'000u) << "in the handler";
  EXPECT_LT(made - asked, (test::kSanitized ? 20 : 2) * 200'000'000ull) << "in the drain";
}

TEST_F(WasmIndex, FollowsAJumpTableThatChanges) {
  JumpTable table(2'000);
  EXPECT_EQ(table.Ask(table.CodeOf(7)), -2);
  indexer_.Visit(kSecond);
  for (const uint32_t slot : {0u, 7u, 1'999u}) {
    EXPECT_EQ(table.Ask(table.CodeOf(slot)), static_cast<int>(slot));
    EXPECT_EQ(table.Ask(table.CodeOf(slot) + 63), static_cast<int>(slot));
  }
  EXPECT_EQ(table.Ask(table.table() - 1), -1);
  table.JumpTo(7, table.CodeOf(2'000));  // optimized: its code lies elsewhere now
  NoteWasmCodeIsOld(table.table(), 8);
  indexer_.Visit(kSecond + 1);
  EXPECT_EQ(table.Ask(table.CodeOf(7)), 7) << "not read again so soon: who asks compares";
  indexer_.Visit(20 * kSecond);
  EXPECT_EQ(table.Ask(table.CodeOf(7)), 6);
  EXPECT_EQ(table.Ask(table.CodeOf(2'000) + 5), 7);
}

TEST_F(WasmIndex, ReadsAJumpTableUnderAKeyThatThisThreadMayNotRead) {
  FindProtectionKeys();
  JumpTable table(2'000);
  const int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
  if (key < 0) {
    GTEST_SKIP() << "this machine has no protection keys (pkey_alloc: " << std::strerror(errno)
                 << ")";
  }
  ASSERT_TRUE(table.PutUnderKey(key));
  const auto ask_as_the_handler = [&table] {
    const ReadableKeys keys;
    return table.Ask(table.CodeOf(7));
  };
  EXPECT_EQ(ask_as_the_handler(), -2);
  indexer_.Visit(kSecond);
  EXPECT_EQ(ask_as_the_handler(), 7);
  pkey_free(key);
}

TEST_F(WasmIndex, SurvivesAnyBytesAndNone) {
  std::mt19937_64 random(test::TestSeed());
  const WasmBytes good = LongModule(2, 300);
  for (int turn = 0; turn < (test::kSanitized ? 300 : 3'000); turn++) {
    WasmBytes bytes = good;
    for (uint64_t i = 0, n = 1 + random() % 6; i < n; i++)
      bytes[8 + random() % (bytes.size() - 8)] = static_cast<uint8_t>(random());
    uint32_t imported;
    for (const WasmFunctionPlace& place :
         IndexWasmModule(AddressOf(bytes), bytes.size(), &imported)) {
      ASSERT_LT(place.name, bytes.size());
      ASSERT_LE(place.body, bytes.size());
    }
  }
  uint32_t imported;
  EXPECT_TRUE(IndexWasmModule(4096, 1 << 20, &imported).empty()) << "the module is gone";
  EXPECT_TRUE(IndexWasmJumpTable(4096, 8).empty());
}

}  // namespace
}  // namespace spprof
