// V8's strings: representations (docs/design/v8-internals.md 1.2) and copying.
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/v8_heap/v8_reader.h"

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

bool V8Reader::ReadOwnMap(uint64_t script, uint32_t offset, Text* out, uint32_t* length) const {
  constexpr char kData[] = {'d', 'a', 't', 'a', ':'};
  uint64_t url, chars;
  if (v8_.script_source_map_url == 0 || !Field(script, v8_.script_source_map_url, &url) ||
      !FlatChars(url, &chars, length, &out->two_byte) || *length <= sizeof(kData) ||
      offset >= *length) {
    return false;
  }
  const uint32_t width = out->two_byte ? 2 : 1;
  const uint32_t left = *length - offset;
  out->length = left < out->capacity ? left : out->capacity;
  if (GuardedCopy(out->buffer, chars + uint64_t{offset} * width, out->byte_length()) !=
      out->byte_length()) {
    return false;
  }
  for (uint32_t i = 0; offset == 0 && i < sizeof(kData); i++) {
    const char16_t c =
        out->two_byte ? out->buffer[i] : reinterpret_cast<const uint8_t*>(out->buffer)[i];
    if (c != static_cast<char16_t>(kData[i])) return false;
  }
  return true;
}

bool V8Reader::HasOwnMap(uint64_t script) const {
  char16_t begin[8];
  Text out{begin, 8};
  uint32_t length;
  return script != 0 && ReadOwnMap(script, 0, &out, &length);
}

bool V8Reader::FlatChars(uint64_t word, uint64_t* address, uint32_t* length, bool* two_byte) const {
  uint32_t begin = 0;  // in the string that a slice is of
  for (int depth = 0; depth <= kMaxDepth; depth++) {
    uint16_t type;
    uint32_t own_length;
    if (!TypeOf(word, &type) || type >= v8_.first_nonstring_type ||
        !GuardedLoad32(word - kTag + kLength, &own_length)) {
      return false;
    }
    if (depth == 0) *length = own_length;
    if (begin > own_length || *length > own_length - begin) return false;  // torn
    *two_byte = (type & kOneByte) == 0;
    const uint64_t skipped = uint64_t{begin} * (*two_byte ? 2 : 1);
    switch (type & kRepresentation) {
      case kSeq:
        *address = word - kTag + kChars + skipped;
        return true;
      case kExternal:
        if ((type & kUncached) != 0 || !Field(word, kSecond, address) || *address == 0)
          return false;
        *address += skipped;
        return true;
      case kThin:
        if (!Field(word, kFirst, &word)) return false;
        continue;
      case kSliced: {
        int32_t offset;
        if (!SmiField(word, kSecond, &offset) || offset < 0 || !Field(word, kFirst, &word))
          return false;
        begin += static_cast<uint32_t>(offset);
        continue;
      }
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

}  // namespace spprof
