// What the ticks of all threads share. Set up before the first timer exists; only the atomics
// change later.
//
// Context: signal | control thread.
#pragma once

#include <cstdint>

#include "base/kernel_tick.h"
#include "region/records.h"
#include "signal_safe/ticks/tick_state.h"

namespace spprof {

// tick, hires: of the timers on the threads' CPU clocks. So short that every tick of the kernel's
// that meets a thread finds its timer expired, however little it has done since the last one. Where
// the kernel's tick is not known, nothing else would keep the interval.
constexpr uint64_t CpuTimerNs(uint64_t kernel_tick_ns, uint64_t interval_ns) {
  constexpr uint64_t kShort = 10'000;
  return kernel_tick_ns == 0 || interval_ns < kShort ? interval_ns : kShort;
}

struct TickContext {
  TimerEngine engine = TimerEngine::kTick;
  Sequence interval_ns{0};
  uint64_t perf_switch_ns = 0;            // of a change of threads, what setting events costs it
  uint64_t kernel_tick_ns = 0;            // 0: not known, and every tick takes a sample
  Sequence tick_phase_ns{kUnknownPhase};  // base/kernel_tick.h; the drain finds it
  Word is_paused{0};                      // sampling/sample_timers.h says who orders what
};

}  // namespace spprof
