// A WebAssembly module's bytes: imports, names, bodies.
#include <algorithm>

#include "fuzz_target.h"
#include "signal_safe/v8_heap/wasm_module.h"
#include "wasm_support.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kHandlerCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const uint32_t imports : {0u, 2u, 130u}) {
    const test::WasmBytes module =
        test::WasmModule(imports, {"first", "", "third<T>::f", "gr\xc3\xbc"});
    std::string seed;
    Append(&seed, static_cast<uint16_t>(imports + 2));
    Append(&seed, uint16_t{0x0101});
    seeds.push_back(seed.append(module.begin(), module.end()));
  }
  return seeds;
}

void RunOne(Bytes bytes) {
  static FencedMemory memory(1 << 16);
  Input input(bytes);
  const auto index = input.Take<uint16_t>();
  const auto kind = input.Take<uint16_t>();
  const Bytes rest = input.TakeBytes(memory.capacity());
  if (rest.size() < 8) return;  // V8 has seen a header, else there is no module
  const WasmModuleBytes module(memory.Put(rest, (kind & 1) != 0), rest.size());
  uint32_t number;
  bool shortened;
  char name[64];
  const uint32_t capacity = std::min<uint32_t>(kind >> 8, sizeof(name));
  module.CountImportedFunctions(&number);
  Require(module.ReadFunctionName(index, name, capacity, &shortened) <= capacity,
          "a name is longer than its room");
  if (module.FindFunctionBody(index, &number))
    Require(number <= rest.size(), "a body outside of the module");
}

}  // namespace spprof::fuzz
