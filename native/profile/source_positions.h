// Line and column of an offset in a script, from the script's file. V8 works out line ends only
// when somebody asks, so for most functions the handler finds an offset and no line; the file, if
// it is still the one that was run, tells.
//
// Context: any thread, one at a time. Reads files that scripts were loaded from; never fails, only
// does not know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace spprof {

struct LineAndColumn {
  uint32_t line;    // 1-based
  uint32_t column;  // 1-based, UTF-16 units
};

// Where lines begin in a text, in UTF-16 units. Line ends are V8's (ECMA-262,
// LineTerminatorSequence): \n, \r, \r\n, U+2028, U+2029.
class LineTable {
 public:
  // `utf8`: the file's bytes. A byte order mark at the start is left out, as Node does; a `#!` line
  // stays.
  explicit LineTable(std::string_view utf8);

  uint32_t length() const { return length_; }  // UTF-16 units
  // Nothing when `offset` is past the end.
  std::optional<LineAndColumn> At(uint32_t offset) const;

 private:
  uint32_t length_ = 0;
  std::vector<uint32_t> line_starts_;
};

// From the lengths of a function's lines (FunctionRecord): how many lines below its start `offset`
// is, and how far it is from the beginning of that line; the start's own column counts in line 0.
// Nothing beyond the lines that are there.
struct LineDistance {
  uint32_t lines;
  uint32_t columns;
};
std::optional<LineDistance> FindInLines(std::string_view line_lengths, uint32_t offset);

// The absolute path that a script's name means: itself, or that of a `file:` URL. Nothing for other
// names.
std::optional<std::string> PathOfScript(std::string_view name);

class SourcePositions {
 public:
  // Position of `offset` in the script `name` of `source_length` UTF-16 units. Nothing when the
  // name is no file's, when it cannot be read, or when its length is another: then it is not the
  // text that was run. A file is read once.
  std::optional<LineAndColumn> Find(const std::string& name, uint32_t source_length,
                                    uint32_t offset);

 private:
  std::unordered_map<std::string, std::optional<LineTable>> tables_;  // by the script's name
};

}  // namespace spprof
