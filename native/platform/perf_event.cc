#include "platform/perf_event.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <numeric>
#include <string>

#include "base/clock.h"
#include "platform/descriptor.h"
#include "platform/small_file.h"
#include "platform/threads.h"

namespace spprof {

namespace {

// What is open, for forked children, which may not allocate or lock.
constexpr size_t kMaxEvents = 1024;
struct Place {
  std::atomic<int> fd{kNoPerfEvent};
  std::atomic<uint64_t> id{0};
};
constinit Place g_places[kMaxEvents];

size_t MostEvents() {
  constexpr rlim_t kShare = 4;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMaxEvents;
  return limit.rlim_cur / kShare < kMaxEvents ? limit.rlim_cur / kShare : kMaxEvents;
}

// False: there are as many as there may be.
bool TakePlace(const PerfEvent& event) {
  const size_t most = MostEvents();
  for (size_t at = 0; at < most; at++) {
    int none = kNoPerfEvent;
    if (!g_places[at].fd.compare_exchange_strong(none, event.fd)) continue;
    g_places[at].id = event.id;
    return true;
  }
  return false;
}

void LeavePlace(const PerfEvent& event) {
  for (Place& place : g_places) {
    if (place.fd != event.fd || place.id != event.id) continue;
    place.id = 0;
    place.fd = kNoPerfEvent;
    return;
  }
}

Status Problem(int error) {
  if (error != EMFILE) return Status::System("perf_event_open", error, "timing a thread");
  return Status::System("perf_event_open", error,
                        "no file descriptor is left to time more threads: the others have samples "
                        "at the kernel's tick only; raise the limit of open files (ulimit -n)");
}

int Open(pid_t tid, uint64_t interval_ns) {
  struct perf_event_attr attributes;
  std::memset(&attributes, 0, sizeof(attributes));
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.sample_period = interval_ns;
  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.wakeup_events = 1;
  const auto fd = static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
  return fd < 0 ? fd : MoveToHighNumber(fd);
}

}  // namespace

Status OpenPerfEvent(pid_t tid, int signal, uint64_t interval_ns, PerfEvent* out) {
  *out = {};
  PerfEvent event{Open(tid, interval_ns), 0};
  if (event.fd < 0) return Problem(errno);
  const struct f_owner_ex owner = {F_OWNER_TID, tid};
  if (ioctl(event.fd, PERF_EVENT_IOC_ID, &event.id) != 0 ||
      fcntl(event.fd, F_SETSIG, signal) != 0 || fcntl(event.fd, F_SETOWN_EX, &owner) != 0 ||
      fcntl(event.fd, F_SETFL, O_ASYNC | O_NONBLOCK) != 0) {
    const int error = errno;
    close(event.fd);
    return Status::System("fcntl", error, "directing a perf event's signal at a thread");
  }
  if (!TakePlace(event)) {
    close(event.fd);
    return Problem(EMFILE);
  }
  *out = event;
  return Status::Ok();
}

bool IsOpen(const PerfEvent& event) {
  uint64_t id = 0;
  return event.fd != kNoPerfEvent && ioctl(event.fd, PERF_EVENT_IOC_ID, &id) == 0 && id == event.id;
}

void EnablePerfEvent(const PerfEvent& event) {
  if (IsOpen(event)) ioctl(event.fd, PERF_EVENT_IOC_ENABLE, 0);
}

void DisablePerfEvent(const PerfEvent& event) {
  if (IsOpen(event)) ioctl(event.fd, PERF_EVENT_IOC_DISABLE, 0);
}

void SetPerfEventInterval(const PerfEvent& event, uint64_t interval_ns) {
  if (IsOpen(event)) ioctl(event.fd, PERF_EVENT_IOC_PERIOD, &interval_ns);
}

void ClosePerfEvent(const PerfEvent& event) {
  if (event.fd == kNoPerfEvent) return;
  LeavePlace(event);
  // A child that has not closed it keeps it alive.
  DisablePerfEvent(event);
  if (IsOpen(event)) close(event.fd);
}

uint64_t MeasurePerfEventSetting(uint64_t interval_ns) {
  constexpr size_t kTimes = 24;
  constexpr size_t kLeftOut = 2;  // the longest: the thread may have lost the CPU meanwhile
  const int fd = Open(CurrentThreadId(), interval_ns);  // it has no owner, and sends no signal
  if (fd < 0) return 0;
  ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
  uint64_t times_ns[kTimes];
  for (uint64_t& time_ns : times_ns) {
    const uint64_t before_ns = MonotonicNow();
    ioctl(fd, PERF_EVENT_IOC_PERIOD, &interval_ns);
    time_ns = MonotonicNow() - before_ns;
  }
  close(fd);
  std::sort(std::begin(times_ns), std::end(times_ns));
  const uint64_t sum_ns =
      std::accumulate(std::begin(times_ns), std::end(times_ns) - kLeftOut, uint64_t{0});
  return sum_ns / (kTimes - kLeftOut);
}

void ClosePerfEventsInChild() {
  for (Place& place : g_places) {
    const PerfEvent event{place.fd.exchange(kNoPerfEvent), place.id.exchange(0)};
    if (IsOpen(event)) close(event.fd);
  }
}

std::string WhyNoPerfEvents() {
  PerfEvent event;
  const Status status = OpenPerfEvent(CurrentThreadId(), SIGURG, 1'000'000'000, &event);
  ClosePerfEvent(event);
  if (status.ok() || status.error_number() == EMFILE) return {};
  return std::string("perf_event_open: ") + std::strerror(status.error_number()) +
         "; kernel.perf_event_paranoid is " +
         ReadFirstLine("/proc/sys/kernel/perf_event_paranoid") + ", and containers often forbid it";
}

Status CheckPerfEvents() {
  const std::string why = WhyNoPerfEvents();
  if (why.empty()) return Status::Ok();
  return Status::Error(kErrTimer, "timer perf cannot be used here (" + why + "); use timer auto");
}

}  // namespace spprof
