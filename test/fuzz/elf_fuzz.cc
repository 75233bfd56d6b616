// ELF files: sections, segments, build id, symbols, PLTs. In memory, at its exact size.
#include <sys/auxv.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core_support.h"
#include "fuzz_target.h"
#include "platform/elf_file.h"
#include "symbols/demangle.h"
#include "symbols/symbol_lookup.h"

namespace spprof::fuzz {

const uint64_t kMaxCpuNs = kReaderCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {test::ReadFile(SPPROF_FUZZ_ELF)};
  const auto* vdso = reinterpret_cast<const char*>(getauxval(AT_SYSINFO_EHDR));
  if (vdso != nullptr) {
    const auto* header = reinterpret_cast<const Elf64_Ehdr*>(vdso);
    seeds.emplace_back(vdso, header->e_shoff + size_t{header->e_shnum} * header->e_shentsize);
  }
  return seeds;
}

void RunOne(Bytes bytes) {
  const auto image = std::make_unique<uint8_t[]>(std::max<size_t>(bytes.size(), 1));
  std::copy(bytes.begin(), bytes.end(), image.get());
  const std::unique_ptr<ElfFile> file = ElfFile::FromMemory(image.get(), bytes.size());
  if (file == nullptr) return;
  std::vector<uint64_t> addresses;
  for (uint64_t address = 0; address < 0x4000; address += 0x31) addresses.push_back(address);
  for (const ElfFile::Section& section : file->sections()) {
    addresses.push_back(section.address);
    addresses.push_back(section.address + section.size / 2);
  }
  std::sort(addresses.begin(), addresses.end());
  const SymbolLookupResult found = LookUpSymbols(*file, addresses);
  Require(found.symbols.size() == addresses.size(), "an address without an answer");
  for (const uint32_t symbol : found.symbols) {
    Require(symbol == SymbolLookupResult::kNone || symbol < found.names.size(),
            "a symbol that there is not");
  }
  for (const std::string& name : found.names) Demangle(name);
  for (const uint64_t offset : {0ul, 0x1000ul, ~0ul}) {
    if (const auto address = file->AddressOfOffset(offset)) file->SectionOfAddress(*address);
  }
}

}  // namespace spprof::fuzz
