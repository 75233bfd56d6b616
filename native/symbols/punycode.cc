#include "symbols/punycode.h"

#include <cstdint>
#include <vector>

#include "base/utf.h"

namespace spprof {

namespace {

// The parameters of RFC 3492, section 5.
constexpr uint32_t kBase = 36;
constexpr uint32_t kLeast = 1;
constexpr uint32_t kMost = 26;
constexpr uint32_t kSkew = 38;
constexpr uint32_t kDamp = 700;
constexpr uint32_t kFirstBias = 72;
constexpr uint32_t kFirstCharacter = 128;
constexpr uint32_t kLastCharacter = 0x10ffff;

uint32_t Adapt(uint32_t delta, uint32_t count, bool is_first) {
  delta = is_first ? delta / kDamp : delta / 2;
  delta += delta / count;
  uint32_t k = 0;
  for (; delta > (kBase - kLeast) * kMost / 2; k += kBase) delta /= kBase - kLeast;
  return k + (kBase - kLeast + 1) * delta / (delta + kSkew);
}

uint32_t DigitOf(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<uint32_t>(c - 'a');
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0') + 26;
  return kBase;
}

}  // namespace

bool AppendPunycode(std::string_view text, std::string* out) {
  const size_t end = text.rfind('_');
  const std::string_view basic = end == std::string_view::npos ? "" : text.substr(0, end);
  std::vector<uint32_t> characters(basic.begin(), basic.end());
  uint32_t character = kFirstCharacter;
  uint32_t at = 0;
  uint32_t bias = kFirstBias;
  std::string_view rest = end == std::string_view::npos ? text : text.substr(end + 1);
  if (rest.empty()) return false;
  while (!rest.empty()) {
    const uint32_t before = at;
    uint32_t weight = 1;
    for (uint32_t k = kBase;; k += kBase) {
      if (rest.empty()) return false;
      const uint32_t digit = DigitOf(rest[0]);
      rest.remove_prefix(1);
      if (digit >= kBase || digit > (UINT32_MAX - at) / weight) return false;
      at += digit * weight;
      const uint32_t threshold = k <= bias ? kLeast : k >= bias + kMost ? kMost : k - bias;
      if (digit < threshold) break;
      if (weight > UINT32_MAX / (kBase - threshold)) return false;
      weight *= kBase - threshold;
    }
    const auto count = static_cast<uint32_t>(characters.size()) + 1;
    bias = Adapt(at - before, count, before == 0);
    if (at / count > kLastCharacter - character) return false;
    character += at / count;
    at %= count;
    characters.insert(characters.begin() + at, character);
    at++;
  }
  for (const uint32_t each : characters) AppendUtf8(each, out);
  return true;
}

}  // namespace spprof
