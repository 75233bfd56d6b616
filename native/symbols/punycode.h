// Punycode (RFC 3492), in which rustc writes identifiers that are not ASCII.
// Context: any thread; allocates.
#pragma once

#include <string>
#include <string_view>

namespace spprof {

// Appends `text`, whose basic characters end at its last '_', as UTF-8. False: it is not well
// formed; nothing was appended.
bool AppendPunycode(std::string_view text, std::string* out);

}  // namespace spprof
