// Text between V8's encodings (Latin-1, UTF-16) and UTF-8. Whatever is malformed becomes U+FFFD;
// nothing fails. Context: any thread; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spprof {

inline constexpr uint32_t kReplacementCharacter = 0xfffd;

void AppendUtf8(uint32_t code_point, std::string* out);

std::string Latin1ToUtf8(std::string_view latin1);

// `bytes` holds little-endian units, at any alignment; an odd last byte is ignored. Lone
// surrogates: U+FFFD.
std::string Utf16ToUtf8(std::string_view bytes);

// `text` with what is not UTF-8 replaced, as TextDecoder does.
std::string ValidUtf8(std::string_view text);

// The code point that begins at `*position` (which is before `end`), and moves past it. A malformed
// sequence gives U+FFFD once for each of its maximal subparts, as the WHATWG decoder (and so Node)
// does.
uint32_t DecodeUtf8(const unsigned char** position, const unsigned char* end);

}  // namespace spprof
