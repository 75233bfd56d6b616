#include "platform/interval_timer.h"

#include <sys/time.h>

#include <cerrno>

namespace spprof {

bool IsIntervalTimerSet() {
  struct itimerval now {};
  return getitimer(ITIMER_PROF, &now) == 0 &&
         (now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0);
}

Status SetIntervalTimer(uint64_t interval_ns) {
  struct itimerval timer {};
  timer.it_interval.tv_sec = static_cast<time_t>(interval_ns / 1'000'000'000);
  timer.it_interval.tv_usec = static_cast<suseconds_t>(interval_ns % 1'000'000'000 / 1000);
  timer.it_value = timer.it_interval;
  if (setitimer(ITIMER_PROF, &timer, nullptr) == 0) return Status::Ok();
  return Status::System("setitimer", errno, "timing the process");
}

}  // namespace spprof
