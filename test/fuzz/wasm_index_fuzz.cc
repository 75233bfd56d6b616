// The index of a WebAssembly module, against what the handler reads of a short one.
#include <algorithm>
#include <cstring>

#include "fuzz_target.h"
#include "sampling/wasm_indexer.h"
#include "signal_safe/v8_heap/wasm_module.h"
#include "wasm_support.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kReaderCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const uint32_t imports : {0u, 2u, 130u}) {
    const test::WasmBytes module = test::WasmModule(imports, {"first", "", "third<T>::f", "x"});
    seeds.push_back(std::string(1, '\1').append(module.begin(), module.end()));
  }
  return seeds;
}

// A table's length is not known: it ends where no jump is, here in the zeros behind it.
void LookAtJumpTable(Bytes table, uint32_t slot_bytes) {
  constexpr size_t kLine = 64;
  alignas(kLine) static uint8_t memory[(1 << 16) + 2 * kLine];
  std::memcpy(memory, table.data(), table.size());
  std::memset(memory + table.size(), 0, 2 * kLine);
  IndexWasmJumpTable(reinterpret_cast<uintptr_t>(memory), slot_bytes);
}

void RunOne(Bytes bytes) {
  static FencedMemory memory(1 << 16);
  Input input(bytes);
  const auto at_the_end = input.Take<uint8_t>();
  const Bytes rest = input.TakeBytes(memory.capacity());
  if (rest.size() < 8) return;
  const uintptr_t begin = memory.Put(rest, at_the_end != 0);
  uint32_t imported;
  const std::vector<WasmFunctionPlace> places = IndexWasmModule(begin, rest.size(), &imported);
  const WasmModuleBytes module(begin, rest.size());
  for (uint32_t index = 0; index < std::min<size_t>(places.size(), 300); index++) {
    char name[32];
    bool shortened;
    Require(places[index].name < rest.size() && places[index].body <= rest.size(),
            "a place outside of the module");
    module.ReadNameAt(places[index].name, index, name, sizeof(name), &shortened);
  }
  uint32_t direct;
  if (!places.empty() && module.IsShort() && module.CountImportedFunctions(&direct))
    Require(imported == direct, "imports are counted in two ways");
  LookAtJumpTable(rest, (at_the_end & 2) != 0 ? 5 : 8);
}

}  // namespace spprof::fuzz
