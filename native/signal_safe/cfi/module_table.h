// The executable ranges of the process, sorted, as the walker looks a program counter up. Built
// outside the handler, never changed afterwards; a new table replaces it (sampler.h).
//
// Context: signal | any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signal_safe/cfi/cfi.h"

namespace spprof {

enum class CodeKind : uint8_t {
  kNative,  // a loaded object; where no call-frame entry covers a pc, frame pointers are followed
  kV8Host,  // the object that V8 is linked into: what no entry covers there is an embedded builtin
  kBuiltinsCopy,  // V8's second mapping of its embedded builtins: frame pointers only
};

struct ModuleRange {
  uintptr_t start = 0;
  uintptr_t end = 0;
  CodeKind kind = CodeKind::kNative;
  bool has_cfi = false;
  CfiModule cfi{};
};

struct ModuleTable {
  const ModuleRange* ranges = nullptr;
  size_t count = 0;

  // 1 + the index of the range that `pc` is in; 0: no file is mapped there, so it is generated
  // code, or nothing.
  size_t Find(uintptr_t pc) const {
    size_t low = 0, high = count;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (ranges[middle].end <= pc) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count && ranges[low].start <= pc ? low + 1 : 0;
  }

  // Of what Find returned.
  const ModuleRange* At(size_t found) const { return found != 0 ? &ranges[found - 1] : nullptr; }
};

}  // namespace spprof
