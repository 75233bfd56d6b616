// What a sampling timer's signal carries (DESIGN D5): whose it is and which slot it is for, so that
// the handler needs no lookup and no thread-local storage.
//
//   63      49 48      47        16 15        0
//   │ magic   │ hires │ generation │ slot      │
//
// Context: any.
#pragma once

#include <cstdint>

namespace spprof {

struct TimerValue {
  uint32_t slot;
  uint32_t generation;
  bool is_hires;  // from the monotonic timer, not the CPU-time one

  static constexpr uint64_t kMagic = 0x5350;  // 15 bits

  constexpr uint64_t Encode() const {
    return kMagic << 49 | static_cast<uint64_t>(is_hires) << 48 |
           static_cast<uint64_t>(generation) << 16 | slot;
  }
  static constexpr bool IsOurs(uint64_t value) { return value >> 49 == kMagic; }
  static constexpr TimerValue Decode(uint64_t value) {
    return {static_cast<uint32_t>(value & 0xffff), static_cast<uint32_t>(value >> 16),
            (value >> 48 & 1) != 0};
  }
};

}  // namespace spprof
