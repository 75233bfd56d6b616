// What a WebAssembly module's bytes say of its functions, and that nothing they say does harm.
#include "signal_safe/v8_heap/wasm_module.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core_support.h"
#include "platform/fault_handler.h"
#include "wasm_support.h"

namespace spprof {
namespace {

using test::WasmBytes;
using test::WasmModule;

WasmModuleBytes Of(const WasmBytes& bytes) {
  return WasmModuleBytes(reinterpret_cast<uint64_t>(bytes.data()), bytes.size());
}

std::string NameOf(const WasmBytes& bytes, uint32_t index, uint32_t capacity = 64) {
  std::string name(capacity, '-');
  bool shortened;
  name.resize(Of(bytes).ReadFunctionName(index, name.data(), capacity, &shortened));
  return shortened ? name + "..." : name;
}

TEST(WasmModuleBytes, CountsFunctionsAmongAllThatCanBeImported) {
  uint32_t count;
  ASSERT_TRUE(Of(WasmModule(3, {})).CountImportedFunctions(&count));
  EXPECT_EQ(count, 3u);
  const WasmBytes nothing = {0, 'a', 's', 'm', 1, 0, 0, 0};
  ASSERT_TRUE(Of(nothing).CountImportedFunctions(&count));
  EXPECT_EQ(count, 0u);
}

TEST(WasmModuleBytes, NamesFunctionsBehindTheImportedOnes) {
  const WasmBytes bytes = WasmModule(200, {"first", "", "third<T>::f", "gr\xc3\xbc\xc3\x9f"});
  EXPECT_EQ(NameOf(bytes, 200), "first");
  EXPECT_EQ(NameOf(bytes, 201), "");
  EXPECT_EQ(NameOf(bytes, 202), "third<T>::f");
  EXPECT_EQ(NameOf(bytes, 203), "gr????");
  EXPECT_EQ(NameOf(bytes, 204), "");
  EXPECT_EQ(NameOf(bytes, 202, 5), "third...");
}

TEST(WasmModuleBytes, FindsTheBodyOfAFunction) {
  const WasmBytes bytes = WasmModule(2, {"a", "b", "c"});
  uint32_t offset[3], none;
  for (uint32_t i = 0; i < 3; i++) ASSERT_TRUE(Of(bytes).FindFunctionBody(2 + i, &offset[i]));
  EXPECT_EQ(bytes[offset[0] - 1], 2);  // its size stands before it
  EXPECT_EQ(offset[1], offset[0] + 2 + 1);
  EXPECT_EQ(offset[2], offset[1] + 3 + 1);
  EXPECT_FALSE(Of(bytes).FindFunctionBody(1, &none)) << "imported";
  EXPECT_FALSE(Of(bytes).FindFunctionBody(5, &none));
}

TEST(WasmModuleBytes, SurvivesAnyBytes) {
  std::mt19937_64 random(test::TestSeed());
  ASSERT_TRUE(InstallFaultHandler().ok());
  const WasmBytes good = WasmModule(2, {"first", "second", "third"});
  const auto look_at = [](const WasmBytes& bytes) {
    uint32_t number;
    Of(bytes).CountImportedFunctions(&number);
    Of(bytes).FindFunctionBody(3, &number);
    EXPECT_LE(NameOf(bytes, 3, 8).size(), 11u);
  };
  for (size_t size = 8; size < good.size(); size++)
    look_at(WasmBytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  for (int turn = 0; turn < (test::kSanitized ? 5'000 : 50'000); turn++) {
    WasmBytes bytes = good;
    for (uint64_t i = 0, n = 1 + random() % 6; i < n; i++)
      bytes[8 + random() % (bytes.size() - 8)] = static_cast<uint8_t>(random());
    look_at(bytes);
  }
}

}  // namespace
}  // namespace spprof
