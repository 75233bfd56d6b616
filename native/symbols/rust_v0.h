// Names in rustc's "v0" mangling, as Rust writes them
// (https://rust-lang.github.io/rfcs/2603-rust-symbol-name-mangling-v0.html).
// Context: any thread; allocates.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spprof {

// `_RNvCs1234_7mycrate3foo` becomes `mycrate::foo`: without the crates' hashes. Nothing: it is no
// such name, or one that is longer or nested more deeply than a compiler writes them.
std::optional<std::string> DemangleRustV0(std::string_view symbol);

}  // namespace spprof
