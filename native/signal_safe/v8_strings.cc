// V8's strings: representations (V8.md 1.2), copying, and the line on which a position lies.
#include "signal_safe/guarded_load.h"
#include "signal_safe/v8_reader.h"

namespace spprof {

namespace {

constexpr uint64_t kTag = 1;
constexpr uint32_t kLength = 12;
constexpr uint32_t kChars = 16;   // sequential
constexpr uint32_t kFirst = 16;   // cons: first, second; sliced: parent, offset; thin: actual
constexpr uint32_t kSecond = 24;  // external: the resource's characters
constexpr uint16_t kRepresentation = 7;
constexpr uint16_t kSeq = 0, kCons = 1, kExternal = 2, kSliced = 3, kThin = 5;
constexpr uint16_t kOneByte = 8;
constexpr uint16_t kUncached = 16;  // an external string without the pointer to its characters
constexpr int kMaxDepth = 8;
constexpr uint32_t kMaxScannedChars = 128 * 1024;

}  // namespace

bool V8Reader::ReadString(uint64_t word, Text* out) const {
  uint16_t type;
  uint32_t length;
  if (!TypeOf(word, &type) || type >= v8_.first_nonstring_type ||
      !GuardedLoad32(word - kTag + kLength, &length)) {
    return false;
  }
  out->length = 0;
  out->two_byte = (type & kOneByte) == 0;
  out->shortened = length > out->capacity;
  return AppendString(word, 0, out->shortened ? out->capacity : length, 0, out);
}

// Appends `count` characters from `from` on. The text's width is that of the outermost string: a
// cons string is two-byte if a part is.
bool V8Reader::AppendString(uint64_t word, uint32_t from, uint32_t count, int depth,
                            Text* out) const {
  uint16_t type;
  uint32_t length;
  if (count == 0) return true;
  if (depth > kMaxDepth || !TypeOf(word, &type) || type >= v8_.first_nonstring_type ||
      !GuardedLoad32(word - kTag + kLength, &length) || from > length || count > length - from) {
    return false;
  }
  switch (type & kRepresentation) {
    case kThin: {
      uint64_t actual;
      return Field(word, kFirst, &actual) && AppendString(actual, from, count, depth + 1, out);
    }
    case kSliced: {
      uint64_t parent;
      int32_t offset;
      return Field(word, kFirst, &parent) && SmiField(word, kSecond, &offset) && offset >= 0 &&
             AppendString(parent, from + static_cast<uint32_t>(offset), count, depth + 1, out);
    }
    case kCons: {
      uint64_t first, second;
      uint32_t first_length;
      if (!Field(word, kFirst, &first) || !Field(word, kSecond, &second) ||
          !GuardedLoad32(first - kTag + kLength, &first_length)) {
        return false;
      }
      uint32_t from_first = 0;
      if (from < first_length) {
        from_first = first_length - from < count ? first_length - from : count;
        if (!AppendString(first, from, from_first, depth + 1, out)) return false;
        from = first_length;
      }
      return AppendString(second, from - first_length, count - from_first, depth + 1, out);
    }
    case kSeq:
    case kExternal:
      break;
    default:
      return false;
  }
  uint64_t chars;
  bool two_byte;
  if (!FlatChars(word, &chars, &length, &two_byte)) return false;
  if (count > out->capacity - out->length) return false;
  if (two_byte == out->two_byte) {
    const uint32_t width = two_byte ? 2 : 1;
    auto* to = reinterpret_cast<uint8_t*>(out->buffer) + out->length * width;
    if (GuardedCopy(to, chars + uint64_t{from} * width, count * width) != count * width)
      return false;
  } else if (out->two_byte) {
    for (uint32_t i = 0; i < count; i++) {
      uint8_t one;
      if (GuardedCopy(&one, chars + from + i, 1) != 1) return false;
      out->buffer[out->length + i] = one;
    }
  } else {
    return false;  // a two-byte part of a one-byte string: torn
  }
  out->length += count;
  return true;
}

bool V8Reader::ReadSource(uint64_t script, uint32_t offset, Text* out) const {
  uint64_t source;
  uint16_t type;
  uint32_t length;
  if (!Field(script, v8_.script_source, &source) || !TypeOf(source, &type) ||
      type >= v8_.first_nonstring_type || !GuardedLoad32(source - kTag + kLength, &length) ||
      offset > length) {
    return false;
  }
  out->length = 0;
  out->two_byte = (type & kOneByte) == 0;
  out->shortened = length - offset > out->capacity;
  return AppendString(source, offset, out->shortened ? out->capacity : length - offset, 0, out);
}

bool V8Reader::FlatChars(uint64_t word, uint64_t* address, uint32_t* length, bool* two_byte) const {
  for (int depth = 0; depth <= kMaxDepth; depth++) {
    uint16_t type;
    if (!TypeOf(word, &type) || type >= v8_.first_nonstring_type ||
        !GuardedLoad32(word - kTag + kLength, length)) {
      return false;
    }
    *two_byte = (type & kOneByte) == 0;
    switch (type & kRepresentation) {
      case kSeq:
        *address = word - kTag + kChars;
        return true;
      case kExternal:
        return (type & kUncached) == 0 && Field(word, kSecond, address) && *address != 0;
      case kThin:
        if (!Field(word, kFirst, &word)) return false;
        continue;
      case kCons: {  // flattened: the second part is empty
        uint64_t second;
        uint32_t second_length;
        if (!Field(word, kSecond, &second) ||
            !GuardedLoad32(second - kTag + kLength, &second_length) || second_length != 0 ||
            !Field(word, kFirst, &word)) {
          return false;
        }
        continue;
      }
      default:
        return false;
    }
  }
  return false;
}

void V8Reader::ResolveLine(uint64_t script, FunctionPositions* positions) const {
  uint64_t line_ends, source;
  uint16_t type;
  const bool found =
      (Field(script, v8_.script_line_ends, &line_ends) && TypeOf(line_ends, &type) &&
       type == v8_.fixed_array_type && LineFromTable(line_ends, positions)) ||
      (Field(script, v8_.script_source, &source) && LineFromSource(source, positions));
  if (!found) return;
  int32_t line_offset, column_offset;
  if (!SmiField(script, v8_.script_line_offset, &line_offset) ||
      !SmiField(script, v8_.script_column_offset, &column_offset)) {
    return;
  }
  // Of a torn script the offsets may be anything; no real one is near the limit.
  constexpr int32_t kMaxOffset = 1 << 30;
  if (line_offset < 0 || line_offset > kMaxOffset || column_offset < 0 ||
      column_offset > kMaxOffset) {
    positions->line = positions->column = 0;
    return;
  }
  if (positions->line == 1) positions->column += column_offset;
  positions->line += line_offset;
}

// V8's own table, where an Error.stack has already made it: positions of the line ends, in order.
bool V8Reader::LineFromTable(uint64_t line_ends, FunctionPositions* positions) const {
  int32_t count;
  if (!SmiField(line_ends, 8, &count) || count <= 0) return false;
  int32_t low = 0, high = count;  // the first line end that is not before the position
  while (low < high) {
    const int32_t middle = low + (high - low) / 2;
    int32_t end;
    if (!SmiField(line_ends, 16 + 8 * static_cast<uint32_t>(middle), &end)) return false;
    if (end < positions->start) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  int32_t previous_end = -1;
  if (low > 0 && !SmiField(line_ends, 16 + 8 * static_cast<uint32_t>(low - 1), &previous_end)) {
    return false;
  }
  if (previous_end < -1 || previous_end >= positions->start) return false;  // not in order: torn
  positions->line = low + 1;
  positions->column = positions->start - previous_end;
  return true;
}

namespace {

// How far a piece of source has been read for line ends.
struct LineScan {
  uint32_t lines = 0;       // line ends seen
  uint32_t line_start = 0;  // position behind the last one
  bool after_cr = false;
};

template <typename Char>
void ScanLines(const Char* chars, uint32_t count, uint32_t position, LineScan* scan) {
  // Most pieces have no line end but \n: counted in a loop that the compiler turns into vector
  // instructions.
  uint32_t newlines = 0, others = 0;
  for (uint32_t i = 0; i < count; i++) {
    newlines += chars[i] == '\n';
    others += chars[i] == '\r' || (sizeof(Char) == 2 && (chars[i] & 0xfffe) == 0x2028);
  }
  if (others == 0 && !scan->after_cr) {
    if (newlines == 0) return;
    scan->lines += newlines;
    uint32_t last = count - 1;
    while (chars[last] != '\n') last--;
    scan->line_start = position + last + 1;
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t c = chars[i];
    if (c == '\n' && scan->after_cr) {
      scan->line_start = position + i + 1;  // the second half of \r\n
    } else if (c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029) {
      scan->lines++;
      scan->line_start = position + i + 1;
    }
    scan->after_cr = c == '\r';
  }
}

}  // namespace

// Counts line ends up to the position. Only near the beginning of a source: what lies further on is
// left to the reader of the log, who has the file and the time. Line ends as in V8: \n, \r\n, \r,
// and U+2028, U+2029 in two-byte sources.
bool V8Reader::LineFromSource(uint64_t source, FunctionPositions* positions) const {
  uint64_t chars;
  uint32_t length;
  bool two_byte;
  const uint32_t position = static_cast<uint32_t>(positions->start);
  if (position > kMaxScannedChars || !FlatChars(source, &chars, &length, &two_byte) ||
      position > length) {
    return false;
  }
  const uint32_t width = two_byte ? 2 : 1;
  alignas(16) uint8_t chunk[512];
  LineScan scan;
  for (uint32_t at = 0; at < position;) {
    const uint32_t room = sizeof(chunk) / width;
    const uint32_t count = position - at < room ? position - at : room;
    if (GuardedCopy(chunk, chars + uint64_t{at} * width, count * width) != count * width) {
      return false;
    }
    if (two_byte) {
      ScanLines(reinterpret_cast<const char16_t*>(chunk), count, at, &scan);
    } else {
      ScanLines(chunk, count, at, &scan);
    }
    at += count;
  }
  positions->line = static_cast<int32_t>(scan.lines) + 1;
  positions->column = static_cast<int32_t>(position - scan.line_start) + 1;
  return true;
}

}  // namespace spprof
