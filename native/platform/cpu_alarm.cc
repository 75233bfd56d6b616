#include "platform/cpu_alarm.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/threads.h"
#include "signal_safe/kernel.h"

namespace spprof {

CpuAlarm::CpuAlarm() {
  // The last real-time signal: it is directed at this thread alone, and blocked there, so that no
  // handler of the program's is concerned.
  const int signal = SIGRTMAX;
  if (!CreateThreadTimer(CLOCK_PROCESS_CPUTIME_ID, CurrentThreadId(), signal, 0, &timer_).ok())
    return;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal);
  fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

CpuAlarm::~CpuAlarm() {
  DeleteTimer(timer_);
  if (fd_ >= 0) close(fd_);
}

void CpuAlarm::Arm(uint64_t cpu_ns) {
  if (fd_ >= 0) kernel::SetTimer(timer_, cpu_ns, 0, false);
}

void CpuAlarm::Clear() {
  if (fd_ < 0) return;
  kernel::SetTimer(timer_, 0, 0, false);
  struct signalfd_siginfo info;
  while (read(fd_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
  }
}

}  // namespace spprof
