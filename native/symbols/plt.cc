// Names of PLT entries (x86-64). The entry's own jump tells its GOT slot, and the relocation of
// that slot the function; that holds for .plt, .plt.sec and .plt.got, whatever their order.
#include <cstring>
#include <vector>

#include "symbols/symbol_lookup.h"

namespace spprof {
namespace {

// Where the jump of the PLT entry at `entry` (an address) finds its target; 0: there is none.
uint64_t GotSlotOf(const ElfFile& file, const ElfFile::Section& section, uint64_t entry,
                   size_t entry_size) {
  unsigned char code[16] = {};
  const size_t got = file.ReadSome(section.offset + (entry - section.address), code, entry_size);
  // jmp *disp32(%rip) is ff 25; before it endbr64 and a bnd prefix may stand. The first entry of
  // .plt begins with push (ff 35): it is the resolver's, and no function's.
  if (code[0] == 0xff && code[1] == 0x35) return 0;
  for (size_t i = 0; i + 6 <= got; ++i) {
    if (code[i] != 0xff || code[i + 1] != 0x25) continue;
    int32_t displacement;
    memcpy(&displacement, code + i + 2, sizeof(displacement));
    return entry + i + 6 + static_cast<uint64_t>(int64_t{displacement});
  }
  return 0;
}

std::string SymbolOfSlot(const ElfFile& file, const ElfFile::Section& relocations, uint64_t slot) {
  if (relocations.link >= file.sections().size()) return {};
  const ElfFile::Section& symbols = file.sections()[relocations.link];
  if (symbols.link >= file.sections().size()) return {};
  std::vector<Elf64_Rela> block(1024);
  const uint64_t count = relocations.size / sizeof(Elf64_Rela);
  for (uint64_t first = 0; first < count; first += block.size()) {
    const size_t got = file.ReadSome(relocations.offset + first * sizeof(Elf64_Rela), block.data(),
                                     block.size() * sizeof(Elf64_Rela)) /
                       sizeof(Elf64_Rela);
    for (size_t i = 0; i < got && first + i < count; ++i) {
      if (block[i].r_offset != slot) continue;
      Elf64_Sym symbol;
      const uint64_t offset = symbols.offset + ELF64_R_SYM(block[i].r_info) * sizeof(symbol);
      if (!file.Read(offset, &symbol, sizeof(symbol))) return {};
      return file.ReadString(file.sections()[symbols.link], symbol.st_name);
    }
    if (got < block.size()) break;
  }
  return {};
}

}  // namespace

std::string PltEntryName(const ElfFile& file, const ElfFile::Section& section, uint64_t address) {
  if (section.name.compare(0, 4, ".plt") != 0) return {};
  const uint64_t entry_size = section.entry_size == 8 ? 8 : 16;
  const uint64_t entry = address - (address - section.address) % entry_size;
  const uint64_t slot = GotSlotOf(file, section, entry, static_cast<size_t>(entry_size));
  if (slot != 0) {
    for (const char* name : {".rela.plt", ".rela.dyn"}) {
      const ElfFile::Section* relocations = file.FindSection(name);
      if (relocations == nullptr) continue;
      const std::string function = SymbolOfSlot(file, *relocations, slot);
      if (!function.empty()) return function + "@plt";
    }
  }
  return ".plt";
}

}  // namespace spprof
