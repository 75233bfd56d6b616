// Notices threads whose ticks have got lost. A tick of the hires engine sets the next one, so a
// single signal that somebody keeps ends them all: a handler that is being put over ours and does
// not know its predecessor yet (glibc's sigaction fills in the old action when the new one is in
// force already), one that passes signals on only now and then, or SIG_IGN while one is pending.
//
// Context: control side, under the sampler's lock.
#pragma once

#include <cstdint>
#include <vector>

#include "region/layout.h"
#include "signal_safe/handler/handler_context.h"

namespace spprof {

class TimerWatch {
 public:
  TimerWatch(TimerEngine engine, uint64_t interval_ns);
  void SetInterval(uint64_t interval_ns);

  // True: the slot's thread has used so much CPU time without a signal that its timers must be set
  // again. One read of a clock, where no signal has come since the last call.
  bool HasLostTicks(uint32_t slot, const ThreadLaneSet& lanes);

 private:
  struct Seen {
    uint32_t generation = 0;
    uint64_t signals = 0;
    uint64_t cpu_ns = 0;
  };
  const uint64_t shortest_patience_ns_;
  uint64_t patience_ns_ = 0;
  std::vector<Seen> seen_;  // by slot
};

}  // namespace spprof
