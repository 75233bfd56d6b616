// A counter of one thread's CPU time in the kernel's perf subsystem, which sends that thread a
// signal each time so much has been used (PERF_COUNT_SW_TASK_CLOCK; F_SETSIG). Needs no hardware,
// but one file descriptor a thread, and the kernel's permission.
//
// It stays silent where the time ends in the kernel (exclude_kernel): that needs no privilege, and
// a signal which is sent there would end the system call that the thread goes to sleep in.
//
// The program may close the descriptor, and open another file under its number: so the number is
// high, and before each use the kernel is asked for the event's identity, which no other has.
//
// Context: control thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/status.h"

namespace spprof {

inline constexpr int kNoPerfEvent = -1;

struct PerfEvent {
  int fd = kNoPerfEvent;
  uint64_t id = 0;
};

// Not counting yet. The signal's si_fd is `out->fd`. EMFILE: there is no descriptor left, or more
// than a quarter of those that this process may have are events already.
Status OpenPerfEvent(pid_t tid, int signal, uint64_t interval_ns, PerfEvent* out);
// False: the program has closed it. (What follows does nothing then.)
bool IsOpen(const PerfEvent& event);
void EnablePerfEvent(const PerfEvent& event);
void DisablePerfEvent(const PerfEvent& event);
void SetPerfEventInterval(const PerfEvent& event, uint64_t interval_ns);
void ClosePerfEvent(const PerfEvent& event);

// What the kernel takes on average to stop such an event and to set it again, as it does at each
// change of threads: nanoseconds, 0 where it permits none. Where a hypervisor keeps the timer this
// is many times as much as elsewhere. Measured on the calling thread; takes up to half a
// millisecond.
uint64_t MeasurePerfEventSetting(uint64_t interval_ns);

// A forked child closes its parent's events, and does not touch them otherwise.
void ClosePerfEventsInChild();

// Why this process may not have such counters; empty: it may.
std::string WhyNoPerfEvents();
// The same as ERR_SPPROF_TIMER.
Status CheckPerfEvents();

}  // namespace spprof
