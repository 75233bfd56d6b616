// WebAssembly modules in their binary format, as far as tests need one.
//
// Context: tests only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spprof::test {

using WasmBytes = std::vector<uint8_t>;

inline void AppendNumber(WasmBytes* out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<uint8_t>(number | 0x80));
  out->push_back(static_cast<uint8_t>(number));
}
inline void AppendPart(WasmBytes* out, const WasmBytes& part) {
  AppendNumber(out, part.size());
  out->insert(out->end(), part.begin(), part.end());
}
inline void AppendText(WasmBytes* out, const std::string& text) {
  AppendPart(out, WasmBytes(text.begin(), text.end()));
}
inline void AppendSection(WasmBytes* out, uint8_t id, const WasmBytes& content) {
  out->push_back(id);
  AppendPart(out, content);
}

// `imports` functions, one of each other thing that can be imported, and as many functions as there
// are names, an empty one for a function without a name; body n is of n + 2 bytes.
inline WasmBytes WasmModule(uint32_t imports, const std::vector<std::string>& names) {
  WasmBytes module = {0, 'a', 's', 'm', 1, 0, 0, 0};
  WasmBytes custom, section;
  AppendText(&custom, "nam");  // not the one that is asked for
  AppendSection(&module, 0, custom);
  const std::vector<WasmBytes> others = {
      {1, 0x70, 1, 1, 200, 1},   // table of funcref, 1 to 200
      {1, 0x64, 0x6a, 0, 5},     // table of (ref i31), no maximum
      {2, 3, 1, 0x80, 0x80, 4},  // shared memory
      {3, 0x7f, 1},              // variable i32
      {4, 0, 0},                 // exception
  };
  AppendNumber(&section, imports + others.size());
  for (size_t i = 0; i < imports + others.size(); i++) {
    AppendText(&section, "module");
    AppendText(&section, "f");
    const WasmBytes what = i < others.size() ? others[i] : WasmBytes{0, 0};
    section.insert(section.end(), what.begin(), what.end());
  }
  AppendSection(&module, 2, section);

  section.clear();
  AppendNumber(&section, names.size());
  for (size_t i = 0; i < names.size(); i++) AppendPart(&section, WasmBytes(i + 2, 0x0b));
  AppendSection(&module, 10, section);

  section.clear();
  AppendText(&section, "name");
  AppendSection(&section, 0, {1, 'm'});  // the module's own name
  WasmBytes map;
  uint32_t count = 0;
  for (size_t i = 0; i < names.size(); i++) {
    if (names[i].empty()) continue;
    count++;
    AppendNumber(&map, imports + i);
    AppendText(&map, names[i]);
  }
  WasmBytes functions;
  AppendNumber(&functions, count);
  functions.insert(functions.end(), map.begin(), map.end());
  AppendSection(&section, 1, functions);
  AppendSection(&module, 0, section);
  return module;
}

}  // namespace spprof::test
