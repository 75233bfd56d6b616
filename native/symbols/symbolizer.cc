#include "symbols/symbolizer.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "platform/elf_file.h"
#include "symbols/demangle.h"
#include "symbols/frame_table.h"
#include "symbols/symbol_lookup.h"

namespace spprof {
namespace {

constexpr char kBuiltinPrefix[] = "Builtins_";
constexpr char kDeletedSuffix[] =
    " (deleted)";  // as /proc/<pid>/maps marks a file that has lost its name
constexpr char kUnmapped[] = "[unknown]";

std::string WithoutDeletedSuffix(const std::string& path) {
  const size_t suffix = sizeof(kDeletedSuffix) - 1;
  if (path.size() > suffix && path.compare(path.size() - suffix, suffix, kDeletedSuffix) == 0) {
    return path.substr(0, path.size() - suffix);
  }
  return path;
}

std::string Basename(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string OffsetName(const std::string& module, uint64_t offset) {
  char hex[24];
  snprintf(hex, sizeof(hex), "+0x%llx", static_cast<unsigned long long>(offset));
  return Basename(module) + hex;
}

// Which mapping holds an address, when later ones lie over earlier ones.
class AddressSpace {
 public:
  explicit AddressSpace(std::span<const Mapping> mappings) {
    for (uint32_t i = 0; i < mappings.size(); ++i) {
      if (mappings[i].start < mappings[i].end) Lay(mappings[i].start, mappings[i].end, i);
    }
  }

  std::optional<uint32_t> Find(uint64_t address) const {
    auto next = ranges_.upper_bound(address);
    if (next == ranges_.begin()) return std::nullopt;
    const Range& range = std::prev(next)->second;
    if (address >= range.end) return std::nullopt;
    return range.mapping;
  }

 private:
  struct Range {
    uint64_t end;
    uint32_t mapping;
  };

  // Cuts what lies under [start, end) away, then lays it there.
  void Lay(uint64_t start, uint64_t end, uint32_t mapping) {
    auto at = ranges_.lower_bound(start);
    if (at != ranges_.begin()) {
      Range& before = std::prev(at)->second;
      if (before.end > end) ranges_[end] = before;  // it shows on both sides
      if (before.end > start) before.end = start;
    }
    at = ranges_.lower_bound(start);
    while (at != ranges_.end() && at->first < end) {
      if (at->second.end > end) ranges_[end] = at->second;
      at = ranges_.erase(at);
    }
    ranges_[start] = {end, mapping};
  }

  std::map<uint64_t, Range> ranges_;  // by start, disjoint
};

struct Place {
  uint64_t file_offset;
  uint32_t address;  // index into the caller's addresses
};

// The file behind a mapping, if it is (still) the one that was mapped.
std::unique_ptr<ElfFile> OpenModule(const Mapping& mapping) {
  const std::string path = WithoutDeletedSuffix(mapping.path);
  std::unique_ptr<ElfFile> file;
  if (path == "[vdso]") {
    file = ElfFile::OpenVdso();
  } else if (!path.empty() && path[0] == '/') {
    file = ElfFile::Open(path);
  }
  if (file == nullptr) return nullptr;
  const bool is_known = !mapping.build_id.empty() && !file->build_id().empty();
  if (is_known && mapping.build_id != file->build_id()) return nullptr;
  // A deleted file's name may have gone to another; only the build id can tell.
  if (!is_known && path != mapping.path) return nullptr;
  return file;
}

class Work {
 public:
  explicit Work(size_t address_count) { result_.symbol_of.resize(address_count); }

  void AddUnmapped(uint32_t address) { Set(address, kUnmapped, ""); }

  void AddModule(const Mapping& mapping, const std::vector<Place>& places) {
    const std::string module = WithoutDeletedSuffix(mapping.path);
    const std::unique_ptr<ElfFile> file = OpenModule(mapping);
    if (file == nullptr) {
      for (const Place& place : places)
        Set(place.address, OffsetName(module, place.file_offset), module);
      return;
    }
    // (address in the file, place), ascending.
    std::vector<std::pair<uint64_t, uint32_t>> order;
    for (const Place& place : places) {
      const std::optional<uint64_t> address = file->AddressOfOffset(place.file_offset);
      if (address.has_value()) {
        order.emplace_back(*address, place.address);
      } else {
        Set(place.address, OffsetName(module, place.file_offset), module);
      }
    }
    std::sort(order.begin(), order.end());
    std::vector<uint64_t> addresses;
    addresses.reserve(order.size());
    for (const auto& [address, index] : order) addresses.push_back(address);
    const SymbolLookupResult found = LookUpSymbols(*file, addresses);
    std::vector<uint32_t> indexes;
    indexes.reserve(found.names.size());
    for (const std::string& name : found.names) indexes.push_back(AddNamed(name, module));
    std::optional<FrameTable> functions;  // read when the first address without a symbol comes
    for (size_t i = 0; i < order.size(); ++i) {
      const uint32_t symbol = found.symbols[i];
      if (symbol != SymbolLookupResult::kNone) {
        result_.symbol_of[order[i].second] = indexes[symbol];
      } else {
        if (!functions.has_value()) functions.emplace(*file);
        const uint64_t start = functions->FunctionAt(addresses[i]).value_or(addresses[i]);
        Set(order[i].second, OffsetName(module, start), module);
      }
    }
  }

  Symbolization Take() && { return std::move(result_); }

 private:
  uint32_t AddNamed(const std::string& name, const std::string& module) {
    constexpr size_t kPrefix = sizeof(kBuiltinPrefix) - 1;
    const bool is_builtin = name.size() > kPrefix && name.compare(0, kPrefix, kBuiltinPrefix) == 0;
    std::string shown = is_builtin       ? name.substr(kPrefix)
                        : name == ".plt" ? Basename(module) + name
                                         : Demangle(name);
    result_.symbols.push_back({std::move(shown), module, is_builtin});
    return static_cast<uint32_t>(result_.symbols.size() - 1);
  }

  void Set(uint32_t address, std::string name, const std::string& module) {
    const auto [entry, is_new] = by_offset_name_.try_emplace(
        module + '\0' + name, static_cast<uint32_t>(result_.symbols.size()));
    if (is_new) result_.symbols.push_back({std::move(name), module, false});
    result_.symbol_of[address] = entry->second;
  }

  Symbolization result_;
  std::unordered_map<std::string, uint32_t> by_offset_name_;
};

}  // namespace

Symbolization Symbolize(std::span<const Mapping> mappings, std::span<const uint64_t> addresses) {
  const AddressSpace space(mappings);
  Work work(addresses.size());
  // By file: all mappings of it are looked up in one pass.
  std::map<std::pair<std::string, std::string>, std::pair<uint32_t, std::vector<Place>>> files;
  for (uint32_t i = 0; i < addresses.size(); ++i) {
    const std::optional<uint32_t> found = space.Find(addresses[i]);
    if (!found.has_value()) {
      work.AddUnmapped(i);
      continue;
    }
    const Mapping& mapping = mappings[*found];
    auto& [first_mapping, places] = files[{mapping.path, mapping.build_id}];
    if (places.empty()) first_mapping = *found;
    places.push_back({addresses[i] - mapping.start + mapping.file_offset, i});
  }
  for (const auto& [key, file] : files) work.AddModule(mappings[file.first], file.second);
  return std::move(work).Take();
}

}  // namespace spprof
