// Makes what the handler asks for of long WebAssembly modules (signal_safe/v8_heap/wasm_index.h),
// from their bytes and jump tables, which may be gone or be anything: guarded loads, and bounds of
// entries and of memory.
//
// Context: the drain thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "signal_safe/v8_heap/wasm_index.h"

namespace spprof {

// The index of a module's functions; `*imported`: how many of them are. Empty: the bytes are not
// understood, or there are too many functions.
std::vector<WasmFunctionPlace> IndexWasmModule(uint64_t bytes, uint64_t size, uint32_t* imported);
// The words of a jump table, in order.
std::vector<uint64_t> IndexWasmJumpTable(uint64_t table, uint32_t slot_bytes);

class WasmIndexer {
 public:
  WasmIndexer() = default;
  // Handlers that still read find out.
  ~WasmIndexer();
  WasmIndexer(const WasmIndexer&) = delete;
  WasmIndexer& operator=(const WasmIndexer&) = delete;

  // Makes what has been asked for, reads changed jump tables again, and gives up what nobody has
  // used for long. Some milliseconds where there is a new module of 50,000 functions.
  void Visit(uint64_t now_ns);

  // What all take together, bytes. Of what has no room, the index says nothing.
  static constexpr size_t kMaxBytes = 64 << 20;
  static constexpr uint64_t kUnusedNs = 30'000'000'000;
  // A jump table is read again at most so often, for one part in so many of the time, and more
  // seldom when it has not changed: code that no slot leads to makes the handler ask, too.
  static constexpr uint64_t kRereadNs = 50'000'000;
  static constexpr uint64_t kLongestRereadNs = 10'000'000'000;
  static constexpr uint64_t kRereadShare = 20;

  size_t bytes() const { return bytes_; }
  // Indexes that had no room since this was made.
  uint64_t refused() const { return refused_; }

 private:
  struct Made {
    size_t mapped = 0;  // bytes of the contents
    uint64_t used_ns = 0;
    uint64_t read_ns = 0;
    uint64_t wait_ns = 0;  // until it may be read again
  };
  void Make(WasmIndexSlot* slot, Made* made, uint64_t now_ns);
  void MakeModule(WasmIndexSlot* slot, Made* made);
  // Whether it says something else than before.
  bool MakeJumpTable(WasmIndexSlot* slot, Made* made);
  void Replace(WasmIndexSlot* slot, Made* made, const void* contents, size_t bytes, uint32_t count,
               uint32_t imported);
  void Free(WasmIndexSlot* slot, Made* made);

  Made made_[kWasmIndexSlots];
  size_t bytes_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace spprof
