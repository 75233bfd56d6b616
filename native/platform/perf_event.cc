#include "platform/perf_event.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "platform/small_file.h"
#include "platform/threads.h"

namespace spprof {

namespace {

int Open(pid_t tid, uint64_t interval_ns, bool with_kernel) {
  struct perf_event_attr attributes;
  std::memset(&attributes, 0, sizeof(attributes));
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.sample_period = interval_ns;
  attributes.disabled = 1;
  attributes.exclude_kernel = with_kernel ? 0 : 1;
  attributes.exclude_hv = 1;
  attributes.wakeup_events = 1;
  return static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

Status OpenPerfEvent(pid_t tid, int signal, uint64_t interval_ns, int* fd) {
  *fd = Open(tid, interval_ns, true);
  if (*fd < 0 && (errno == EACCES || errno == EPERM)) *fd = Open(tid, interval_ns, false);
  if (*fd < 0) {
    const int error = errno;
    const std::string what = error == EMFILE
                                 ? "no file descriptor left to time a thread, which is not sampled"
                                 : "timing a thread";
    return Status::System("perf_event_open", error, what);
  }
  const struct f_owner_ex owner = {F_OWNER_TID, tid};
  if (fcntl(*fd, F_SETSIG, signal) != 0 || fcntl(*fd, F_SETOWN_EX, &owner) != 0 ||
      fcntl(*fd, F_SETFL, O_ASYNC | O_NONBLOCK) != 0) {
    const int error = errno;
    close(*fd);
    *fd = kNoPerfEvent;
    return Status::System("fcntl", error, "directing a perf event's signal at a thread");
  }
  return Status::Ok();
}

void EnablePerfEvent(int fd) { ioctl(fd, PERF_EVENT_IOC_ENABLE, 0); }
void DisablePerfEvent(int fd) { ioctl(fd, PERF_EVENT_IOC_DISABLE, 0); }
void SetPerfEventInterval(int fd, uint64_t interval_ns) {
  ioctl(fd, PERF_EVENT_IOC_PERIOD, &interval_ns);
}
void ClosePerfEvent(int fd) {
  if (fd != kNoPerfEvent) close(fd);
}

Status CheckPerfEvents() {
  int fd;
  const Status status = OpenPerfEvent(CurrentThreadId(), SIGPROF, 1'000'000'000, &fd);
  if (status.ok()) {
    ClosePerfEvent(fd);
    return status;
  }
  return Status::Error(kErrTimer, "timer perf cannot be used here (perf_event_open: " +
                                      std::string(std::strerror(status.error_number())) +
                                      "; kernel.perf_event_paranoid is " +
                                      ReadFirstLine("/proc/sys/kernel/perf_event_paranoid") +
                                      ", and containers often forbid it); use timer auto");
}

}  // namespace spprof
