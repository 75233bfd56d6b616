// Finds, in one ELF file, the symbols that cover addresses. One pass over the symbol table, in
// blocks, for all addresses together; the table (of node: 165,000 entries) is neither sorted nor
// kept.
//
// Which symbol an address gets: of those whose [value, value + size) covers it, the smallest, then
// GLOBAL before WEAK before LOCAL, then a function before an untyped one. If none covers it, the
// nearest preceding one without a size (assembly) of the same section, unless one with a size ends
// in between. Else the PLT's entry for a function: `name@plt`.
//
// Context: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "platform/elf_file.h"

namespace spprof {

struct SymbolLookupResult {
  static constexpr uint32_t kNone = UINT32_MAX;
  // Per address: an index into `names`, or kNone. Addresses of one symbol share the index.
  std::vector<uint32_t> symbols;
  // As in the file (mangled), without the symbol version.
  std::vector<std::string> names;
};

// `addresses`: as the file numbers them (not where it is loaded), ascending.
SymbolLookupResult LookUpSymbols(const ElfFile& file, std::span<const uint64_t> addresses);

// The name of the PLT entry at `address`: `name@plt`, or `.plt` if it is one but what it calls is
// not known; empty if it is not in a PLT. `section`: the one that holds the address.
std::string PltEntryName(const ElfFile& file, const ElfFile::Section& section, uint64_t address);

}  // namespace spprof
