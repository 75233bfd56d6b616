// V8's own description of its frames and objects: the v8dbg_* symbols that every node executable
// exports for debuggers. Their names end in the field's type, which changes from version to
// version, so a field is asked for by several prefixes (docs/design/v8-internals.md).
//
// Context: control thread, once. Reads the dynamic symbol table in memory; opens no file.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace spprof {

class V8Metadata {
 public:
  // Enumerates the symbols of the object that exports them; empty when there is none in this
  // process.
  static V8Metadata Load();

  bool empty() const { return entries_.empty(); }
  // Executable address range of the object; V8 is linked into it.
  uintptr_t object_base() const { return object_base_; }
  // Its file, and what is added to the file's addresses.
  const std::string& object_path() const { return object_path_; }
  uintptr_t load_bias() const { return load_bias_; }

  // The value of the first of `prefixes` (without "v8dbg_") that some name begins with; `missing`
  // when there is none.
  int Find(std::initializer_list<std::string_view> prefixes, int missing = -1) const;

  // For tests: built from names and values.
  static V8Metadata FromEntries(std::vector<std::pair<std::string_view, int>> entries);

 private:
  std::vector<std::pair<std::string_view, int>> entries_;  // sorted by name, without "v8dbg_"
  uintptr_t object_base_ = 0;
  uintptr_t load_bias_ = 0;
  std::string object_path_;
};

}  // namespace spprof
