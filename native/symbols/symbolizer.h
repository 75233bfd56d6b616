// Addresses to function names, for many addresses at once and mappings as /proc/<pid>/maps gives
// them. Made for one call at the end of a recording (2,000 addresses of node: tens of
// milliseconds); it keeps nothing between calls.
//
// Never fails: what cannot be found out gets a name that says where it is, `libfoo.so+0x1234` (the
// file's own numbering): the function's first address, where call-frame rules tell it, else its
// own.
//
// Context: any thread; not in the signal handler.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace spprof {

struct Mapping {
  uint64_t start = 0;  // [start, end): where it is mapped
  uint64_t end = 0;
  uint64_t file_offset = 0;  // of `start`
  std::string path;          // or "[vdso]"
  std::string build_id;      // raw bytes; empty: unknown
};

struct Symbol {
  std::string name;    // demangled where possible; without `Builtins_` for V8's builtins
  std::string module;  // path of the file; empty: the address is in no mapping
  bool is_builtin = false;
};

struct Symbolization {
  // Per address: an index into `symbols`.
  std::vector<uint32_t> symbol_of;
  std::vector<Symbol> symbols;
};

// Where mappings overlap, the later one in `mappings` holds (a library was unloaded, another took
// its place). A module whose file has another build id now than when it was mapped gives offsets,
// not names.
Symbolization Symbolize(std::span<const Mapping> mappings, std::span<const uint64_t> addresses);

}  // namespace spprof
