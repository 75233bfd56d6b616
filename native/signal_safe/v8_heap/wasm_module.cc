#include "signal_safe/v8_heap/wasm_module.h"

#include <cstring>

namespace spprof {

namespace {

enum ImportKind : uint8_t { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3, kException = 4 };

bool SkipValueType(WasmCursor* cursor) {
  uint8_t type;
  uint64_t heap_type;
  constexpr uint8_t kReferenceNull = 0x63, kReference = 0x64;
  if (!cursor->Byte(&type)) return false;
  return (type != kReference && type != kReferenceNull) || cursor->Number64(&heap_type);
}

bool SkipLimits(WasmCursor* cursor) {
  uint8_t flags;
  uint64_t number;
  if (!cursor->Byte(&flags) || !cursor->Number64(&number)) return false;
  return (flags & 1) == 0 || cursor->Number64(&number);
}

}  // namespace

bool IsWasmNameSection(WasmCursor* section) {
  constexpr char kName[] = {'n', 'a', 'm', 'e'};
  WasmCursor name;
  if (!section->Part(&name)) return false;
  char text[sizeof(kName)];
  uint32_t length = 0;
  for (uint8_t byte; length < sizeof(text) && name.Byte(&byte); length++)
    text[length] = static_cast<char>(byte);
  return length == sizeof(kName) && name.is_at_end() &&
         std::memcmp(text, kName, sizeof(kName)) == 0;
}

bool CountWasmImports(WasmCursor* imports, uint32_t max_imports, uint32_t* out) {
  uint32_t count;
  *out = 0;
  if (!imports->Number(&count) || count > max_imports) return false;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t kind, byte;
    uint32_t type;
    bool is_good = imports->SkipText() && imports->SkipText() && imports->Byte(&kind);
    if (!is_good) return false;
    switch (kind) {
      case kFunction:
        *out += 1;
        is_good = imports->Number(&type);
        break;
      case kTable:
        is_good = SkipValueType(imports) && SkipLimits(imports);
        break;
      case kMemory:
        is_good = SkipLimits(imports);
        break;
      case kGlobal:
        is_good = SkipValueType(imports) && imports->Byte(&byte);
        break;
      case kException:
        is_good = imports->Byte(&byte) && imports->Number(&type);
        break;
      default:
        is_good = false;
    }
    if (!is_good) return false;
  }
  return true;
}

uint32_t CopyWasmName(WasmCursor* name, char* out, uint32_t capacity, bool* shortened) {
  uint32_t length = 0;
  for (uint8_t byte; length < capacity && name->Byte(&byte); length++)
    out[length] = byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
  *shortened = !name->is_at_end();
  return length;
}

bool WasmModuleBytes::FindSection(uint8_t id, WasmCursor* out) const {
  if (!IsShort()) return false;
  WasmCursor sections(begin_ + kWasmHeaderBytes, end_);
  while (!sections.is_at_end()) {
    uint8_t found;
    if (!sections.Byte(&found) || !sections.Part(out)) return false;
    if (found == id && (id != kWasmCustomSection || IsWasmNameSection(out))) return true;
  }
  return false;
}

bool WasmModuleBytes::CountImportedFunctions(uint32_t* out) const {
  WasmCursor imports;
  *out = 0;
  if (!IsShort()) return false;
  return !FindSection(kWasmImportSection, &imports) || CountWasmImports(&imports, kMaxBytes, out);
}

uint32_t WasmModuleBytes::ReadFunctionName(uint32_t index, char* out, uint32_t capacity,
                                           bool* shortened) const {
  WasmCursor section, names, name;
  uint8_t kind;
  uint32_t count, at;
  *shortened = false;
  if (!FindSection(kWasmCustomSection, &section)) return 0;
  do {
    if (!section.Byte(&kind) || !section.Part(&names)) return 0;
  } while (kind != kWasmFunctionNames);
  if (!names.Number(&count)) return 0;
  for (uint32_t i = 0; i < count; i++) {  // in the order of their indices
    if (!names.Number(&at) || at > index || !names.Part(&name)) return 0;
    if (at == index) return CopyWasmName(&name, out, capacity, shortened);
  }
  return 0;
}

bool WasmModuleBytes::FindFunctionBody(uint32_t index, uint32_t* offset) const {
  WasmCursor bodies, body;
  uint32_t imported, count;
  if (!CountImportedFunctions(&imported) || index < imported ||
      !FindSection(kWasmCodeSection, &bodies) || !bodies.Number(&count) ||
      index - imported >= count) {
    return false;
  }
  for (uint32_t i = 0; i <= index - imported; i++) {
    if (!bodies.Part(&body)) return false;
  }
  *offset = static_cast<uint32_t>(body.at() - begin_);
  return true;
}

uint32_t WasmModuleBytes::ReadNameAt(uint32_t offset, uint32_t index, char* out, uint32_t capacity,
                                     bool* shortened) const {
  *shortened = false;
  if (offset == 0 || offset >= end_ - begin_) return 0;
  WasmCursor entry(begin_ + offset, end_), name;
  uint32_t at;
  if (!entry.Number(&at) || at != index || !entry.Part(&name)) return 0;
  return CopyWasmName(&name, out, capacity, shortened);
}

}  // namespace spprof
