// POSIX timers by kernel id, so that a handler can set them without libc; those for sampling send
// their signal to one thread of this process (Linux: SIGEV_THREAD_ID). A thread's CPU clock can be
// timed from any thread of the process.
//
// Context: control thread.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>

#include "base/status.h"

namespace spprof {

inline constexpr int32_t kNoTimer = -1;

// The CPU clock of thread `tid` of this process (the kernel's encoding: MAKE_THREAD_CPUCLOCK(tid,
// CPUCLOCK_SCHED)).
constexpr clockid_t ThreadCpuClock(pid_t tid) {
  return static_cast<clockid_t>((~static_cast<unsigned>(tid) << 3) | 6);
}

// CPU time of thread `tid`, nanoseconds; 0 when it is gone.
uint64_t ThreadCpuOf(pid_t tid);

// A disarmed timer on `clock` that sends `signal` with `value` to `tid`. EAGAIN: RLIMIT_SIGPENDING
// is used up.
Status CreateThreadTimer(clockid_t clock, pid_t tid, int signal, uint64_t value, int32_t* timer);
// A disarmed one whose signal goes to the process.
Status CreateProcessTimer(clockid_t clock, int signal, uint64_t value, int32_t* timer);
void DeleteTimer(int32_t timer);

}  // namespace spprof
