// What takes too long to look for in the signal handler, found outside of it: where a long
// WebAssembly module has its functions' names and bodies, and which of its functions the code at an
// address is, by a long jump table. The handler asks for it, the drain makes it
// (sampling/wasm_indexer.h), and until then the handler does without.
//
//   kFree ──handler──> kClaimed ──handler──> kAsked ──drain──> kReady ──drain──> kFree
//
// clang-format off
// | word     | writer         | reader  | order                   | what for                                       |
// | state    | handler, drain | both    | W1 release / acquire    | key and contents are there before the state    |
// | version  | drain          | handler | W2 odd while it changes | a handler that reads meanwhile finds out       |
// | contents | drain          | handler | relaxed, guarded loads  | may be gone: the version is compared afterwards |
// | is_used  | handler        | drain   | relaxed                 | what nobody asks for is given up               |
// | is_old   | handler        | drain   | relaxed                 | a jump table has changed: it is read again     |
// clang-format on
//
// Context: signal, except where it says drain thread.
#pragma once

#include <cstdint>

#include "region/sequence.h"

namespace spprof {

enum class WasmAnswer : uint8_t { kNo, kYes, kNotYet };

enum class WasmIndexState : uint32_t { kFree = 0, kClaimed, kAsked, kReady };
enum class WasmIndexKind : uint32_t { kModule = 0, kJumpTable };

// Of a module: of each function, imported ones included, two offsets in the module's bytes, of its
// name's entry and of its body; 0: it has none. Of a jump table: words, in order, of an address
// that it jumps to, and in the low bits the slot that does.
struct WasmIndexSlot {
  Word state{0};
  Word version{0};
  Word kind{0};
  Word is_used{0};
  Word is_old{0};
  Sequence address{0};  // of the module's bytes, or the jump table
  Sequence size{0};     // in bytes; of a jump table, those of one slot
  Sequence contents{0};
  Word count{0};     // functions, or words
  Word imported{0};  // of the functions
};

inline constexpr uint32_t kWasmIndexSlots = 32;
inline constexpr uint32_t kWasmSlotBits = 16;
// A jump table that is longer has its functions' code told by the index.
inline constexpr uint32_t kMaxDirectWasmSlots = 512;

// All of them, for the drain thread.
WasmIndexSlot* WasmIndexSlots();
// Requests that found no free slot.
uint64_t WasmIndexesRefused();

struct WasmFunctionPlace {
  uint32_t name;  // offsets, 0: none
  uint32_t body;
};

// What the index of a long module says. kNotYet: it has been asked for.
WasmAnswer AskWasmImports(uint64_t bytes, uint64_t size, uint32_t* imported);
WasmAnswer AskWasmFunction(uint64_t bytes, uint64_t size, uint32_t index, WasmFunctionPlace* out);
// The word of the last address from `begin` to `pc` that the table jumped to.
WasmAnswer AskWasmCode(uint64_t table, uint32_t slot_bytes, uint64_t begin, uint64_t pc,
                       uint64_t* word);
// The table says something else now, or the index does not know the code.
void NoteWasmCodeIsOld(uint64_t table, uint32_t slot_bytes);

}  // namespace spprof
