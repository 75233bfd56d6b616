#include "v8/bytecode_sizes.h"

#include <dlfcn.h>
#include <link.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include "platform/elf_file.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {

namespace {

constexpr uint32_t kScales = 3;

// Base 36, an opcode a digit, a scale after the other: read off the .symtab of the official
// binaries.
// clang-format off
constexpr std::string_view kV8_13_6 =  // Node 24
    "1111123455621211111244422223222111233342422444244434435334445453333333333333333333333332"
    "2221122224554565345556445533333333312221154124143423333111422222222224222222222222442352"
    "11112112454412211111111111111111"
    "1111135797931311111377733335333111255573733777377747759557778785555555555555555555555553"
    "33311333379979b9579979669955555555513331176136165635555111733333333337333333333333773593"
    "11113113797713311111111111111111"
    "1111159dhbf515111115ddd555595551112999d5d55ddd5ddd6dd9h99dddede9999999999999999999999995"
    "555115555dhhdhlh9dhhbfaahh999999999155511ba15a1a9a59999111d5555555555d555555555555dd59h5"
    "11115115dhdd15511111111111111111";
constexpr std::string_view kV8_14_6 =  // Node 26
    "1111123455621211111244422223222111233342422444244434435334445453333333333333433333333333"
    "3222211222245545653455564455344444433122211541241434233333111422222222224222222222222442"
    "352511112112454412211111111111111111"
    "1111135797931311111377733335333111255573733777377747759557778785555555555555655555555555"
    "5333311333379979b95799796699555555555133311761361656355555111733333333337333333333333773"
    "593911113113797713211111111111111111"
    "1111159dhbf515111115ddd555595551112999d5d55ddd5ddd6dd9h99dddede9999999999999a99999999999"
    "95555115555dhhdhlh9dhhbfaahh977777799155511ba15a1a9a599999111d5555555555d555555555555dd5"
    "9h5h11115115dhdd15211111111111111111";
// clang-format on

template <size_t kSize>
constexpr std::array<uint8_t, kSize> Decode(std::string_view digits) {
  std::array<uint8_t, kSize> sizes{};
  for (size_t i = 0; i < kSize; i++) {
    sizes[i] = static_cast<uint8_t>(digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
  }
  return sizes;
}

constexpr auto kSizes13_6 = Decode<kV8_13_6.size()>(kV8_13_6);
constexpr auto kSizes14_6 = Decode<kV8_14_6.size()>(kV8_14_6);

constexpr char kSymbol[] = "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE";
constexpr uint32_t kMinBytes = 128 * kScales;
constexpr uint32_t kMaxBytes = 256 * kScales;  // an opcode is a byte

// V8's table of other versions, copied from where it lies.
uint8_t g_found[kMaxBytes];

// A table is taken by what comes first in every version: four opcodes that widen the next, then
// LdaZero and LdaSmi. One that begins otherwise is another.
BytecodeSizes CopyOf(uintptr_t address, uint64_t bytes) {
  constexpr uint8_t kFirst[] = {1, 1, 1, 1, 1, 2};
  if (bytes % kScales != 0 || bytes < sizeof(kFirst) || bytes > kMaxBytes) return {};
  const auto size = static_cast<size_t>(bytes);
  if (GuardedCopy(g_found, address, size) != size ||
      std::memcmp(g_found, kFirst, sizeof(kFirst)) != 0) {
    return {};
  }
  return {g_found, static_cast<uint32_t>(bytes / kScales), true};
}

// `opcodes`: how many there are, 0: not known. The loader's look at the symbol, for its size, goes
// through all of them and takes half a millisecond.
BytecodeSizes FindExported(uint32_t opcodes) {
  void* const sizes = dlsym(RTLD_DEFAULT, kSymbol);
  if (sizes != nullptr && opcodes != 0)
    return CopyOf(reinterpret_cast<uintptr_t>(sizes), uint64_t{opcodes} * kScales);
  Dl_info info;
  const ElfW(Sym)* symbol = nullptr;
  if (sizes == nullptr ||
      dladdr1(sizes, &info, reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&symbol)),
              RTLD_DL_SYMENT) == 0 ||
      symbol == nullptr) {
    return {};
  }
  return CopyOf(reinterpret_cast<uintptr_t>(sizes), symbol->st_size);
}

// In the symbol table that debuggers read, which is not in memory.
BytecodeSizes FindInFile(const V8Metadata& metadata) {
  const std::unique_ptr<ElfFile> file = ElfFile::Open(metadata.object_path());
  const ElfFile::Section* table = file ? file->FindSectionOfType(SHT_SYMTAB) : nullptr;
  if (table == nullptr || table->link >= file->sections().size()) return {};
  const ElfFile::Section& names = file->sections()[table->link];
  BytecodeSizes found;
  file->ForEachSymbol(*table, [&](uint32_t, const Elf64_Sym& symbol) {
    if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_size % kScales != 0 ||
        symbol.st_size < kMinBytes || symbol.st_size > kMaxBytes ||
        file->ReadString(names, symbol.st_name, sizeof(kSymbol)) != kSymbol) {
      return true;
    }
    found = CopyOf(metadata.load_bias() + symbol.st_value, symbol.st_size);
    return false;
  });
  return found;
}

}  // namespace

BytecodeSizes FindBytecodeSizes(int major, int minor, const V8Metadata& metadata) {
  const auto is = [major, minor](int a, int b) { return major == a && minor == b; };
  if (is(13, 6)) return {kSizes13_6.data(), kSizes13_6.size() / kScales};
  if (is(14, 6)) return {kSizes14_6.data(), kSizes14_6.size() / kScales};
  const uint32_t opcodes = is(10, 2) || is(11, 3) ? 198 : is(12, 4) ? 203 : 0;
  const BytecodeSizes exported = FindExported(opcodes);
  return exported.sizes != nullptr ? exported : FindInFile(metadata);
}

}  // namespace spprof
