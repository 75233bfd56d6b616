// What a sampling timer's signal carries (DESIGN D5): whose it is and which slot it is for, so that
// the handler needs no lookup and no thread-local storage.
//
//   63      50 49  48 47        16 15        0
//   │ magic   │ source │ generation │ slot      │
//
// Context: any.
#pragma once

#include <cstdint>

namespace spprof {

enum class TickSource : uint8_t {
  kCpuTimer = 0,    // a timer on the thread's CPU clock
  kHiresTimer = 1,  // one on the monotonic clock
  kProbe = 2,       // the drain asks where the thread sleeps
  kNoValue = 3,     // a signal that carries none: a perf event's, the interval timer's
};

struct TimerValue {
  uint32_t slot;
  uint32_t generation;
  TickSource source;

  static constexpr uint64_t kMagic = 0x14d4;  // 14 bits

  constexpr uint64_t Encode() const {
    return kMagic << 50 | static_cast<uint64_t>(source) << 48 |
           static_cast<uint64_t>(generation) << 16 | slot;
  }
  static constexpr bool IsOurs(uint64_t value) { return value >> 50 == kMagic; }
  static constexpr TimerValue Decode(uint64_t value) {
    return {static_cast<uint32_t>(value & 0xffff), static_cast<uint32_t>(value >> 16),
            static_cast<TickSource>(value >> 48 & 3)};
  }
};

}  // namespace spprof
