// The process's one timer on its own CPU time, which sends SIGPROF to a thread that runs. Not
// inherited by a child.
//
// Context: control thread.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "platform/posix_timer.h"

namespace spprof {

// Whether the process has set the one of setitimer(ITIMER_PROF).
bool IsIntervalTimerSet();

class IntervalTimer {
 public:
  ~IntervalTimer() { Delete(); }
  // `value`: what its signal carries where it can. A POSIX timer ends with execve; setitimer's,
  // taken where there is none of that kind, lives on, and ends the new program.
  void Create(uint64_t value);
  // Microseconds at the finest. 0 stops it.
  Status Set(uint64_t interval_ns);
  void Delete();
  // Whether it is set again only when its signal is delivered, to so long after that; setitimer's
  // catches up with the time that has passed.
  bool IsSetAtDelivery() const { return timer_ != kNoTimer; }

 private:
  int32_t timer_ = kNoTimer;
};

}  // namespace spprof
