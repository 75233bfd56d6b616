// A WebAssembly module's own bytes, as the binary format has them
// (https://webassembly.github.io/spec/core/binary/modules.html, and its appendix for names).
//
// Context: signal. Guarded loads only; the bytes are anybody's, so whatever they say is checked.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spprof {

class WasmModuleBytes {
 public:
  WasmModuleBytes(uint64_t begin, uint64_t size) : begin_(begin), end_(begin + size) {}

  // Imported functions come first in the index space. False: the bytes are not understood.
  bool CountImportedFunctions(uint32_t* out) const;
  // The name that the section "name" gives; as far as it fits, what is not ASCII as '?'. Gives its
  // length; 0: it has none.
  uint32_t ReadFunctionName(uint32_t index, char* out, uint32_t capacity, bool* shortened) const;
  // Offset of the function's body in the module.
  bool FindFunctionBody(uint32_t index, uint32_t* offset) const;

 private:
  class Cursor;
  // The content of the first section of a kind; of custom sections, the one called "name".
  bool FindSection(uint8_t id, Cursor* out) const;

  uint64_t begin_;
  uint64_t end_;
};

}  // namespace spprof
