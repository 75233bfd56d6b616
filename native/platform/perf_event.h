// A counter of one thread's CPU time in the kernel's perf subsystem, which sends that thread a
// signal each time so much has been used (PERF_COUNT_SW_TASK_CLOCK; F_SETSIG). Needs no hardware,
// but one file descriptor a thread, and the kernel's permission.
//
// Context: control thread.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/status.h"

namespace spprof {

inline constexpr int kNoPerfEvent = -1;

// Not counting yet. The signal's si_fd is `*fd`. Where the kernel allows it time in the kernel
// counts; else a tick that falls into it comes with the next one that does not.
Status OpenPerfEvent(pid_t tid, int signal, uint64_t interval_ns, int* fd);
void EnablePerfEvent(int fd);
void DisablePerfEvent(int fd);
void SetPerfEventInterval(int fd, uint64_t interval_ns);
void ClosePerfEvent(int fd);

// ERR_SPPROF_TIMER, and why, where this process may not have such counters.
Status CheckPerfEvents();

}  // namespace spprof
