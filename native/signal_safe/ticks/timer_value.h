// What a sampling timer's signal carries (docs/design/threads.md 2): whose it is and which slot it
// is for, so that the handler needs no lookup and no thread-local storage.
//
//   63      50 49  48 47        16 15        0
//   │ cookie  │ source │ generation │ slot      │
//
// The cookie is this copy's of the library: two in one process, each with its timers, tell theirs
// apart.
//
// Context: any.
#pragma once

#include <cstdint>

namespace spprof {

enum class TickSource : uint8_t {
  kCpuTimer = 0,    // a timer on the thread's CPU clock
  kHiresTimer = 1,  // one on the monotonic clock
  kNoValue = 3,     // a signal that carries no slot: a perf event's, the process's one timer's
};

struct TimerValue {
  uint32_t slot;
  uint32_t generation;
  TickSource source;

  uint64_t Encode() const {
    return Cookie() << 50 | static_cast<uint64_t>(source) << 48 |
           static_cast<uint64_t>(generation) << 16 | slot;
  }
  static bool IsOurs(uint64_t value) { return value >> 50 == Cookie(); }
  static constexpr TimerValue Decode(uint64_t value) {
    return {static_cast<uint32_t>(value & 0xffff), static_cast<uint32_t>(value >> 16),
            static_cast<TickSource>(value >> 48 & 3)};
  }

 private:
  // Where this copy has been loaded, in pages.
  static uint64_t Cookie() { return (reinterpret_cast<uintptr_t>(&kHere) >> 12 ^ 0x14d4) & 0x3fff; }
  static constexpr char kHere = 0;
};

}  // namespace spprof
