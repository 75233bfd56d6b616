// The words of a name in rustc's v0 mangling, of which the grammar's rules consist (rust_v0.cc):
// numbers and identifiers. Once something is wrong, all else reads nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "symbols/punycode.h"

namespace spprof {

// A name refers to its own parts, so a short one can stand for an endless one.
inline constexpr size_t kMaxRustNameLength = 16 * 1024;

class RustV0Cursor {
 public:
  explicit RustV0Cursor(std::string_view text) : text_(text) {}

  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  static bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
  static bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

  void Fail() {
    has_failed_ = true;
    at_ = text_.size();
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char Next() {
    if (at_ >= text_.size()) Fail();
    return has_failed_ ? '\0' : text_[at_++];
  }
  bool Eat(char c) {
    if (Peek() != c) return false;
    at_++;
    return true;
  }

  // Base 62: `_` is 0, `0_` is 1.
  uint64_t Base62() {
    if (Eat('_')) return 0;
    uint64_t value = 0;
    while (!Eat('_')) {
      const char c = Next();
      uint64_t digit = 0;
      if (IsDigit(c)) {
        digit = static_cast<uint64_t>(c - '0');
      } else if (IsLower(c)) {
        digit = 10 + static_cast<uint64_t>(c - 'a');
      } else if (IsUpper(c)) {
        digit = 36 + static_cast<uint64_t>(c - 'A');
      } else {
        Fail();
      }
      if (has_failed_ || value > (UINT64_MAX - 63) / 62) {
        Fail();
        return 0;
      }
      value = value * 62 + digit;
    }
    return value + 1;
  }
  uint64_t Optional62(char tag) { return Eat(tag) ? Base62() + 1 : 0; }

  uint64_t Decimal() {
    if (Eat('0')) return 0;
    uint64_t value = 0;
    if (!IsDigit(Peek())) Fail();
    while (IsDigit(Peek())) {
      value = value * 10 + static_cast<uint64_t>(Next() - '0');
      if (value > kMaxRustNameLength) Fail();
    }
    return value;
  }

  // Without its disambiguator.
  std::string Identifier() {
    const bool is_punycode = Eat('u');
    const uint64_t length = Decimal();
    Eat('_');
    if (has_failed_ || length > text_.size() - at_) {
      Fail();
      return "";
    }
    const std::string_view bytes = text_.substr(at_, length);
    at_ += length;
    if (!is_punycode) return std::string(bytes);
    std::string out;
    if (!AppendPunycode(bytes, &out)) Fail();
    return out;
  }

 protected:
  const std::string_view text_;
  size_t at_ = 0;
  bool has_failed_ = false;
};

}  // namespace spprof
