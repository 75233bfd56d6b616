#include "platform/posix_timer.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/clock.h"

namespace spprof {

namespace {

// struct sigevent as the kernel reads it; glibc's own has the same shape but names its thread field
// differently over the years.
struct KernelSigevent {
  union {
    int value_int;
    void* value_ptr;
  };
  int signal;
  int notify;
  int tid;
  char padding[64 - 8 - 3 * 4];
};
static_assert(sizeof(KernelSigevent) == 64);

Status CreateTimer(clockid_t clock, const KernelSigevent& event, int32_t* timer) {
  int32_t id = kNoTimer;
  if (syscall(SYS_timer_create, clock, &event, &id) != 0) {
    const int error = errno;
    if (error == EAGAIN) {
      struct rlimit limit {};
      getrlimit(RLIMIT_SIGPENDING, &limit);
      return Status::System(
          "timer_create", error,
          "no POSIX timer left for a thread, which is not sampled: each takes one of the " +
              std::to_string(limit.rlim_cur) +
              " pending signals that this user may have; raise that limit (ulimit -i)");
    }
    return Status::System("timer_create", error, "timing a thread");
  }
  *timer = id;
  return Status::Ok();
}

KernelSigevent EventOf(int notify, int signal, uint64_t value) {
  KernelSigevent event;
  std::memset(&event, 0, sizeof(event));
  event.value_ptr = reinterpret_cast<void*>(value);
  event.signal = signal;
  event.notify = notify;
  return event;
}

}  // namespace

uint64_t ThreadCpuOf(pid_t tid) { return ReadClock(ThreadCpuClock(tid)); }

Status CreateThreadTimer(clockid_t clock, pid_t tid, int signal, uint64_t value, int32_t* timer) {
  KernelSigevent event = EventOf(SIGEV_THREAD_ID, signal, value);
  event.tid = tid;
  return CreateTimer(clock, event, timer);
}

Status CreateProcessTimer(clockid_t clock, int signal, uint64_t value, int32_t* timer) {
  return CreateTimer(clock, EventOf(SIGEV_SIGNAL, signal, value), timer);
}

void DeleteTimer(int32_t timer) {
  if (timer != kNoTimer) syscall(SYS_timer_delete, timer);
}

}  // namespace spprof
