#include "profile/source_positions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/utf.h"

namespace spprof {
namespace {

// V8 has no string longer than 2^29 characters; a bundle of 64 MB is already rare.
constexpr off_t kMaxSourceBytes = 256 << 20;

std::optional<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  std::optional<std::string> result;
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= kMaxSourceBytes) {
    std::string text(static_cast<size_t>(info.st_size), '\0');
    size_t done = 0;
    while (done < text.size()) {
      const ssize_t n = read(fd, text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    text.resize(done);
    result = std::move(text);
  }
  close(fd);
  return result;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

LineTable::LineTable(std::string_view utf8) {
  const auto* p = reinterpret_cast<const unsigned char*>(utf8.data());
  const auto* end = p + utf8.size();
  if (utf8.substr(0, 3) == "\xef\xbb\xbf") p += 3;
  line_starts_.push_back(0);
  uint32_t length = 0;
  while (p != end) {
    const uint32_t c = DecodeUtf8(&p, end);
    length += c >= 0x10000 ? 2 : 1;
    const bool is_line_end =
        c == '\n' || (c == '\r' && (p == end || *p != '\n')) || c == 0x2028 || c == 0x2029;
    if (is_line_end) line_starts_.push_back(length);
  }
  length_ = length;
}

std::optional<LineAndColumn> LineTable::At(uint32_t offset) const {
  if (offset > length_) return std::nullopt;
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return LineAndColumn{static_cast<uint32_t>(next - line_starts_.begin()),
                       offset - *std::prev(next) + 1};
}

std::optional<LineDistance> FindInLines(std::string_view line_lengths, uint32_t offset) {
  uint32_t line = 0;
  uint64_t length = 0;
  unsigned shift = 0;
  for (const char byte : line_lengths) {
    length |= static_cast<uint64_t>(byte & 0x7f) << shift;
    shift += 7;
    if ((byte & 0x80) != 0) {
      if (shift > 28) return std::nullopt;  // longer than a source can be: damage
      continue;
    }
    if (offset < length) return LineDistance{line, offset};
    offset -= static_cast<uint32_t>(length);
    line++;
    length = shift = 0;
  }
  return std::nullopt;
}

std::optional<std::string> PathOfScript(std::string_view name) {
  constexpr std::string_view kScheme = "file://";
  if (!name.empty() && name[0] == '/') return std::string(name);
  if (name.substr(0, kScheme.size()) != kScheme) return std::nullopt;
  name.remove_prefix(kScheme.size());
  constexpr std::string_view kLocalhost = "localhost/";
  if (name.substr(0, kLocalhost.size()) == kLocalhost) name.remove_prefix(kLocalhost.size() - 1);
  if (name.empty() || name[0] != '/') return std::nullopt;
  // import('./x.mjs?v=2') makes a second module of the same file.
  return PercentDecoded(name.substr(0, name.find_first_of("?#")));
}

std::optional<LineAndColumn> SourcePositions::Find(const std::string& name, uint32_t source_length,
                                                   uint32_t offset) {
  if (source_length == 0) return std::nullopt;
  const auto [entry, is_new] = tables_.try_emplace(name);
  std::optional<LineTable>& table = entry->second;
  if (is_new) {
    if (const std::optional<std::string> path = PathOfScript(name); path.has_value()) {
      if (const std::optional<std::string> text = ReadFile(*path); text.has_value())
        table.emplace(*text);
    }
  }
  if (!table.has_value() || table->length() != source_length) return std::nullopt;
  return table->At(offset);
}

}  // namespace spprof
