// Symbols of real files are compared with what binutils (nm, objdump) say of the same files.
#include "symbols/symbolizer.h"

#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>

#include "log_fixture.h"
#include "platform/elf_file.h"
#include "symbols/demangle.h"
#include "symbols/frame_table.h"
#include "symbols/symbol_lookup.h"

namespace spprof {
namespace {

constexpr uint64_t kBase = 0x7f0000000000;  // where the tests pretend that a file is mapped

std::vector<std::string> LinesOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::vector<std::string> lines;
  std::string line;
  for (int c; pipe != nullptr && (c = fgetc(pipe)) != EOF;) {
    if (c == '\n') {
      lines.push_back(std::move(line));
      line.clear();
    } else {
      line.push_back(static_cast<char>(c));
    }
  }
  if (pipe != nullptr) pclose(pipe);
  return lines;
}

std::string RealPath(const std::string& path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) != nullptr ? buffer : path;
}

std::string NodePath() {
  const std::vector<std::string> lines = LinesOf("command -v node");
  return lines.empty() ? "" : RealPath(lines[0]);
}

std::string LibraryOf(const void* function) {
  Dl_info info;
  return dladdr(function, &info) != 0 ? RealPath(info.dli_fname) : "";
}

// The whole file, mapped at kBase.
Mapping WholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::ate | std::ios::binary);
  return {kBase, kBase + static_cast<uint64_t>(file.tellg()), 0, path, ""};
}

// Where an address of the file's own numbering lies when the file is mapped at kBase. Reads the
// program headers itself.
class Placement {
 public:
  explicit Placement(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Elf64_Ehdr header;
    file.read(reinterpret_cast<char*>(&header), sizeof(header));
    file.seekg(static_cast<std::streamoff>(header.e_phoff));
    segments_.resize(header.e_phnum);
    file.read(reinterpret_cast<char*>(segments_.data()),
              static_cast<std::streamsize>(segments_.size() * sizeof(Elf64_Phdr)));
  }
  // 0: in no executable segment.
  uint64_t operator()(uint64_t address) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz) {
        return kBase + address - segment.p_vaddr + segment.p_offset;
      }
    }
    return 0;
  }

 private:
  std::vector<Elf64_Phdr> segments_;
};

struct NmSymbol {
  uint64_t value = 0;
  uint64_t size = 0;
  std::string name;       // as in the file
  std::string demangled;  // as nm -C shows it
};

std::string WithoutVersion(const std::string& name) { return name.substr(0, name.find('@')); }

// nm calls weak ones W, as it does functions, and their values are no addresses.
std::set<std::string> ThreadLocals(const std::string& path) {
  std::set<std::string> names;
  for (const std::string& line : LinesOf("readelf -sW " + path + " 2>/dev/null")) {
    if (line.find(" TLS ") == std::string::npos) continue;
    names.insert(WithoutVersion(line.substr(line.rfind(' ') + 1)));
  }
  return names;
}

// Functions with a size, as nm lists them; of a stripped file its dynamic ones.
std::vector<NmSymbol> FunctionsByNm(const std::string& path) {
  std::vector<std::string> raw, demangled;
  for (const char* dynamic : {"", "-D "}) {
    raw = LinesOf("nm -p -S --defined-only " + std::string(dynamic) + path + " 2>/dev/null");
    demangled =
        LinesOf("nm -p -S -C --defined-only " + std::string(dynamic) + path + " 2>/dev/null");
    if (!raw.empty()) break;
  }
  EXPECT_EQ(raw.size(), demangled.size());
  const std::set<std::string> thread_locals = ThreadLocals(path);
  std::vector<NmSymbol> result;
  for (size_t i = 0; i < raw.size(); ++i) {
    NmSymbol symbol;
    std::istringstream in(raw[i]);
    std::string size, type;
    in >> std::hex >> symbol.value >> size >> type >> symbol.name;
    if (size.size() != 16 || type.size() != 1 || strchr("tTwWi", type[0]) == nullptr) continue;
    symbol.size = std::stoull(size, nullptr, 16);
    // "0000000000001234 0000000000000010 T name, with spaces"
    symbol.demangled = demangled[i].substr(16 + 1 + 16 + 1 + 1 + 1);
    if (const size_t at = symbol.demangled.rfind('@');
        at != std::string::npos && symbol.name.find('@') != std::string::npos) {
      symbol.demangled.resize(symbol.demangled.find('@'));
    }
    symbol.name = WithoutVersion(symbol.name);
    if (symbol.size > 0 && thread_locals.count(symbol.name) == 0)
      result.push_back(std::move(symbol));
  }
  std::sort(result.begin(), result.end(),
            [](const NmSymbol& a, const NmSymbol& b) { return a.value < b.value; });
  return result;
}

// The symbols that nm allows for an address: the smallest that cover it.
std::vector<NmSymbol> CoveringByNm(const std::vector<NmSymbol>& symbols, uint64_t address) {
  uint64_t smallest = UINT64_MAX;
  std::vector<NmSymbol> result;
  for (const NmSymbol& symbol : symbols) {
    if (symbol.value > address) break;
    if (address - symbol.value >= symbol.size || symbol.size > smallest) continue;
    if (symbol.size < smallest) result.clear();
    smallest = symbol.size;
    result.push_back(symbol);
  }
  return result;
}

std::string WithoutBuiltinPrefix(const std::string& name) {
  return name.rfind("Builtins_", 0) == 0 ? name.substr(9) : name;
}

void ExpectAgreementWithNm(const std::string& path, size_t count) {
  ASSERT_FALSE(path.empty());
  const unsigned seed = std::random_device{}();
  printf("%s: seed %u\n", path.c_str(), seed);
  std::mt19937_64 random(seed);
  const std::vector<NmSymbol> symbols = FunctionsByNm(path);
  ASSERT_GT(symbols.size(), 10u) << path;
  const Placement place(path);
  std::vector<uint64_t> own, mapped;
  while (own.size() < count) {
    const NmSymbol& symbol = symbols[random() % symbols.size()];
    const uint64_t address = symbol.value + random() % symbol.size;
    if (place(address) == 0) continue;  // in a section that is not mapped from the file
    own.push_back(address);
    mapped.push_back(place(address));
  }
  const Mapping mapping = WholeFile(path);
  const Symbolization result = Symbolize({&mapping, 1}, mapped);
  ASSERT_EQ(result.symbol_of.size(), count);
  size_t spelt_alike = 0;
  for (size_t i = 0; i < count; ++i) {
    const Symbol& symbol = result.symbols[result.symbol_of[i]];
    bool is_allowed = false, is_spelt_alike = false;
    const std::vector<NmSymbol> covering = CoveringByNm(symbols, own[i]);
    for (const NmSymbol& by_nm : covering) {
      is_allowed |= symbol.name == WithoutBuiltinPrefix(Demangle(by_nm.name));
      is_spelt_alike |= symbol.name == WithoutBuiltinPrefix(by_nm.demangled);
    }
    EXPECT_TRUE(is_allowed) << path << " seed " << seed << " address " << std::hex << own[i] << ": "
                            << symbol.name << ", nm: " << covering.front().name;
    EXPECT_EQ(symbol.module, path);
    spelt_alike += is_spelt_alike ? 1 : 0;
  }
  // Binutils may be newer than the C++ library and read manglings that it cannot yet.
  EXPECT_GE(spelt_alike, count * 97 / 100);
}

TEST(Symbolizer, AgreesWithNmOnThisProgram) {
  ExpectAgreementWithNm(RealPath("/proc/self/exe"), 500);
}

TEST(Symbolizer, AgreesWithNmOnTheCLibrary) {
  ExpectAgreementWithNm(LibraryOf(reinterpret_cast<void*>(&fopen)), 500);
}

TEST(Symbolizer, AgreesWithNmOnTheCxxLibrary) {
  void* function = dlsym(RTLD_DEFAULT, "_ZSt9terminatev");
  ASSERT_NE(function, nullptr);
  ExpectAgreementWithNm(LibraryOf(function), 500);
}

TEST(Symbolizer, AgreesWithNmOnNode) { ExpectAgreementWithNm(NodePath(), 500); }

TEST(Symbolizer, CallsV8sBuiltinsByTheirOwnName) {
  const std::string path = NodePath();
  const Placement place(path);
  std::vector<uint64_t> addresses;
  std::vector<std::string> names;
  for (const NmSymbol& symbol : FunctionsByNm(path)) {
    if (symbol.name.rfind("Builtins_", 0) != 0 || place(symbol.value) == 0) continue;
    addresses.push_back(place(symbol.value));
    names.push_back(symbol.name.substr(9));
  }
  EXPECT_GT(addresses.size(), 1000u);
  const Mapping mapping = WholeFile(path);
  const Symbolization result = Symbolize({&mapping, 1}, addresses);
  size_t same = 0;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Symbol& symbol = result.symbols[result.symbol_of[i]];
    EXPECT_TRUE(symbol.is_builtin) << symbol.name;
    same += symbol.name == names[i] ? 1 : 0;
  }
  EXPECT_GT(same, addresses.size() * 9 / 10);  // equal code is folded: one address, several names
}

TEST(Symbolizer, NamesPltEntriesAsObjdumpDoes) {
  const std::string path = NodePath();
  const Placement place(path);
  std::vector<uint64_t> addresses;
  std::vector<std::string> names;
  for (const std::string& line : LinesOf("objdump -d -j .plt --no-show-raw-insn " + path)) {
    // "0000000000b6f030 <malloc@plt>:"
    const size_t open = line.find(" <"), close = line.find("@plt>:");
    if (open != 16 || close == std::string::npos) continue;
    addresses.push_back(place(std::stoull(line.substr(0, 16), nullptr, 16)) + 6);
    names.push_back(line.substr(open + 2, close - open - 2));
  }
  ASSERT_GT(addresses.size(), 10u);
  const Mapping mapping = WholeFile(path);
  const Symbolization result = Symbolize({&mapping, 1}, addresses);
  for (size_t i = 0; i < addresses.size(); ++i) {
    EXPECT_EQ(result.symbols[result.symbol_of[i]].name, Demangle(names[i]) + "@plt");
  }
}

TEST(Symbolizer, NamesTheVdsosFunctions) {
  void* vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
  ASSERT_NE(vdso, nullptr);
  void* function = dlsym(vdso, "__vdso_clock_gettime");
  ASSERT_NE(function, nullptr);
  const uint64_t start = getauxval(AT_SYSINFO_EHDR);
  const Mapping mapping{start, start + 0x2000, 0, "[vdso]", ""};
  const uint64_t address = reinterpret_cast<uint64_t>(function) + 1;
  const Symbolization result = Symbolize({&mapping, 1}, {&address, 1});
  const Symbol& symbol = result.symbols.at(result.symbol_of.at(0));
  EXPECT_NE(symbol.name.find("clock_gettime"), std::string::npos) << symbol.name;
  EXPECT_EQ(symbol.module, "[vdso]");
}

TEST(Symbolizer, TellsThePlaceOfWhatItCannotName) {
  const std::string self = RealPath("/proc/self/exe");
  const Mapping mappings[] = {{0x1000, 0x2000, 0x5000, "/nowhere/libfoo.so", ""},
                              {0x3000, 0x4000, 0, self, "not its build id"},
                              {0x5000, 0x6000, 0, self + " (deleted)", ""}};
  const uint64_t addresses[] = {0x1234, 0x3010, 0x5010, 0x9000, 0x1234};
  const Symbolization result = Symbolize(mappings, addresses);
  const std::string base = self.substr(self.rfind('/') + 1);
  const auto symbol = [&](size_t i) { return result.symbols[result.symbol_of[i]]; };
  EXPECT_EQ(symbol(0).name, "libfoo.so+0x5234");
  EXPECT_EQ(symbol(0).module, "/nowhere/libfoo.so");
  EXPECT_EQ(symbol(2).name, base + "+0x10");
  EXPECT_EQ(symbol(2).module, self);
  EXPECT_EQ(symbol(3).name, "[unknown]");
  EXPECT_EQ(symbol(3).module, "");
  EXPECT_EQ(result.symbol_of[0], result.symbol_of[4]);
  const bool has_build_id = !ElfFile::Open(self)->build_id().empty();
  EXPECT_EQ(symbol(1).name == base + "+0x10", has_build_id);
}

TEST(Symbolizer, LetsALaterMappingCoverAnEarlierOne) {
  const Mapping mappings[] = {{0x1000, 0x9000, 0, "/nowhere/old.so", ""},
                              {0x3000, 0x4000, 0, "/nowhere/new.so", ""},
                              {0x8000, 0xa000, 0, "/nowhere/last.so", ""}};
  const uint64_t addresses[] = {0x1000, 0x2fff, 0x3000, 0x3fff, 0x4000,
                                0x7fff, 0x8000, 0x9fff, 0xa000};
  const char* expected[] = {"old.so+0x0",   "old.so+0x1fff",  "new.so+0x0",
                            "new.so+0xfff", "old.so+0x3000",  "old.so+0x6fff",
                            "last.so+0x0",  "last.so+0x1fff", "[unknown]"};
  const Symbolization result = Symbolize(mappings, addresses);
  for (size_t i = 0; i < std::size(addresses); ++i) {
    EXPECT_EQ(result.symbols[result.symbol_of[i]].name, expected[i]);
  }
}

TEST(Demangle, WritesRustAsRustDoes) {
  // Expected: what nm -C of binutils 2.40 prints.
  EXPECT_EQ(Demangle("_ZN4core5slice4sort6shared9smallsort14insertion_sort17h11bcb36e018985aeE"),
            "core::slice::sort::shared::smallsort::insertion_sort");
  EXPECT_EQ(Demangle("_ZN73_$LT$std..env..Args$u20$as$u20$core..iter..traits..iterator..Iterator$"
                     "GT$4next17h5e24963ef5e16defE"),
            "<std::env::Args as core::iter::traits::iterator::Iterator>::next");
  EXPECT_EQ(Demangle("_ZN1a1b17h11bcb36e01$985aeE"), "a::b::h11bcb36e01$985ae");  // no hash: C++
}

TEST(Demangle, KeepsWhatItCannotRead) {
  EXPECT_EQ(Demangle("_ZN2v88internal4Heap14CollectGarbageEv"),
            "v8::internal::Heap::CollectGarbage()");
  EXPECT_EQ(Demangle("_ZN2v87Isolate3NewEv@plt"), "v8::Isolate::New()@plt");
  EXPECT_EQ(Demangle("_Znonsense"), "_Znonsense");
  EXPECT_EQ(Demangle("i"), "i");
  EXPECT_EQ(Demangle("main"), "main");
  EXPECT_EQ(Demangle(""), "");
}

struct Range {
  uint64_t start;
  uint64_t end;
};

// The functions that a file has call-frame rules for, as binutils read them.
std::vector<Range> FunctionsWithRules(const std::string& path) {
  std::vector<Range> ranges;
  for (const std::string& line :
       LinesOf("readelf --debug-dump=frames '" + path + "' 2>/dev/null | grep ' FDE '")) {
    const size_t at = line.find("pc=");
    unsigned long long start = 0;
    unsigned long long end = 0;
    if (at == std::string::npos) continue;
    if (sscanf(line.c_str() + at, "pc=%llx..%llx", &start, &end) == 2 && start < end) {
      ranges.push_back({start, end});
    }
  }
  return ranges;
}

TEST(FrameTable, FindsTheFunctionsThatBinutilsFind) {
  const std::string libc = LibraryOf(reinterpret_cast<const void*>(&getpid));
  const std::vector<Range> ranges = FunctionsWithRules(libc);
  ASSERT_GT(ranges.size(), 1000U) << libc;
  const std::unique_ptr<ElfFile> file = ElfFile::Open(libc);
  ASSERT_NE(file, nullptr);
  const FrameTable table(*file);
  std::set<uint64_t> starts;
  for (const auto& [start, end] : ranges) starts.insert(start);
  size_t wrong = 0;
  for (const auto& [start, end] : ranges) {
    if (table.FunctionAt(start) != start) ++wrong;
    // Rules of a signal's return begin a byte early, inside of the function before.
    if (starts.lower_bound(start + 1) == starts.lower_bound(end) &&
        table.FunctionAt(end - 1) != start) {
      ++wrong;
    }
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_FALSE(table.FunctionAt(0).has_value());
  EXPECT_FALSE(table.FunctionAt(UINT64_MAX).has_value());
}

TEST(Symbolizer, NamesAFunctionWithoutASymbolOnce) {
  const std::string libc = LibraryOf(reinterpret_cast<const void*>(&getpid));
  const std::unique_ptr<ElfFile> file = ElfFile::Open(libc);
  ASSERT_NE(file, nullptr);
  std::vector<uint64_t> addresses;
  std::vector<Range> asked;
  for (const Range& range : FunctionsWithRules(libc)) {
    const uint64_t last = range.end - 1;
    const uint64_t both[] = {range.start, last};
    const SymbolLookupResult found = LookUpSymbols(*file, both);
    const bool is_nameless = found.symbols[0] == SymbolLookupResult::kNone &&
                             found.symbols[1] == SymbolLookupResult::kNone;
    if (!is_nameless || range.end - range.start < 2) continue;
    asked.push_back(range);
    addresses.push_back(kBase + range.start);
    addresses.push_back(kBase + last);
    if (asked.size() == 200) break;
  }
  if (asked.empty()) GTEST_SKIP() << libc << " has a symbol for each function";
  // As the file numbers them: the segments of a library lie where they are in the file, or a page
  // on.
  std::vector<Mapping> mappings;
  for (const auto& [start, end] : asked) {
    const uint32_t section = file->SectionOfAddress(start);
    const ElfFile::Section& in = file->sections()[section];
    mappings.push_back({kBase + start, kBase + end, in.offset + (start - in.address), libc, ""});
  }
  const Symbolization result = Symbolize(mappings, addresses);
  for (size_t i = 0; i < asked.size(); ++i) {
    EXPECT_EQ(result.symbol_of[2 * i], result.symbol_of[2 * i + 1])
        << result.symbols[result.symbol_of[2 * i]].name << ", "
        << result.symbols[result.symbol_of[2 * i + 1]].name;
  }
}

// An ELF image with one code section, at address 0x1000, and the symbols given.
struct TinySymbol {
  const char* name;
  uint64_t value;
  uint64_t size;
  unsigned char binding = STB_GLOBAL;
  unsigned char type = STT_FUNC;
};

std::string TinyElf(const std::vector<TinySymbol>& symbols) {
  std::string names(1, '\0'), table(sizeof(Elf64_Sym), '\0');
  for (const TinySymbol& symbol : symbols) {
    fixture::Append(
        &table, Elf64_Sym{static_cast<uint32_t>(names.size()),
                          static_cast<unsigned char>(ELF64_ST_INFO(symbol.binding, symbol.type)), 0,
                          1, symbol.value, symbol.size});
    names += symbol.name;
    names.push_back('\0');
  }
  const uint64_t table_at = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Shdr),
                 names_at = table_at + table.size();
  Elf64_Ehdr header{};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_shoff = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  std::string image;
  fixture::Append(&image, header);
  fixture::Append(&image, Elf64_Shdr{});
  fixture::Append(&image, Elf64_Shdr{0, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, 0, 0x1000,
                                     0, 0, 16, 0});
  fixture::Append(
      &image, Elf64_Shdr{0, SHT_SYMTAB, 0, 0, table_at, table.size(), 3, 0, 8, sizeof(Elf64_Sym)});
  fixture::Append(&image, Elf64_Shdr{0, SHT_STRTAB, 0, 0, names_at, names.size(), 0, 0, 1, 0});
  return image + table + names;
}

std::string NameIn(const std::string& image, uint64_t address) {
  const auto file = ElfFile::FromMemory(image.data(), image.size());
  const SymbolLookupResult result = LookUpSymbols(*file, {&address, 1});
  return result.symbols[0] == SymbolLookupResult::kNone ? "" : result.names[result.symbols[0]];
}

TEST(SymbolLookup, PrefersTheSmallestThatCovers) {
  const std::string image =
      TinyElf({{"outer", 0x1000, 0x100}, {"inner", 0x1010, 0x10}, {"label", 0x1014, 0}});
  EXPECT_EQ(NameIn(image, 0x1000), "outer");
  EXPECT_EQ(NameIn(image, 0x1010), "inner");
  EXPECT_EQ(NameIn(image, 0x101f), "inner");
  EXPECT_EQ(NameIn(image, 0x1020), "outer");
  EXPECT_EQ(NameIn(image, 0x10ff), "outer");
  EXPECT_EQ(NameIn(image, 0x1100), "");
  EXPECT_EQ(NameIn(image, 0xfff), "");
}

TEST(SymbolLookup, PrefersGlobalThenWeakThenLocalThenFunctions) {
  const TinySymbol local{"local", 0x1000, 16, STB_LOCAL}, weak{"weak", 0x1000, 16, STB_WEAK},
      global{"global", 0x1000, 16}, untyped{"untyped", 0x1000, 16, STB_GLOBAL, STT_NOTYPE},
      object{"object", 0x1000, 8, STB_GLOBAL, STT_OBJECT};
  EXPECT_EQ(NameIn(TinyElf({local, weak, object}), 0x1001), "weak");
  EXPECT_EQ(NameIn(TinyElf({weak, global, local}), 0x1001), "global");
  EXPECT_EQ(NameIn(TinyElf({untyped, global}), 0x1001), "global");
  EXPECT_EQ(NameIn(TinyElf({untyped, weak}), 0x1001), "untyped");
}

TEST(SymbolLookup, TakesThePrecedingOneOnlyIfItHasNoSize) {
  const std::string image = TinyElf(
      {{"sized", 0x1000, 0x10}, {"bare", 0x1020, 0, STB_LOCAL, STT_NOTYPE}, {"last", 0x1030, 4}});
  EXPECT_EQ(NameIn(image, 0x1018), "");
  EXPECT_EQ(NameIn(image, 0x1020), "bare");
  EXPECT_EQ(NameIn(image, 0x102f), "bare");
  EXPECT_EQ(NameIn(image, 0x1034), "");
}

TEST(SymbolLookup, TellsAllAddressesAtOnceWhatItTellsOneByOne) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<TinySymbol> symbols;
    const char* names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    for (const char* name : names)
      symbols.push_back({name, 0x1000 + random() % 64, random() % 3 * 8});
    const std::string image = TinyElf(symbols);
    std::vector<uint64_t> addresses;
    for (uint64_t address = 0xffe; address < 0x1060; address += random() % 4)
      addresses.push_back(address);
    const auto file = ElfFile::FromMemory(image.data(), image.size());
    const SymbolLookupResult result = LookUpSymbols(*file, addresses);
    for (size_t i = 0; i < addresses.size(); ++i) {
      const uint32_t symbol = result.symbols[i];
      EXPECT_EQ(symbol == SymbolLookupResult::kNone ? "" : result.names[symbol],
                NameIn(image, addresses[i]));
    }
  }
}

TEST(ElfFile, SurvivesDamage) {
  const unsigned seed = std::random_device{}();
  printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::string tiny = TinyElf({{"sized", 0x1000, 0x10}, {"bare", 0x1020, 0}});
  std::ifstream in(LibraryOf(reinterpret_cast<void*>(&fopen)), std::ios::binary);
  const std::string library((std::istreambuf_iterator<char>(in)), {});
  uint64_t frame_table = 0;
  if (const auto whole = ElfFile::FromMemory(library.data(), library.size()); whole != nullptr) {
    const ElfFile::Section* section = whole->FindSection(".eh_frame_hdr");
    if (section != nullptr) frame_table = section->offset;
  }
  for (int round = 0; round < 3000; ++round) {
    std::string image = round % 10 == 0 ? library : tiny;
    // Headers are where damage has consequences: those of sections, at the end, and of tables.
    const bool is_large = image.size() > 4096;
    const size_t first = is_large && round % 20 == 0    ? image.size() - 4096
                         : is_large && round % 30 == 10 ? static_cast<size_t>(frame_table)
                                                        : 16;
    for (int i = 0; i < 8; ++i) {
      image[first + random() % std::min<size_t>(image.size() - first, 1024)] =
          static_cast<char>(random());
    }
    if (round % 3 == 0) image.resize(random() % image.size());
    const auto file = ElfFile::FromMemory(image.data(), image.size());
    if (file == nullptr) continue;
    const uint64_t addresses[] = {0x1000, 0x1004, 0x1024, 0x30000, 0x80000};
    EXPECT_EQ(LookUpSymbols(*file, addresses).symbols.size(), 5u);
    const FrameTable functions(*file);
    for (const uint64_t address : addresses) {
      file->AddressOfOffset(address);
      EXPECT_LE(functions.FunctionAt(address).value_or(address), address);
      for (const ElfFile::Section& section : file->sections())
        PltEntryName(*file, section, address);
    }
  }
}

}  // namespace
}  // namespace spprof
