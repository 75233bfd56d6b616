// Where lines begin in V8's sources: V8's own table of them, or counted in the source.
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/v8_heap/v8_reader.h"

namespace spprof {

namespace {

constexpr uint32_t kMaxScannedChars = 128 * 1024;
constexpr uint32_t kMaxMemoryChars = 1024 * 1024;  // of what was compiled in memory
constexpr uint32_t kChunkBytes = 512;

}  // namespace

void V8Reader::ResolveLine(uint64_t script, FunctionPositions* positions) const {
  uint64_t line_ends;
  uint16_t type;
  // Asked here, as what counts has a large frame.
  const bool is_far = positions->start > static_cast<int32_t>(kMaxScannedChars);
  const uint32_t limit = is_far && HasOwnMap(script) ? kMaxMemoryChars : kMaxScannedChars;
  const bool found = (Field(script, v8_.script_line_ends, &line_ends) && TypeOf(line_ends, &type) &&
                      type == v8_.fixed_array_type && LineFromTable(line_ends, positions)) ||
                     LineFromSource(script, limit, positions);
  if (!found) return;
  int32_t line_offset, column_offset;
  if (!SmiField(script, v8_.script_line_offset, &line_offset) ||
      !SmiField(script, v8_.script_column_offset, &column_offset)) {
    return;
  }
  // Of a torn script the offsets may be anything; no real one is near the limit. What a program
  // puts before a text, on lines or in columns of its own, it can leave out by negative ones.
  constexpr int32_t kMaxOffset = 1 << 30;
  if (line_offset < -kMaxOffset || line_offset > kMaxOffset || column_offset < -kMaxOffset ||
      column_offset > kMaxOffset) {
    positions->line = positions->column = 0;
    return;
  }
  if (positions->line == 1) positions->column += column_offset;
  positions->line += line_offset;
  if (positions->line < 1 || positions->column < 1) positions->line = positions->column = 0;
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
// left to the reader of the log, who has the time, and the file if there is one. Line ends as in
// V8: \n, \r\n, \r, and U+2028, U+2029 in two-byte sources.
bool V8Reader::LineFromSource(uint64_t script, uint32_t limit, FunctionPositions* positions) const {
  uint64_t source, chars;
  uint32_t length;
  bool two_byte;
  const uint32_t position = static_cast<uint32_t>(positions->start);
  if (position > limit || !Field(script, v8_.script_source, &source) ||
      !FlatChars(source, &chars, &length, &two_byte) || position > length) {
    return false;
  }
  const uint32_t width = two_byte ? 2 : 1;
  alignas(16) uint8_t chunk[kChunkBytes];
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

namespace {

// Whether some byte of `word` is `byte` (Mycroft: a byte less one borrows from its top bit only if
// it is 0).
constexpr bool HasByte(uint64_t word, uint8_t byte) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  word ^= kOnes * byte;
  return ((word - kOnes) & ~word & kOnes << 7) != 0;
}

// Lengths of lines, as LEB128.
struct LineLengths {
  uint8_t* bytes;
  uint32_t capacity;
  uint32_t size = 0;

  bool Add(uint32_t length) {
    constexpr uint32_t kMaxBytes = 5;
    if (size + kMaxBytes > capacity) return false;
    for (; length >= 0x80; length >>= 7) bytes[size++] = static_cast<uint8_t>(length | 0x80);
    bytes[size++] = static_cast<uint8_t>(length);
    return true;
  }
};

}  // namespace

// Exact, unlike ScanLines, as to \r\n: the two are one line end, and belong to the line that they
// end.
uint32_t V8Reader::ReadLineLengths(const FunctionIdentity& function,
                                   const FunctionPositions& positions, uint32_t max_chars,
                                   uint8_t* out, uint32_t capacity) const {
  uint64_t source, chars;
  uint32_t length;
  bool two_byte;
  if (positions.start < 0 || positions.end < positions.start ||
      !Field(function.script, v8_.script_source, &source) ||
      !FlatChars(source, &chars, &length, &two_byte) ||
      static_cast<uint32_t>(positions.end) > length) {
    return 0;
  }
  const uint32_t width = two_byte ? 2 : 1;
  uint32_t left = static_cast<uint32_t>(positions.end - positions.start);
  if (left > max_chars) left = max_chars;
  uint64_t from = chars + uint64_t{static_cast<uint32_t>(positions.start)} * width;
  alignas(16) uint8_t chunk[kChunkBytes];
  LineLengths lines{out, capacity};
  uint32_t line = 0;
  bool after_cr = false;
  while (left > 0) {
    const uint32_t room = kChunkBytes / width;
    const uint32_t count = left < room ? left : room;
    if (GuardedCopy(chunk, from, count * width) != count * width) return lines.size;
    for (uint32_t i = 0; i < count; i++) {
      if (!two_byte &&
          !after_cr) {  // most of a source is within its lines: eight characters at once
        for (uint64_t eight; count - i > 8; i += 8, line += 8) {
          __builtin_memcpy(&eight, chunk + i, 8);
          if (HasByte(eight, '\n') || HasByte(eight, '\r')) break;
        }
      }
      const uint32_t c = two_byte ? reinterpret_cast<const char16_t*>(chunk)[i] : chunk[i];
      // A line that \r may have ended goes on with \n alone.
      if (after_cr && c != '\n') {
        if (!lines.Add(line)) return lines.size;
        line = 0;
      }
      line++;
      after_cr = c == '\r';
      if (c == '\n' || c == 0x2028 || c == 0x2029) {
        if (!lines.Add(line)) return lines.size;
        line = 0;
      }
    }
    from += uint64_t{count} * width;
    left -= count;
  }
  if (line > 0) lines.Add(line);  // the last one, as far as it was read
  return lines.size;
}

}  // namespace spprof
