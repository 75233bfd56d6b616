#include "symbols/symbol_lookup.h"

#include <algorithm>
#include <unordered_map>

namespace spprof {
namespace {

constexpr uint32_t kNone = SymbolLookupResult::kNone;
constexpr size_t kSymbolsPerBlock = 8192;

struct Candidate {
  uint32_t symbol = kNone;  // index in the symbol table
  uint32_t name = 0;        // offset in the string table
  uint64_t value = 0;
  uint64_t size = 0;
  int rank = 0;  // lower is better, among equal sizes
};

int RankOf(const Elf64_Sym& symbol) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info);
  const int by_binding = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 2 : 4;
  return by_binding + (ELF64_ST_TYPE(symbol.st_info) == STT_NOTYPE ? 1 : 0);
}

bool NamesCode(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  if (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC) return false;
  // SHN_XINDEX (more than 65,279 sections) is far from any file with code that we sample.
  return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < SHN_LORESERVE && symbol.st_name != 0;
}

// What one pass over a symbol table learns about each address.
class Pass {
 public:
  Pass(const ElfFile& file, std::span<const uint64_t> addresses)
      : addresses_(addresses),
        covering_(addresses.size()),
        unsized_(addresses.size()),
        last_end_(addresses.size()) {
    sections_.reserve(addresses.size());
    for (const uint64_t address : addresses) sections_.push_back(file.SectionOfAddress(address));
  }

  void Offer(uint32_t index, const Elf64_Sym& symbol) {
    const uint64_t value = symbol.st_value;
    auto at = static_cast<size_t>(std::lower_bound(addresses_.begin(), addresses_.end(), value) -
                                  addresses_.begin());
    if (at == addresses_.size()) return;
    const Candidate candidate{index, symbol.st_name, value, symbol.st_size, RankOf(symbol)};
    // Only the first address behind a symbol remembers it; Finish() carries it on to those behind
    // that one.
    if (sections_[at] == symbol.st_shndx) {
      if (symbol.st_size == 0) {
        if (IsNearer(candidate, unsized_[at])) unsized_[at] = candidate;
      } else {
        const uint64_t end = value + std::min(symbol.st_size, UINT64_MAX - value);
        last_end_[at] = std::max(last_end_[at], end);
      }
    }
    for (; at < addresses_.size() && addresses_[at] - value < symbol.st_size; ++at) {
      if (IsTighter(candidate, covering_[at])) covering_[at] = candidate;
    }
  }

  // The best candidate of every address; `symbol` is kNone where there is none.
  std::vector<Candidate> Finish() && {
    Candidate unsized;
    uint64_t last_end = 0;
    for (size_t i = 0; i < addresses_.size(); ++i) {
      if (i > 0 && sections_[i] != sections_[i - 1]) {
        unsized = {};
        last_end = 0;
      }
      if (unsized_[i].symbol != kNone) unsized = unsized_[i];
      last_end = std::max(last_end, last_end_[i]);
      if (covering_[i].symbol != kNone || unsized.symbol == kNone) continue;
      // A sized symbol that ends between the label and the address: the label is inside of it or
      // before it, and the address belongs to neither.
      if (last_end <= unsized.value) covering_[i] = unsized;
    }
    return std::move(covering_);
  }

  uint32_t SectionOf(size_t i) const { return sections_[i]; }

 private:
  static bool IsTighter(const Candidate& a, const Candidate& b) {
    if (b.symbol == kNone) return true;
    return a.size != b.size ? a.size < b.size : a.rank < b.rank;
  }
  static bool IsNearer(const Candidate& a, const Candidate& b) {
    if (b.symbol == kNone) return true;
    return a.value != b.value ? a.value > b.value : a.rank < b.rank;
  }

  std::span<const uint64_t> addresses_;
  std::vector<uint32_t> sections_;
  std::vector<Candidate> covering_;
  std::vector<Candidate> unsized_;  // the nearest one before the address
  std::vector<uint64_t> last_end_;  // the largest end of a sized one that begins before it
};

}  // namespace

SymbolLookupResult LookUpSymbols(const ElfFile& file, std::span<const uint64_t> addresses) {
  SymbolLookupResult result;
  result.symbols.assign(addresses.size(), kNone);
  Pass pass(file, addresses);
  const ElfFile::Section* table = file.FindSectionOfType(SHT_SYMTAB);
  if (table == nullptr) table = file.FindSectionOfType(SHT_DYNSYM);
  if (table != nullptr) {
    file.ForEachSymbol(*table, [&pass](uint32_t index, const Elf64_Sym& symbol) {
      if (NamesCode(symbol)) pass.Offer(index, symbol);
      return true;
    });
  }
  const std::vector<Candidate> candidates = std::move(pass).Finish();

  ElfFile::Section no_names;
  const bool has_names = table != nullptr && table->link < file.sections().size();
  const ElfFile::Section& names = has_names ? file.sections()[table->link] : no_names;
  std::unordered_map<uint32_t, uint32_t> index_of_symbol;
  std::unordered_map<std::string, uint32_t> index_of_plt_name;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Candidate& best = candidates[i];
    if (best.symbol != kNone) {
      const auto [entry, is_new] =
          index_of_symbol.try_emplace(best.symbol, static_cast<uint32_t>(result.names.size()));
      if (is_new) {
        std::string name = file.ReadString(names, best.name);
        // GNU ld writes versions into the names of .symtab: memcpy@@GLIBC_2.14.
        if (const size_t at = name.find('@'); at != std::string::npos && at > 0) name.resize(at);
        result.names.push_back(std::move(name));
      }
      result.symbols[i] = entry->second;
    } else if (const uint32_t section = pass.SectionOf(i); section != 0) {
      std::string name = PltEntryName(file, file.sections()[section], addresses[i]);
      if (name.empty()) continue;
      const auto [entry, is_new] =
          index_of_plt_name.try_emplace(name, static_cast<uint32_t>(result.names.size()));
      if (is_new) result.names.push_back(std::move(name));
      result.symbols[i] = entry->second;
    }
  }
  return result;
}

}  // namespace spprof
