#include "signal_safe/v8_heap/wasm_index.h"

#include "signal_safe/machine/guarded_load.h"

namespace spprof {

namespace {

constinit WasmIndexSlot g_slots[kWasmIndexSlots];
constinit Sequence g_refused{0};

struct Key {
  WasmIndexKind kind;
  uint64_t address;
  uint64_t size;
};

WasmIndexState StateOf(const WasmIndexSlot& slot) {
  return static_cast<WasmIndexState>(slot.state.load(std::memory_order_acquire));  // W1
}

bool IsOf(const WasmIndexSlot& slot, const Key& key) {
  return slot.address.load(std::memory_order_relaxed) == key.address &&
         slot.size.load(std::memory_order_relaxed) == key.size &&
         slot.kind.load(std::memory_order_relaxed) == static_cast<uint32_t>(key.kind);
}

// Null: there is none yet, and none has been asked for.
WasmIndexSlot* Find(const Key& key) {
  for (WasmIndexSlot& slot : g_slots) {
    const WasmIndexState state = StateOf(slot);
    if ((state == WasmIndexState::kAsked || state == WasmIndexState::kReady) && IsOf(slot, key))
      return &slot;
  }
  return nullptr;
}

// Two threads may ask for the same at once: then there are two, and the first one is used.
void Ask(const Key& key) {
  for (WasmIndexSlot& slot : g_slots) {
    auto state = static_cast<uint32_t>(WasmIndexState::kFree);
    if (!slot.state.compare_exchange_strong(state, static_cast<uint32_t>(WasmIndexState::kClaimed),
                                            std::memory_order_acquire)) {
      continue;
    }
    slot.kind.store(static_cast<uint32_t>(key.kind), std::memory_order_relaxed);
    slot.address.store(key.address, std::memory_order_relaxed);
    slot.size.store(key.size, std::memory_order_relaxed);
    slot.is_used.store(1, std::memory_order_relaxed);
    slot.is_old.store(0, std::memory_order_relaxed);
    slot.state.store(static_cast<uint32_t>(WasmIndexState::kAsked),
                     std::memory_order_release);  // W1
    return;
  }
  g_refused.fetch_add(1, std::memory_order_relaxed);
}

// Calls `read` with a ready slot; what it has read holds if the slot is the same afterwards.
template <typename Read>
WasmAnswer ReadIndex(const Key& key, Read read) {
  WasmIndexSlot* const slot = Find(key);
  if (slot == nullptr) {
    Ask(key);
    return WasmAnswer::kNotYet;
  }
  if (StateOf(*slot) != WasmIndexState::kReady) return WasmAnswer::kNotYet;
  const uint32_t version = slot->version.load(std::memory_order_acquire);  // W2
  if ((version & 1) != 0 || !IsOf(*slot, key)) return WasmAnswer::kNotYet;
  slot->is_used.store(1, std::memory_order_relaxed);
  const WasmAnswer answer = read(*slot);
  std::atomic_thread_fence(std::memory_order_acquire);
  return slot->version.load(std::memory_order_relaxed) == version ? answer : WasmAnswer::kNotYet;
}

}  // namespace

WasmIndexSlot* WasmIndexSlots() { return g_slots; }
uint64_t WasmIndexesRefused() { return g_refused.load(std::memory_order_relaxed); }

WasmAnswer AskWasmImports(uint64_t bytes, uint64_t size, uint32_t* imported) {
  return ReadIndex({WasmIndexKind::kModule, bytes, size}, [=](const WasmIndexSlot& slot) {
    *imported = slot.imported.load(std::memory_order_relaxed);
    const bool is_understood = slot.count.load(std::memory_order_relaxed) != 0;
    return is_understood ? WasmAnswer::kYes : WasmAnswer::kNo;
  });
}

WasmAnswer AskWasmFunction(uint64_t bytes, uint64_t size, uint32_t index, WasmFunctionPlace* out) {
  return ReadIndex({WasmIndexKind::kModule, bytes, size}, [=](const WasmIndexSlot& slot) {
    if (index >= slot.count.load(std::memory_order_relaxed)) return WasmAnswer::kNo;
    const uint64_t at = slot.contents.load(std::memory_order_relaxed) + index * sizeof(*out);
    return GuardedLoad32(at, &out->name) && GuardedLoad32(at + 4, &out->body) ? WasmAnswer::kYes
                                                                              : WasmAnswer::kNotYet;
  });
}

WasmAnswer AskWasmCode(uint64_t table, uint32_t slot_bytes, uint64_t begin, uint64_t pc,
                       uint64_t* word) {
  return ReadIndex({WasmIndexKind::kJumpTable, table, slot_bytes}, [=](const WasmIndexSlot& slot) {
    const uint64_t words = slot.contents.load(std::memory_order_relaxed);
    uint32_t low = 0, high = slot.count.load(std::memory_order_relaxed);
    while (low < high) {  // all before `low` are at or before pc, all from `high` on behind it
      const uint32_t middle = low + (high - low) / 2;
      if (!GuardedLoad64(words + middle * 8ul, word)) return WasmAnswer::kNotYet;
      if (*word >> kWasmSlotBits <= pc) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) return WasmAnswer::kNo;
    if (!GuardedLoad64(words + (low - 1) * 8ul, word)) return WasmAnswer::kNotYet;
    return *word >> kWasmSlotBits >= begin ? WasmAnswer::kYes : WasmAnswer::kNo;
  });
}

void NoteWasmCodeIsOld(uint64_t table, uint32_t slot_bytes) {
  WasmIndexSlot* const slot = Find({WasmIndexKind::kJumpTable, table, slot_bytes});
  if (slot != nullptr) slot->is_old.store(1, std::memory_order_relaxed);
}

}  // namespace spprof
