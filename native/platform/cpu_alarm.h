// An alarm that goes off when the process has used some CPU time, and costs nothing while it uses
// none. A thread of its own sleeps until the process's CPU clock has moved on (clock_nanosleep on
// CLOCK_PROCESS_CPUTIME_ID) and then wakes the drain. No signal is involved: a signal to this
// process, also one that is blocked and read from a descriptor, could be the program's.
//
// Context: one thread, which must have all signals blocked.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "signal_safe/machine/waker.h"

namespace spprof {

class CpuAlarm {
 public:
  // Wakes with kAlarm. Where there can be no such thread, the alarm never goes off.
  explicit CpuAlarm(Waker* waker);
  // Ends the thread. If it sleeps, the process has to use CPU time for that, and does so here: one
  // of the kernel's ticks.
  ~CpuAlarm();
  CpuAlarm(const CpuAlarm&) = delete;
  CpuAlarm& operator=(const CpuAlarm&) = delete;

  // Of the thread; 0: there is none.
  pid_t tid() const { return tid_; }
  // Goes off at the kernel's first tick after the process has used kCpuAlarmNs more of CPU time,
  // counted from this call or from an earlier one that was cleared and has not gone off yet.
  void Arm();
  // It is not armed any more when this returns.
  void Clear();

 private:
  struct Shared;
  static void Run(Shared* shared);

  std::shared_ptr<Shared> shared_;  // the thread has the other reference
  pid_t tid_ = 0;
};

inline constexpr int64_t kCpuAlarmNs = 1'000'000;

}  // namespace spprof
