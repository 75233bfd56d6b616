#include "signal_safe/wasm_module.h"

#include <cstring>

#include "signal_safe/guarded_load.h"

namespace spprof {

namespace {

constexpr uint64_t kHeaderBytes = 8;
constexpr uint8_t kCustomSection = 0, kImportSection = 2, kCodeSection = 10;
constexpr uint8_t kFunctionNames = 1;  // a subsection of "name"
// What one look at a module may cost, in entries.
constexpr uint32_t kMaxEntries = 1 << 17;

enum ImportKind : uint8_t { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3, kException = 4 };

}  // namespace

// Reads ahead, so that a byte costs no guarded load of its own.
class WasmModuleBytes::Cursor {
 public:
  Cursor() = default;
  Cursor(uint64_t at, uint64_t end) : at_(at), end_(end) {}

  uint64_t at() const { return at_; }
  bool is_at_end() const { return at_ >= end_; }

  bool Byte(uint8_t* out) {
    if (at_ >= end_) return false;
    if (at_ - buffered_at_ >= buffered_) {
      const uint64_t left = end_ - at_;
      buffered_at_ = at_;
      buffered_ = GuardedCopy(buffer_, at_, left < sizeof(buffer_) ? left : sizeof(buffer_));
      if (buffered_ == 0) return false;
    }
    *out = buffer_[at_++ - buffered_at_];
    return true;
  }
  // LEB128, of at most 64 bits.
  bool Number64(uint64_t* out) {
    *out = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      uint8_t byte;
      if (!Byte(&byte)) return false;
      if (shift < 64) *out |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }
  bool Number(uint32_t* out) {
    uint64_t wide;
    if (!Number64(&wide) || wide > UINT32_MAX) return false;
    *out = static_cast<uint32_t>(wide);
    return true;
  }
  bool Skip(uint64_t bytes) {
    if (bytes > end_ - at_) return false;
    at_ += bytes;
    return true;
  }
  bool SkipText() {
    uint32_t length;
    return Number(&length) && Skip(length);
  }
  // The next `size` bytes, which are skipped.
  bool Part(Cursor* out) {
    uint32_t size;
    if (!Number(&size) || size > end_ - at_) return false;
    *out = Cursor(at_, at_ + size);
    return Skip(size);
  }
  bool SkipValueType() {
    uint8_t type;
    uint64_t heap_type;
    constexpr uint8_t kReferenceNull = 0x63, kReference = 0x64;
    if (!Byte(&type)) return false;
    return (type != kReference && type != kReferenceNull) || Number64(&heap_type);
  }
  bool SkipLimits() {
    uint8_t flags;
    uint64_t number;
    if (!Byte(&flags) || !Number64(&number)) return false;
    return (flags & 1) == 0 || Number64(&number);
  }

 private:
  uint64_t at_ = 0;
  uint64_t end_ = 0;
  uint64_t buffered_at_ = 0;
  size_t buffered_ = 0;
  uint8_t buffer_[64];
};

bool WasmModuleBytes::FindSection(uint8_t id, Cursor* out) const {
  Cursor sections(begin_ + kHeaderBytes, end_);
  for (uint32_t i = 0; i < kMaxEntries && !sections.is_at_end(); i++) {
    uint8_t found;
    if (!sections.Byte(&found) || !sections.Part(out)) return false;
    if (found != id) continue;
    if (id != kCustomSection) return true;
    Cursor name;
    if (!out->Part(&name)) return false;
    constexpr char kName[] = {'n', 'a', 'm', 'e'};
    char text[sizeof(kName)];
    uint32_t length = 0;
    for (uint8_t byte; length < sizeof(text) && name.Byte(&byte); length++)
      text[length] = static_cast<char>(byte);
    if (length == sizeof(kName) && name.is_at_end() &&
        std::memcmp(text, kName, sizeof(kName)) == 0) {
      return true;
    }
  }
  return false;
}

bool WasmModuleBytes::CountImportedFunctions(uint32_t* out) const {
  Cursor imports;
  uint32_t count;
  *out = 0;
  if (!FindSection(kImportSection, &imports)) return true;
  if (!imports.Number(&count) || count > kMaxEntries) return false;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t kind, byte;
    uint32_t type;
    bool is_good = imports.SkipText() && imports.SkipText() && imports.Byte(&kind);
    if (!is_good) return false;
    switch (kind) {
      case kFunction:
        *out += 1;
        is_good = imports.Number(&type);
        break;
      case kTable:
        is_good = imports.SkipValueType() && imports.SkipLimits();
        break;
      case kMemory:
        is_good = imports.SkipLimits();
        break;
      case kGlobal:
        is_good = imports.SkipValueType() && imports.Byte(&byte);
        break;
      case kException:
        is_good = imports.Byte(&byte) && imports.Number(&type);
        break;
      default:
        is_good = false;
    }
    if (!is_good) return false;
  }
  return true;
}

uint32_t WasmModuleBytes::ReadFunctionName(uint32_t index, char* out, uint32_t capacity,
                                           bool* shortened) const {
  Cursor section, names, name;
  uint8_t kind;
  uint32_t count, at;
  *shortened = false;
  if (!FindSection(kCustomSection, &section)) return 0;
  do {
    if (!section.Byte(&kind) || !section.Part(&names)) return 0;
  } while (kind != kFunctionNames);
  if (!names.Number(&count)) return 0;
  if (count > kMaxEntries) count = kMaxEntries;
  for (uint32_t i = 0; i < count; i++) {  // in the order of their indices
    if (!names.Number(&at) || at > index || !names.Part(&name)) return 0;
    if (at != index) continue;
    uint32_t length = 0;
    for (uint8_t byte; length < capacity && name.Byte(&byte); length++)
      out[length] = byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
    *shortened = !name.is_at_end();
    return length;
  }
  return 0;
}

bool WasmModuleBytes::FindFunctionBody(uint32_t index, uint32_t* offset) const {
  Cursor bodies, body;
  uint32_t imported, count;
  if (!CountImportedFunctions(&imported) || index < imported ||
      !FindSection(kCodeSection, &bodies) || !bodies.Number(&count) || index - imported >= count ||
      index - imported >= kMaxEntries) {
    return false;
  }
  for (uint32_t i = 0; i <= index - imported; i++) {
    if (!bodies.Part(&body)) return false;
  }
  *offset = static_cast<uint32_t>(body.at() - begin_);
  return true;
}

}  // namespace spprof
