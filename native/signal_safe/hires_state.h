// What the engine hires keeps for one thread (signal_safe/hires_tick.h).
//
// Context: signal, on the thread itself.
#pragma once

#include <cstdint>

#include "signal_safe/cpu_debt.h"

namespace spprof {

// Ticks that come without the timer being set (signal_safe/hires_timer.h).
struct TickSeries {
  uint32_t to_come;
  uint64_t period_ns;
  uint64_t rest_ns;  // of the last tick's interval
};

struct HiresState {
  uint64_t armed_ns;       // when the next tick is due
  uint32_t is_ticking;     // by its own timer; 0: the kernel's tick is waited for
  uint32_t skipped_ticks;  // that the last one left no room for
  TickSeries series;
  // The next tick comes in place of the kernel's second one, then, and stands for so much if it
  // meets the thread at work; 0: there is no such tick.
  uint64_t second_due_ns;
  uint64_t second_weight_ns;

  uint64_t cpu_read_ns;     // when the thread's CPU clock was read
  uint32_t has_slept;       // it had been off the CPU since the reading before
  uint64_t awake_since_ns;  // since when no reading has found that, and no tick was late

  uint64_t asleep_since_ns;  // since when each tick has found the thread asleep; 0: it runs
  uint32_t wakings;          // ticks since then that have woken it
  int64_t sleeps_read;       // kernel::ThreadSleeps() when it was last found asleep

  CpuDebt debt;
  uint64_t worked_ns;  // what ticks stand for since the thread was found asleep
  uint64_t burst_ns;   // the same for whole bursts of work, a running mean
};

}  // namespace spprof
