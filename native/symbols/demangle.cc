#include "symbols/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <string_view>

#include "base/utf.h"
#include "symbols/rust_v0.h"

namespace spprof {
namespace {

// "::h" and 16 hexadecimal digits, as rustc's legacy mangling ends.
constexpr size_t kRustHashLength = 3 + 16;

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool EndsWithRustHash(std::string_view name) {
  if (name.size() <= kRustHashLength) return false;
  name.remove_prefix(name.size() - kRustHashLength);
  if (name.substr(0, 3) != "::h") return false;
  for (const char c : name.substr(3)) {
    if (!IsHexDigit(c)) return false;
  }
  return true;
}

// What `$escape$` stands for; 0: it is none.
uint32_t RustEscape(std::string_view escape) {
  if (escape == "SP") return '@';
  if (escape == "BP") return '*';
  if (escape == "RF") return '&';
  if (escape == "LT") return '<';
  if (escape == "GT") return '>';
  if (escape == "LP") return '(';
  if (escape == "RP") return ')';
  if (escape == "C") return ',';
  if (escape.size() < 2 || escape.size() > 7 || escape[0] != 'u') return 0;
  uint32_t value = 0;
  for (const char c : escape.substr(1)) {
    if (!IsHexDigit(c)) return 0;
    value = value * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value < 0x110000 && (value < 0xd800 || value > 0xdfff) ? value : 0;
}

std::string RustName(std::string_view name) {
  std::string out;
  bool is_at_start = true;  // of a part of the path
  for (size_t i = 0; i < name.size();) {
    const std::string_view rest = name.substr(i);
    // A part may not begin with '$', so rustc puts '_' before it.
    if (is_at_start && rest.substr(0, 2) == "_$") {
      ++i;
      is_at_start = false;
      continue;
    }
    is_at_start = false;
    if (rest.substr(0, 2) == "::" || rest.substr(0, 2) == "..") {
      is_at_start = rest[0] == ':';
      out += "::";
      i += 2;
      continue;
    }
    if (rest[0] == '$') {
      const size_t close = rest.find('$', 1);
      const uint32_t c =
          close == std::string_view::npos ? 0 : RustEscape(rest.substr(1, close - 1));
      if (c != 0) {
        AppendUtf8(c, &out);
        i += close + 1;
        continue;
      }
    }
    out.push_back(rest[0]);
    ++i;
  }
  return out;
}

}  // namespace

std::string Demangle(const std::string& name) {
  // Other names are left alone: the ABI's function also takes bare types, "i" would become "int".
  const size_t at = name.find('@');
  if (name.compare(0, 2, "_R") == 0) {
    const std::optional<std::string> rust = DemangleRustV0(std::string_view(name).substr(0, at));
    return rust ? *rust + (at == std::string::npos ? "" : name.substr(at)) : name;
  }
  if (name.compare(0, 2, "_Z") != 0) return name;
  int status = 0;
  char* demangled = abi::__cxa_demangle(name.substr(0, at).c_str(), nullptr, nullptr, &status);
  if (demangled == nullptr) return name;
  std::string result = demangled;
  free(demangled);
  if (EndsWithRustHash(result)) {
    result = RustName(std::string_view(result).substr(0, result.size() - kRustHashLength));
  }
  if (at != std::string::npos) result += name.substr(at);
  return result;
}

}  // namespace spprof
