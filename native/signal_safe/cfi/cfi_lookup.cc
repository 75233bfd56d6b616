#include "signal_safe/cfi/cfi_lookup.h"

#include "signal_safe/machine/guarded_load.h"

namespace spprof {
namespace {

// DW_EH_PE_: the low four bits are the format, the next three what it is relative to. (Linux
// Standard Base, 10.5.)
constexpr uint8_t kFormatMask = 0x0f;
constexpr uint8_t kAbsolute = 0x00, kUleb128 = 0x01, kUdata2 = 0x02, kUdata4 = 0x03, kUdata8 = 0x04,
                  kSleb128 = 0x09, kSdata2 = 0x0a, kSdata4 = 0x0b, kSdata8 = 0x0c;
constexpr uint8_t kBaseMask = 0x70;
constexpr uint8_t kPcRelative = 0x10, kDataRelative = 0x30, kAligned = 0x50;
constexpr uint8_t kIndirect = 0x80;
constexpr uint8_t kOmitted = 0xff;

// What every linker writes: two signed 32-bit distances from the header.
constexpr uint8_t kUsualTable = kDataRelative | kSdata4;

// Entries looked at where the header has no table, some 35 ns each: the signal handler cannot be
// held up for longer. It is rare (a linker that could not parse some input's .eh_frame).
constexpr unsigned kMaxLinearEntries = 512;

// Bytes of one pointer; 0 for LEB128 and what is unknown.
size_t EncodedSize(uint8_t encoding) {
  switch (encoding & kFormatMask) {
    case kAbsolute:
    case kUdata8:
    case kSdata8:
      return 8;
    case kUdata4:
    case kSdata4:
      return 4;
    case kUdata2:
    case kSdata2:
      return 2;
    default:
      return 0;
  }
}

bool IsInside(const CfiModule& module, uintptr_t address) {
  return address >= module.mapped_start && address < module.mapped_end;
}

// Reads length and leaves the cursor behind it, ending with the record. A record of length 0 ends
// the section.
bool ReadRecordLength(ByteCursor* cursor) {
  uint64_t length = cursor->U32();
  if (length == 0xffffffff) length = cursor->U64();
  if (cursor->has_failed() || length == 0 || length > cursor->end() - cursor->position())
    return false;
  cursor->SetEnd(cursor->position() + length);
  return true;
}

// Fills the CIE's share of `entry`. `has_augmentation_data`: whether its FDEs carry a
// length-prefixed augmentation.
bool ReadCommonEntry(const CfiModule& module, uintptr_t address, FrameEntry* entry,
                     bool* has_augmentation_data) {
  if (!IsInside(module, address)) return false;
  ByteCursor cursor(address, module.mapped_end);
  if (!ReadRecordLength(&cursor) || cursor.U32() != 0) return false;
  const uint8_t version = cursor.U8();
  if (version != 1 && version != 3 && version != 4) return false;

  char augmentation[8];
  size_t augmentation_length = 0;
  while (const uint8_t character = cursor.U8()) {
    if (augmentation_length == sizeof augmentation) return false;
    augmentation[augmentation_length++] = static_cast<char>(character);
  }
  if (version == 4 && (cursor.U8() != 8 || cursor.U8() != 0))
    return false;  // address size, segment size
  entry->code_alignment = cursor.Uleb();
  entry->data_alignment = cursor.Sleb();
  const uint64_t return_address = version == 1 ? cursor.U8() : cursor.Uleb();
  if (cursor.has_failed() || return_address != kDwarfReturnAddress) return false;

  entry->pointer_encoding = kAbsolute;
  entry->is_signal_frame = false;
  *has_augmentation_data = false;
  uintptr_t instructions = cursor.position();
  if (augmentation_length > 0) {
    // Without a leading 'z' (GCC 2's "eh") there is no telling how long the unknown is.
    if (augmentation[0] != 'z') return false;
    *has_augmentation_data = true;
    const uint64_t length = cursor.Uleb();
    if (cursor.has_failed() || length > cursor.end() - cursor.position()) return false;
    instructions = cursor.position() + length;
    for (size_t i = 1; i < augmentation_length; ++i) {
      switch (augmentation[i]) {
        case 'R':
          entry->pointer_encoding = cursor.U8();
          break;
        case 'L':
          cursor.U8();
          break;
        case 'P': {
          // The personality routine is nothing to us: step over it.
          const uint8_t encoding = cursor.U8();
          if (encoding == kOmitted) break;
          if ((encoding & kBaseMask) == kAligned) cursor.Skip(-cursor.position() & 7);
          const size_t size = EncodedSize(encoding);
          if (size > 0) {
            cursor.Skip(size);
          } else {
            cursor.Uleb();
          }
          break;
        }
        case 'S':
          entry->is_signal_frame = true;
          break;
        default:
          return false;
      }
    }
    if (cursor.position() > instructions) return false;
  }
  entry->cie_instructions = instructions;
  entry->cie_end = cursor.end();
  return !cursor.has_failed();
}

// The cursor is behind the length of a record that ends with it; reads an FDE's header. False also
// for a CIE.
bool ReadFrameEntryBody(const CfiModule& module, ByteCursor* cursor, FrameEntry* entry) {
  const uintptr_t id_position = cursor->position();
  const uint32_t cie_distance = cursor->U32();
  if (cie_distance == 0 || cie_distance > id_position) return false;
  bool has_augmentation_data;
  if (!ReadCommonEntry(module, id_position - cie_distance, entry, &has_augmentation_data))
    return false;

  const uint8_t encoding = entry->pointer_encoding;
  entry->pc_begin = ReadEncodedPointer(cursor, encoding, module.eh_frame_hdr);
  // The size has the begin's format, and is relative to nothing.
  const uint64_t size = ReadEncodedPointer(cursor, encoding & kFormatMask, 0);
  if (size > ~uintptr_t{0} - entry->pc_begin) return false;
  entry->pc_end = entry->pc_begin + size;
  if (has_augmentation_data) cursor->Skip(cursor->Uleb());
  entry->fde_instructions = cursor->position();
  entry->fde_end = cursor->end();
  return !cursor->has_failed();
}

LookupResult CheckFound(const CfiModule& module, uintptr_t address, uintptr_t pc,
                        FrameEntry* entry) {
  if (!ReadFrameEntry(module, address, entry)) return LookupResult::kBad;
  // The table gives the last function that begins at or before pc; pc may lie in a gap behind it.
  return pc >= entry->pc_begin && pc < entry->pc_end ? LookupResult::kFound : LookupResult::kNone;
}

// The table as every linker writes it: `count` pairs of signed 32-bit distances from the header.
LookupResult SearchUsualTable(const CfiModule& module, uintptr_t table, uint64_t count,
                              uintptr_t pc, FrameEntry* entry) {
  const auto distance = static_cast<int64_t>(pc - module.eh_frame_hdr);
  uint64_t low = 0;
  uint64_t high = count;  // all before `low` begin at or before pc, all from `high` on after it
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    uint32_t begin;
    if (!GuardedLoad32(table + middle * 8, &begin)) return LookupResult::kBad;
    if (static_cast<int32_t>(begin) <= distance) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return LookupResult::kNone;
  uint32_t address;
  if (!GuardedLoad32(table + (low - 1) * 8 + 4, &address)) return LookupResult::kBad;
  const auto offset = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(address)));
  return CheckFound(module, module.eh_frame_hdr + offset, pc, entry);
}

LookupResult SearchTable(const CfiModule& module, uintptr_t table, uint64_t count, uint8_t encoding,
                         uintptr_t pc, FrameEntry* entry) {
  const uint64_t pointer_size = EncodedSize(encoding);
  const uintptr_t end = table + count * pointer_size * 2;
  const auto pointer_at = [&](uint64_t index, bool* ok) {
    ByteCursor cursor(table + index * pointer_size, end);
    const uintptr_t pointer = ReadEncodedPointer(&cursor, encoding, module.eh_frame_hdr);
    *ok = !cursor.has_failed();
    return pointer;
  };
  uint64_t low = 0;
  uint64_t high = count;
  bool ok;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const uintptr_t begin = pointer_at(middle * 2, &ok);
    if (!ok) return LookupResult::kBad;
    if (begin <= pc) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return LookupResult::kNone;
  const uintptr_t address = pointer_at(low * 2 - 1, &ok);
  return ok ? CheckFound(module, address, pc, entry) : LookupResult::kBad;
}

LookupResult SearchLinearly(const CfiModule& module, uintptr_t section, uintptr_t pc,
                            FrameEntry* entry) {
  if (!IsInside(module, section)) return LookupResult::kBad;
  uintptr_t record = section;
  for (unsigned i = 0; i < kMaxLinearEntries; ++i) {
    uint32_t length;
    if (module.mapped_end - record < 4) return LookupResult::kNone;
    if (!GuardedLoad32(record, &length)) return LookupResult::kBad;
    if (length == 0) return LookupResult::kNone;
    ByteCursor cursor(record, module.mapped_end);
    if (!ReadRecordLength(&cursor)) return LookupResult::kBad;
    const uintptr_t next = cursor.end();
    // A CIE, or an entry that this reader does not know, is passed over.
    if (ReadFrameEntryBody(module, &cursor, entry) && pc >= entry->pc_begin && pc < entry->pc_end) {
      entry->address = record;
      return LookupResult::kFound;
    }
    record = next;
  }
  return LookupResult::kBad;
}

}  // namespace

uintptr_t ReadEncodedPointer(ByteCursor* cursor, uint8_t encoding, uintptr_t data_base) {
  if (encoding == kOmitted || (encoding & kIndirect)) {
    cursor->Fail();
    return 0;
  }
  uintptr_t base = 0;
  switch (encoding & kBaseMask) {
    case 0:
      break;
    case kPcRelative:
      base = cursor->position();
      break;
    case kDataRelative:
      base = data_base;
      break;
    case kAligned:
      cursor->Skip(-cursor->position() & 7);
      break;
    default:
      cursor->Fail();
      return 0;
  }
  switch (encoding & kFormatMask) {
    case kAbsolute:
    case kUdata8:
    case kSdata8:
      return base + cursor->U64();
    case kUleb128:
      return base + cursor->Uleb();
    case kUdata2:
      return base + cursor->U16();
    case kUdata4:
      return base + cursor->U32();
    case kSleb128:
      return base + static_cast<uint64_t>(cursor->Sleb());
    case kSdata2:
      return base + static_cast<uint64_t>(int64_t{static_cast<int16_t>(cursor->U16())});
    case kSdata4:
      return base + static_cast<uint64_t>(int64_t{static_cast<int32_t>(cursor->U32())});
    default:
      cursor->Fail();
      return 0;
  }
}

bool ReadFrameEntry(const CfiModule& module, uintptr_t address, FrameEntry* entry) {
  if (!IsInside(module, address)) return false;
  ByteCursor cursor(address, module.mapped_end);
  entry->address = address;
  return ReadRecordLength(&cursor) && ReadFrameEntryBody(module, &cursor, entry);
}

LookupResult FindFrameEntry(const CfiModule& module, uintptr_t pc, FrameEntry* entry) {
  if (pc < module.start || pc >= module.end || module.eh_frame_hdr == 0) return LookupResult::kNone;
  if (!IsInside(module, module.eh_frame_hdr) ||
      module.eh_frame_hdr_size > module.mapped_end - module.eh_frame_hdr) {
    return LookupResult::kBad;
  }
  const uintptr_t header_end = module.eh_frame_hdr + module.eh_frame_hdr_size;
  ByteCursor cursor(module.eh_frame_hdr, header_end);
  if (cursor.U8() != 1) return LookupResult::kBad;
  const uint8_t section_encoding = cursor.U8();
  const uint8_t count_encoding = cursor.U8();
  const uint8_t table_encoding = cursor.U8();
  const uintptr_t section = ReadEncodedPointer(&cursor, section_encoding, module.eh_frame_hdr);
  if (cursor.has_failed()) return LookupResult::kBad;

  const size_t pointer_size = EncodedSize(table_encoding);
  if (count_encoding == kOmitted || table_encoding == kOmitted || pointer_size == 0) {
    return SearchLinearly(module, section, pc, entry);
  }
  const uint64_t count = ReadEncodedPointer(&cursor, count_encoding, module.eh_frame_hdr);
  if (cursor.has_failed() || count > (header_end - cursor.position()) / (pointer_size * 2)) {
    return LookupResult::kBad;
  }
  if (table_encoding == kUsualTable)
    return SearchUsualTable(module, cursor.position(), count, pc, entry);
  // Only bases that are the same for every row keep the rows in order.
  if ((table_encoding & kBaseMask) != 0 && (table_encoding & kBaseMask) != kDataRelative) {
    return SearchLinearly(module, section, pc, entry);
  }
  return SearchTable(module, cursor.position(), count, table_encoding, pc, entry);
}

}  // namespace spprof
