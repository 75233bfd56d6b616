// A WebAssembly module's own bytes, as the binary format has them
// (https://webassembly.github.io/spec/core/binary/modules.html, and its appendix for names). Of a
// short module the handler reads what it needs; a longer one is read outside of it, once
// (wasm_index.h), as that takes milliseconds.
//
// Context: signal | any thread. Guarded loads only; the bytes are the program's, so whatever they
// say is checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signal_safe/v8_heap/wasm_cursor.h"

namespace spprof {

// Sections by their ids; the section "name" has parts of its own.
inline constexpr uint64_t kWasmHeaderBytes = 8;
inline constexpr uint8_t kWasmCustomSection = 0, kWasmImportSection = 2, kWasmCodeSection = 10;
inline constexpr uint8_t kWasmFunctionNames = 1;

// Whether a custom section is the one called "name"; moves the cursor behind that.
bool IsWasmNameSection(WasmCursor* section);
// Counts the functions among what the import section at the cursor imports. False: it is not
// understood, or has more than `max_imports`.
bool CountWasmImports(WasmCursor* imports, uint32_t max_imports, uint32_t* out);
// Copies a name as far as it fits, what is not ASCII as '?'. Gives its length.
uint32_t CopyWasmName(WasmCursor* name, char* out, uint32_t capacity, bool* shortened);

class WasmModuleBytes {
 public:
  WasmModuleBytes(uint64_t begin, uint64_t size) : begin_(begin), end_(begin + size) {}

  // What follows reads every byte, at some nanoseconds each: of longer modules it says nothing.
  static constexpr uint64_t kMaxBytes = 8 * 1024;
  bool IsShort() const { return end_ - begin_ <= kMaxBytes; }

  // Imported functions come first in the index space. False: the bytes are not understood.
  bool CountImportedFunctions(uint32_t* out) const;
  // The name that the section "name" gives. Gives its length; 0: it has none.
  uint32_t ReadFunctionName(uint32_t index, char* out, uint32_t capacity, bool* shortened) const;
  // Offset of the function's body in the module.
  bool FindFunctionBody(uint32_t index, uint32_t* offset) const;

  // Of a module of any length: the name of the entry at `offset`, if it is `index`'s.
  uint32_t ReadNameAt(uint32_t offset, uint32_t index, char* out, uint32_t capacity,
                      bool* shortened) const;

 private:
  // The content of the first section of a kind; of custom sections, the one called "name".
  bool FindSection(uint8_t id, WasmCursor* out) const;

  uint64_t begin_;
  uint64_t end_;
};

}  // namespace spprof
