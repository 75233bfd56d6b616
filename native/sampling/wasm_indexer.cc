#include "sampling/wasm_indexer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "platform/threads.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/protection_keys.h"
#include "signal_safe/v8_heap/wasm_module.h"

namespace spprof {

namespace {

// What reading one module may cost, in entries of any kind: some 20 ms. V8 itself allows a million
// functions.
constexpr uint32_t kMaxEntries = 1 << 21;
constexpr uint32_t kMaxFunctions = 1 << 20;
constexpr uint64_t kCodeAlignment = 64;
constexpr uint64_t kJumpTableLine = 64;
constexpr uint8_t kJump = 0xe9;  // and a distance
constexpr uint64_t kJumpBytes = 5;

class ModuleReader {
 public:
  ModuleReader(uint64_t bytes, uint64_t size) : begin_(bytes), end_(bytes + size) {}

  std::vector<WasmFunctionPlace> Read(uint32_t* imported) {
    WasmCursor sections(begin_ + kWasmHeaderBytes, end_);
    uint8_t id;
    WasmCursor section;
    while (Spend() && sections.Byte(&id) && sections.Part(&section)) {
      bool is_good = true;
      if (id == kWasmImportSection && !has_imports_) {
        has_imports_ = true;
        is_good = CountWasmImports(&section, entries_left_, &imported_);
      } else if (id == kWasmCodeSection) {
        is_good = ReadBodies(&section);
      } else if (id == kWasmCustomSection && !has_names_ && IsWasmNameSection(&section)) {
        has_names_ = true;
        ReadNames(&section);  // what is good of them
      }
      if (!is_good) return {};
    }
    *imported = imported_;
    return std::move(places_);
  }

 private:
  bool Spend() { return entries_left_ > 0 && entries_left_-- > 0; }
  uint32_t OffsetOf(const WasmCursor& cursor) const {
    return static_cast<uint32_t>(cursor.at() - begin_);
  }
  bool MakeRoomFor(uint64_t index) {
    if (index >= kMaxFunctions) return false;
    if (places_.size() <= index) places_.resize(index + 1);
    return true;
  }

  bool ReadBodies(WasmCursor* bodies) {
    uint32_t count;
    WasmCursor body;
    if (!bodies->Number(&count)) return false;
    for (uint64_t i = 0; i < count; i++) {
      if (!Spend() || !bodies->Part(&body) || !MakeRoomFor(imported_ + i)) return false;
      places_[imported_ + i].body = OffsetOf(body);
    }
    return true;
  }

  void ReadNames(WasmCursor* parts) {
    uint8_t kind;
    uint32_t count, index;
    WasmCursor names;
    do {
      if (!Spend() || !parts->Byte(&kind) || !parts->Part(&names)) return;
    } while (kind != kWasmFunctionNames);
    if (!names.Number(&count)) return;
    for (uint32_t i = 0; i < count && Spend(); i++) {
      const uint32_t offset = OffsetOf(names);
      // A module has one body or import a function; one that names others names nothing there is.
      if (!names.Number(&index) || !names.SkipText() || index >= kMaxFunctions) return;
      if (index >= places_.size() && index >= imported_) continue;
      if (MakeRoomFor(index)) places_[index].name = offset;
    }
  }

  uint64_t begin_, end_;
  uint32_t entries_left_ = kMaxEntries;
  uint32_t imported_ = 0;
  bool has_imports_ = false;
  bool has_names_ = false;
  std::vector<WasmFunctionPlace> places_;
};

WasmIndexState StateOf(const WasmIndexSlot& slot) {
  return static_cast<WasmIndexState>(slot.state.load(std::memory_order_acquire));  // W1
}

}  // namespace

std::vector<WasmFunctionPlace> IndexWasmModule(uint64_t bytes, uint64_t size, uint32_t* imported) {
  *imported = 0;
  return ModuleReader(bytes, size).Read(imported);
}

std::vector<uint64_t> IndexWasmJumpTable(uint64_t table, uint32_t slot_bytes) {
  std::vector<uint64_t> words;
  const uint64_t slots_in_line = kJumpTableLine / slot_bytes;
  for (uint64_t slot = 0; slot < 1u << kWasmSlotBits; slot++) {
    const uint64_t at =
        table + slot / slots_in_line * kJumpTableLine + slot % slots_in_line * slot_bytes;
    uint64_t jump;
    if (!GuardedLoad64(at, &jump) || (jump & 0xff) != kJump) break;
    const uint64_t target =
        at + kJumpBytes + static_cast<uint64_t>(int64_t{static_cast<int32_t>(jump >> 8)});
    if (target % kCodeAlignment == 0) words.push_back(target << kWasmSlotBits | slot);
  }
  std::sort(words.begin(), words.end());
  return words;
}

WasmIndexer::~WasmIndexer() {
  for (uint32_t i = 0; i < kWasmIndexSlots; i++) Free(&WasmIndexSlots()[i], &made_[i]);
}

void WasmIndexer::Visit(uint64_t now_ns) {
  // V8 10 and 11 have jump tables under their key, which this thread may never have been given.
  const ReadableKeys keys;
  for (uint32_t i = 0; i < kWasmIndexSlots; i++) {
    WasmIndexSlot* const slot = &WasmIndexSlots()[i];
    Made* const made = &made_[i];
    const WasmIndexState state = StateOf(*slot);
    if (state == WasmIndexState::kAsked) {
      Make(slot, made, now_ns);
      continue;
    }
    if (state != WasmIndexState::kReady) continue;
    if (slot->is_used.exchange(0, std::memory_order_relaxed) != 0) made->used_ns = now_ns;
    if (now_ns - made->used_ns > kUnusedNs) {
      Free(slot, made);
    } else if (slot->is_old.load(std::memory_order_relaxed) != 0 &&
               now_ns - made->read_ns >= made->wait_ns) {
      Make(slot, made, now_ns);
    }
  }
}

void WasmIndexer::Make(WasmIndexSlot* slot, Made* made, uint64_t now_ns) {
  const uint64_t begin_ns = MonotonicNow();
  bool has_changed = true;
  slot->is_old.store(0, std::memory_order_relaxed);
  if (slot->kind.load(std::memory_order_relaxed) == static_cast<uint32_t>(WasmIndexKind::kModule)) {
    MakeModule(slot, made);
  } else {
    has_changed = MakeJumpTable(slot, made);
  }
  made->used_ns = made->read_ns = now_ns;
  const uint64_t took_ns = MonotonicNow() - begin_ns;
  const uint64_t wanted_ns = has_changed ? took_ns * kRereadShare : made->wait_ns * 2;
  made->wait_ns = std::clamp(wanted_ns, kRereadNs, kLongestRereadNs);
  slot->state.store(static_cast<uint32_t>(WasmIndexState::kReady),
                    std::memory_order_release);  // W1
}

void WasmIndexer::MakeModule(WasmIndexSlot* slot, Made* made) {
  uint32_t imported;
  const std::vector<WasmFunctionPlace> places =
      IndexWasmModule(slot->address.load(std::memory_order_relaxed),
                      slot->size.load(std::memory_order_relaxed), &imported);
  Replace(slot, made, places.data(), places.size() * sizeof(places[0]),
          static_cast<uint32_t>(places.size()), imported);
}

bool WasmIndexer::MakeJumpTable(WasmIndexSlot* slot, Made* made) {
  const std::vector<uint64_t> words =
      IndexWasmJumpTable(slot->address.load(std::memory_order_relaxed),
                         static_cast<uint32_t>(slot->size.load(std::memory_order_relaxed)));
  const size_t bytes = words.size() * sizeof(words[0]);
  const auto* former =
      reinterpret_cast<const void*>(slot->contents.load(std::memory_order_relaxed));
  if (former != nullptr && bytes == made->mapped && memcmp(former, words.data(), bytes) == 0)
    return false;
  Replace(slot, made, words.data(), bytes, static_cast<uint32_t>(words.size()), 0);
  return true;
}

void WasmIndexer::Replace(WasmIndexSlot* slot, Made* made, const void* contents, size_t bytes,
                          uint32_t count, uint32_t imported) {
  void* memory = nullptr;
  if (bytes != 0) {
    memory = bytes_ - made->mapped + bytes > kMaxBytes
                 ? MAP_FAILED
                 : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      memory = nullptr;
      bytes = count = 0;
      refused_++;
    } else {
      memcpy(memory, contents, bytes);
    }
  }
  const uint64_t former = slot->contents.load(std::memory_order_relaxed);
  slot->version.fetch_add(1, std::memory_order_seq_cst);  // W2
  slot->contents.store(reinterpret_cast<uint64_t>(memory), std::memory_order_relaxed);
  slot->count.store(count, std::memory_order_relaxed);
  slot->imported.store(imported, std::memory_order_relaxed);
  if (former != 0) munmap(reinterpret_cast<void*>(former), made->mapped);
  slot->version.fetch_add(1, std::memory_order_seq_cst);  // W2
  bytes_ += bytes - made->mapped;
  made->mapped = bytes;
}

void WasmIndexer::Free(WasmIndexSlot* slot, Made* made) {
  if (StateOf(*slot) != WasmIndexState::kReady) return;
  Replace(slot, made, nullptr, 0, 0, 0);
  slot->state.store(static_cast<uint32_t>(WasmIndexState::kFree), std::memory_order_release);  // W1
}

}  // namespace spprof
