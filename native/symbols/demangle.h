// Names of linker symbols as their languages write them.
// Context: any thread; allocates.
#pragma once

#include <string>

namespace spprof {

// `name` by the C++ ABI's rules, or by those of Rust (symbols/rust_v0.h), or as it is. Rust's
// legacy names (node 26 contains Rust), which are C++ names with a hash as the last part and
// escapes within, lose both. A suffix that begins with '@' ("@plt") is kept.
std::string Demangle(const std::string& name);

}  // namespace spprof
