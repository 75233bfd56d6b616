#include "platform/interval_timer.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>

#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

#ifdef __linux__
// Since Linux 6.4 the signal of a POSIX timer goes to the thread that runs, as setitimer's does.
// Before, the main thread got it, and was woken.
bool DoSignalsMeetTheRunningThread() {
  struct utsname system {};
  unsigned major = 0;
  unsigned minor = 0;
  if (uname(&system) != 0 || std::sscanf(system.release, "%u.%u", &major, &minor) != 2)
    return false;
  return major > 6 || (major == 6 && minor >= 4);
}
#endif

}  // namespace

bool IsIntervalTimerSet() {
  struct itimerval now {};
  return getitimer(ITIMER_PROF, &now) == 0 &&
         (now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0);
}

#ifdef __linux__
void IntervalTimer::Create(uint64_t value) {
  if (!DoSignalsMeetTheRunningThread()) return;
  if (!CreateProcessTimer(CLOCK_PROCESS_CPUTIME_ID, SIGPROF, value, &timer_).ok())
    timer_ = kNoTimer;
}

void IntervalTimer::Delete() {
  DeleteTimer(timer_);
  timer_ = kNoTimer;
}
#else
void IntervalTimer::Create(uint64_t) {}
void IntervalTimer::Delete() {}
#endif

Status IntervalTimer::Set(uint64_t interval_ns) {
#ifdef __linux__
  if (timer_ != kNoTimer) {
    if (kernel::SetTimer(timer_, interval_ns, interval_ns, false) == 0) return Status::Ok();
    return Status::System("timer_settime", EINVAL, "timing the process");
  }
#endif
  struct itimerval timer {};
  timer.it_interval.tv_sec = static_cast<time_t>(interval_ns / 1'000'000'000);
  timer.it_interval.tv_usec = static_cast<suseconds_t>(interval_ns % 1'000'000'000 / 1000);
  timer.it_value = timer.it_interval;
  if (setitimer(ITIMER_PROF, &timer, nullptr) == 0) return Status::Ok();
  return Status::System("setitimer", errno, "timing the process");
}

}  // namespace spprof
