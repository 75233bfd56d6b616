// An alarm that goes off when the process has used some CPU time, and costs nothing while it uses
// none: a POSIX timer on the process's CPU clock whose signal, blocked on the thread that waits, is
// read from a file descriptor (signalfd).
//
// Context: one thread, which must have all signals blocked and live as long as this.
#pragma once

#include <cstdint>

#include "platform/posix_timer.h"

namespace spprof {

class CpuAlarm {
 public:
  // For the calling thread. Where the kernel refuses (no timer left, no signalfd), fd() is -1 and
  // the alarm never goes off.
  CpuAlarm();
  ~CpuAlarm();
  CpuAlarm(const CpuAlarm&) = delete;
  CpuAlarm& operator=(const CpuAlarm&) = delete;

  // Readable once it has gone off; poll leaves a negative one alone.
  int fd() const { return fd_; }
  // Goes off after `cpu_ns` more of CPU time, at the kernel's next tick.
  void Arm(uint64_t cpu_ns);
  // Neither armed nor gone off.
  void Clear();

 private:
  int fd_ = -1;
  int32_t timer_ = kNoTimer;
};

}  // namespace spprof
