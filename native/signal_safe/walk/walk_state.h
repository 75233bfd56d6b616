// What walks of one thread keep from sample to sample: caches, and tables of what has been defined
// in the log already. Private memory, not in the region: it is of no use to another process when
// this one is dead. Zero-initialised pages; touched as needed.
//
// Context: signal, on the thread itself. Set up and cleared by the control side while the slot is
// not active. The drain has one of its own for each thread that it walks (sampling/sleep_walker.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "region/records.h"
#include "signal_safe/cfi/cfi.h"
#include "signal_safe/machine/leaf_frame.h"
#include "signal_safe/v8_heap/v8_reader.h"

namespace spprof {

// What a program counter is.
struct alignas(32) RuleCacheEntry {
  uintptr_t pc;
  UnwindRule rule;
  uint16_t module;  // 1 + index in the ModuleTable; 0: none
  LeafFrame leaf;   // of V8's builtins, as a leaf
};
static_assert(sizeof(RuleCacheEntry) == 32, "half a cache line: one miss a lookup");

// A JSFunction that has been looked at: valid until the next collection may have moved it. Spares
// the walk four or five cold cache lines a frame.
struct FunctionCacheEntry {
  uint64_t word;
  uint32_t epoch;
  uint32_t id;  // 0: a builtin
};

// The frames that a program counter in generated code stands for, inlined ones first: valid until
// the next collection may have moved or freed the code. They lie in ThreadState::code_frames.
struct CodeCacheEntry {
  uint64_t pc;
  uint32_t epoch;
  uint16_t first;
  uint16_t count;  // 0: not a function's code
};

// The place of a bytecode: valid as long.
struct PlaceCacheEntry {
  uint64_t key;  // of bytecode array and offset
  uint32_t epoch;
  uint32_t place;
};

// A place in WebAssembly's code. Code is freed without a collection that is announced, so the
// instructions around it are compared, too.
struct WasmCacheEntry {
  uint64_t pc;
  uint64_t instance;
  uint64_t instructions;  // their hash
  Frame frame;
  uint32_t epoch;
};

// A function that has a FunctionRecord, by (script id, literal id).
struct FunctionEntry {
  uint64_t key;  // 0: empty
  uint32_t id;
};

struct StackEntry {
  uint64_t hash;  // 0: empty
  uint32_t id;
};

// The JavaScript frames of this thread when its running garbage collection began, innermost first.
struct GcFrame {
  uint64_t fp;
  Frame frame;
};

inline constexpr uint32_t kRuleCacheSize = 2048;
inline constexpr uint32_t kFunctionTableSize = 2048;
inline constexpr uint32_t kStackTableSize = 2048;
inline constexpr uint32_t kScriptTableSize = 512;
inline constexpr uint32_t kLabelTableSize = 256;
inline constexpr uint32_t kMaxGcFrames = 512;
inline constexpr uint32_t kFunctionCacheSize = 1024;
inline constexpr uint32_t kCodeCacheSize = 1024;
inline constexpr uint32_t kCodeFramesSize = 4096;
inline constexpr uint32_t kPlaceCacheSize = 1024;
inline constexpr uint32_t kWasmCacheSize = 1024;
inline constexpr uint32_t kNameCapacity = 256;  // UTF-16 units
inline constexpr uint32_t kUrlCapacity = 1024;
inline constexpr uint32_t kLinesCapacity = 512;         // bytes
inline constexpr uint32_t kMemoryLinesCapacity = 4096;  // of a function that no file has
inline constexpr uint32_t kTextCapacity = 4096;         // UTF-16 units
static_assert(kUrlCapacity <= kTextCapacity);
static_assert(kNameCapacity * sizeof(char16_t) + kMemoryLinesCapacity <=
              kTextCapacity * sizeof(char16_t));

// A source map that is being written (Definitions::DefineMap), as far as there has been room.
struct MapCopy {
  int32_t script_id;
  uint32_t offset;    // characters that have been written
  uint32_t refusals;  // how often there was no room, since one was written wholly
};

struct WalkState {
  const void* modules;  // the ModuleTable that `rules` was filled from
  uint32_t gc_frame_count;
  // Counts collections, from 1 on; 0: this thread's collections are not announced, so nothing may
  // be remembered by address.
  uint32_t gc_epoch;
  // The same without those of the young generation, which move neither code nor what describes it.
  uint32_t code_epoch;

  // Definitions. Identifiers go on counting when a table is cleared, so an id always means one
  // thing.
  uint32_t next_stack_id;
  uint32_t next_function_id;
  uint32_t stack_count;
  uint32_t function_count;
  uint32_t script_count;
  KnownMaps known_maps;
  uint16_t labels[kLabelTableSize];   // of blocks that have a BlockRecord; 0: empty
  int32_t scripts[kScriptTableSize];  // script id + 1; 0: empty
  MapCopy map_rest;
  // A script's URL, a piece of its map, or a function's name and behind it its lines.
  char16_t text[kTextCapacity];
  GcFrame gc_frames[kMaxGcFrames];
  RuleCacheEntry rules[kRuleCacheSize];
  FunctionCacheEntry function_cache[kFunctionCacheSize];
  CodeCacheEntry code_cache[kCodeCacheSize];
  uint32_t code_frames_epoch;  // of what lies in code_frames
  uint32_t code_frames_used;
  Frame code_frames[kCodeFramesSize];
  PlaceCacheEntry place_cache[kPlaceCacheSize];
  TableMarks table_marks;
  WasmCacheEntry wasm_cache[kWasmCacheSize];
  FunctionEntry functions[kFunctionTableSize];
  StackEntry stacks[kStackTableSize];
  Frame frames[];  // max_frames

  static size_t SizeFor(uint32_t max_frames) {
    return sizeof(WalkState) + max_frames * sizeof(Frame);
  }
};

}  // namespace spprof
