// What the engine hires keeps for one thread (signal_safe/ticks/hires_tick.h).
//
// Context: signal, on the thread itself.
#pragma once

#include <cstdint>

#include "signal_safe/ticks/cpu_debt.h"

namespace spprof {

struct HiresState {
  uint64_t armed_ns;       // when the next tick is due
  uint64_t after_ns;       // and the one after that
  uint64_t taken_ns;       // by the longest of the last ticks, from when it was due
  uint32_t next_timer;     // which of the two timers the next tick is of
  uint32_t is_ticking;     // by its own timer; 0: the kernel's tick is waited for
  uint32_t skipped_ticks;  // that the last one left no room for
  // The next tick comes in place of the kernel's second one, then, and stands for so much if it
  // meets the thread at work; 0: there is no such tick.
  uint64_t second_due_ns;
  uint64_t second_weight_ns;

  uint64_t cpu_read_ns;  // when the thread's CPU clock was read
  uint32_t has_slept;    // it had been off the CPU since the reading before

  uint64_t asleep_since_ns;  // since when each tick has found the thread asleep; 0: it runs
  uint32_t wakings;          // ticks since then that have woken it
  int64_t sleeps_read;       // kernel::ThreadSleeps() when it was last found asleep

  CpuDebt debt;
  uint64_t worked_ns;  // what ticks stand for since the thread was found asleep
  uint64_t burst_ns;   // the same for whole bursts of work, a running mean
};

}  // namespace spprof
