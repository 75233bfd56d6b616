#include "v8/metadata.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>

namespace spprof {

namespace {

constexpr std::string_view kPrefix = "v8dbg_";

// Number of dynamic symbols: the GNU hash table does not say, so it is the end of the last chain
// (the format as in the binutils' description of DT_GNU_HASH).
size_t SymbolCount(const uint32_t* gnu_hash) {
  const uint32_t bucket_count = gnu_hash[0], first_symbol = gnu_hash[1], bloom_words = gnu_hash[2];
  const uint32_t* buckets = gnu_hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
  const uint32_t* chains = buckets + bucket_count;
  uint32_t last = 0;
  for (uint32_t i = 0; i < bucket_count; i++) last = std::max(last, buckets[i]);
  if (last < first_symbol) return first_symbol;
  while ((chains[last - first_symbol] & 1) == 0) last++;
  return last + 1;
}

}  // namespace

V8Metadata V8Metadata::Load() {
  V8Metadata metadata;
  void* known = dlsym(RTLD_DEFAULT, "v8dbg_SmiTag");
  Dl_info info;
  link_map* object = nullptr;
  if (known == nullptr ||
      dladdr1(known, &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP) == 0 ||
      object == nullptr) {
    return metadata;
  }
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const uint32_t* gnu_hash = nullptr;
  for (const ElfW(Dyn)* entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
    // glibc relocates these entries in place; musl leaves them as they are in the file.
    const uintptr_t address =
        entry->d_un.d_ptr < object->l_addr ? entry->d_un.d_ptr + object->l_addr : entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(address);
    if (entry->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(address);
    if (entry->d_tag == DT_GNU_HASH) gnu_hash = reinterpret_cast<const uint32_t*>(address);
  }
  if (symbols == nullptr || names == nullptr || gnu_hash == nullptr) return metadata;
  metadata.object_base_ = reinterpret_cast<uintptr_t>(info.dli_fbase);
  metadata.load_bias_ = object->l_addr;
  // The executable has no name here, and may have been replaced where it lay.
  metadata.object_path_ = object->l_name[0] != '\0' ? object->l_name : "/proc/self/exe";
  const size_t count = SymbolCount(gnu_hash);
  for (size_t i = 0; i < count; i++) {
    const ElfW(Sym)& symbol = symbols[i];
    if (symbol.st_size != sizeof(int) || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT) continue;
    const std::string_view name = names + symbol.st_name;
    if (!name.starts_with(kPrefix)) continue;
    metadata.entries_.emplace_back(name.substr(kPrefix.size()),
                                   *reinterpret_cast<const int*>(object->l_addr + symbol.st_value));
  }
  std::sort(metadata.entries_.begin(), metadata.entries_.end());
  return metadata;
}

V8Metadata V8Metadata::FromEntries(std::vector<std::pair<std::string_view, int>> entries) {
  V8Metadata metadata;
  metadata.entries_ = std::move(entries);
  std::sort(metadata.entries_.begin(), metadata.entries_.end());
  return metadata;
}

int V8Metadata::Find(std::initializer_list<std::string_view> prefixes, int missing) const {
  for (std::string_view prefix : prefixes) {
    auto at =
        std::lower_bound(entries_.begin(), entries_.end(), prefix,
                         [](const auto& entry, std::string_view key) { return entry.first < key; });
    if (at != entries_.end() && at->first.starts_with(prefix)) return at->second;
  }
  return missing;
}

}  // namespace spprof
