// What the timers of one thread keep from tick to tick: their kernel ids, and the CPU time that
// samples stand for or not yet.
//
// Context: signal, on the thread itself, except where a member says otherwise. Zeroed and set up by
// the control side while the slot is not active.
#pragma once

#include <atomic>
#include <cstdint>

#include "region/sequence.h"
#include "signal_safe/ticks/hires_state.h"
#include "signal_safe/ticks/perf_state.h"

namespace spprof {

struct TickState {
  // Kernel timer ids; -1: none. Set and cleared by the control side, used by the handler.
  std::atomic<int32_t> cpu_timer;
  std::atomic<int32_t> hires_timers[2];
  std::atomic<int32_t> perf_event;  // file descriptor; -1: none
  uint64_t perf_event_id;           // of the control side (platform/perf_event.h)
  Word is_rearmed;                  // timers have been set anew: the next tick asks the CPU clock
  Sequence paused_cpu_ns;           // CPU time used in pauses; no sample stands for it
  uint64_t pause_began_cpu_ns;      // of the control side: the thread's CPU clock then
  uint64_t last_cpu_ns;             // CPU time, without that in pauses, that has been seen
  uint64_t unsampled_ns;            // tick: of that, what no sample stands for yet
  int64_t overrun_ns;  // tick and itimer: what samples stand for beyond intervals and overruns
  uint32_t is_rearming_untold;  // timers have been set anew, and no sample has said so yet
  HiresState hires;
  PerfState perf;
  uint64_t random;
};

}  // namespace spprof
