// When it is time to see whether a thread blocks the profiling signal. No tick can come in such a
// thread, and one that waits may be taken for a signal of the program's own: by sigwait(), a
// signalfd or sigpending(), which programs use with every signal in the set.
//
// Context: control side, under the sampler's lock.
#pragma once

#include <cstdint>
#include <vector>

#include "region/layout.h"

namespace spprof {

class MaskWatch {
 public:
  // True: the slot's thread has not been looked at since it has begun to run, or it has used some
  // CPU time since without a signal. One read of a clock, where no signal has come.
  bool IsDue(uint32_t slot, const ThreadLaneSet& lanes);
  // What the look has found. True: the thread blocks the signal for good. libc blocks all signals
  // for a moment to make a thread or a process, so it has to be found more than once.
  bool Note(uint32_t slot, bool is_blocking);

 private:
  struct Seen {
    uint32_t generation = 0;
    uint32_t times_blocking = 0;  // in a row
    bool has_run = false;
    uint64_t signals = 0;
    uint64_t cpu_ns = 0;
  };
  bool IsDoubtful(const Seen& seen) const;

  std::vector<Seen> seen_;  // by slot
};

}  // namespace spprof
