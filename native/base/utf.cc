#include "base/utf.h"

#include <cstring>

namespace spprof {

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out->push_back(static_cast<char>(0xc0 | code_point >> 6));
    out->push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
  } else if (code_point < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | code_point >> 12));
    out->push_back(static_cast<char>(0x80 | (code_point >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
  } else {
    out->push_back(static_cast<char>(0xf0 | code_point >> 18));
    out->push_back(static_cast<char>(0x80 | (code_point >> 12 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (code_point >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
  }
}

std::string Latin1ToUtf8(std::string_view latin1) {
  std::string out;
  out.reserve(latin1.size());
  for (const char c : latin1) AppendUtf8(static_cast<unsigned char>(c), &out);
  return out;
}

std::string Utf16ToUtf8(std::string_view bytes) {
  const size_t count = bytes.size() / 2;
  const auto unit = [&](size_t i) -> uint32_t {
    return static_cast<unsigned char>(bytes[2 * i]) | static_cast<unsigned char>(bytes[2 * i + 1])
                                                          << 8;
  };
  std::string out;
  out.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    uint32_t code_point = unit(i);
    if (code_point >= 0xd800 && code_point < 0xe000) {
      const bool is_pair = code_point < 0xdc00 && i + 1 < count && (unit(i + 1) & 0xfc00) == 0xdc00;
      code_point = is_pair ? 0x10000 + ((code_point & 0x3ff) << 10 | (unit(++i) & 0x3ff))
                           : kReplacementCharacter;
    }
    AppendUtf8(code_point, &out);
  }
  return out;
}

uint32_t DecodeUtf8(const unsigned char** position, const unsigned char* end) {
  const unsigned char* p = *position;
  const unsigned char lead = *p++;
  *position = p;
  if (lead < 0x80) return lead;
  // The Encoding Standard, "UTF-8 decoder": the second byte's range depends on the lead (no
  // overlong forms, no surrogates, nothing above U+10FFFF).
  int following;
  unsigned char lower = 0x80, upper = 0xbf;
  uint32_t code_point;
  if (lead >= 0xc2 && lead <= 0xdf) {
    following = 1;
    code_point = lead & 0x1f;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    following = 2;
    code_point = lead & 0xf;
    if (lead == 0xe0) lower = 0xa0;
    if (lead == 0xed) upper = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    following = 3;
    code_point = lead & 7;
    if (lead == 0xf0) lower = 0x90;
    if (lead == 0xf4) upper = 0x8f;
  } else {
    return kReplacementCharacter;
  }
  for (; following > 0; --following) {
    if (p == end || *p < lower || *p > upper) {
      *position = p;  // the offending byte begins the next sequence
      return kReplacementCharacter;
    }
    lower = 0x80;
    upper = 0xbf;
    code_point = code_point << 6 | (*p++ & 0x3f);
  }
  *position = p;
  return code_point;
}

std::string ValidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = p + text.size();
  while (p != end) AppendUtf8(DecodeUtf8(&p, end), &out);
  return out;
}

}  // namespace spprof
