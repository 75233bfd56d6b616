#include "symbols/frame_table.h"

#include <algorithm>
#include <cstddef>

namespace spprof {
namespace {

// DW_EH_PE_*: how .eh_frame_hdr says that its values are encoded, as GNU ld, gold, lld and mold
// write them.
constexpr unsigned char kVersion = 1;
constexpr unsigned char kCountAsUnsigned4 = 0x03;
constexpr unsigned char kTableAsOffsets4 = 0x3b;  // signed 4 bytes, from the header's address

// More entries than the largest libraries have: a count beyond it is damage.
constexpr uint32_t kMostEntries = 16U << 20;

struct Header {
  unsigned char version;
  unsigned char pointer_encoding;
  unsigned char count_encoding;
  unsigned char table_encoding;
  int32_t pointer;
  uint32_t count;
};
static_assert(sizeof(Header) == 12);

struct TableRow {
  int32_t start;
  int32_t rules;
};
static_assert(sizeof(TableRow) == 8);

// The beginning of a function's rules, with a length of 4 bytes and pointers as compilers for
// x86-64 and arm64 write them: 4 bytes from where they stand.
struct Rules {
  uint32_t length;
  uint32_t common;
  int32_t start;
  uint32_t size;
};
static_assert(sizeof(Rules) == 16);

}  // namespace

FrameTable::FrameTable(const ElfFile& file) : file_(file) {
  const ElfFile::Section* section = file.FindSection(".eh_frame_hdr");
  Header header;
  if (section == nullptr || !file.Read(section->offset, &header, sizeof(header))) return;
  const bool is_usual = header.version == kVersion && (header.pointer_encoding & 0x0f) == 0x0b &&
                        header.count_encoding == kCountAsUnsigned4 &&
                        header.table_encoding == kTableAsOffsets4;
  const uint64_t room = section->size < sizeof(header) ? 0 : section->size - sizeof(header);
  if (!is_usual || header.count > kMostEntries || header.count > room / sizeof(TableRow)) return;
  std::vector<TableRow> rows(header.count);
  if (!file.Read(section->offset + sizeof(header), rows.data(), rows.size() * sizeof(TableRow))) {
    return;
  }
  entries_.reserve(rows.size());
  for (const TableRow& row : rows) {
    const auto at = [section](int32_t offset) {
      return section->address + static_cast<uint64_t>(int64_t{offset});
    };
    entries_.push_back({at(row.start), at(row.rules)});
  }
  const auto by_start = [](const Entry& a, const Entry& b) { return a.start < b.start; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_start)) entries_.clear();
}

uint64_t FrameTable::SizeOf(const Entry& entry) const {
  const ElfFile::Section* section = file_.FindSection(".eh_frame");
  if (section == nullptr || entry.rules < section->address) return 0;
  const uint64_t offset = entry.rules - section->address;
  Rules rules;
  if (offset > section->size || section->size - offset < sizeof(rules)) return 0;
  if (!file_.Read(section->offset + offset, &rules, sizeof(rules))) return 0;
  // Another encoding of pointers would not give the table's own start.
  const uint64_t place = entry.rules + offsetof(Rules, start);
  const uint64_t start = place + static_cast<uint64_t>(int64_t{rules.start});
  return start == entry.start ? rules.size : 0;
}

std::optional<uint64_t> FrameTable::FunctionAt(uint64_t address) const {
  const auto is_before = [](uint64_t value, const Entry& entry) { return value < entry.start; };
  const auto next = std::upper_bound(entries_.begin(), entries_.end(), address, is_before);
  if (next == entries_.begin()) return std::nullopt;
  const Entry& entry = *std::prev(next);
  if (address - entry.start >= SizeOf(entry)) return std::nullopt;
  return entry.start;
}

}  // namespace spprof
