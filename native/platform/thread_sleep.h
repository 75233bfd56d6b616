// Where another thread of this process sleeps and how long it has waited for a CPU, as the kernel
// tells without waking it.
//
// Context: control thread and drain thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace spprof {

enum class SleepState : uint8_t {
  kAsleep,
  kAwake,       // it runs, waits for a CPU, or has gone
  kUnreadable,  // the kernel does not tell: no such file, or no right to read it
};

// The user registers with which a thread has entered the kernel.
struct SleepingCall {
  uint64_t sp = 0;
  uint64_t pc = 0;  // behind the system call's instruction
};

// From /proc/self/task/<tid>/syscall, which a thread may read of those of its own process without
// any privilege. `call` is set for kAsleep alone.
SleepState ReadSleepingCall(pid_t tid, SleepingCall* call);
// A line of that file.
SleepState ParseSleepingCall(const char* line, SleepingCall* call);

// How long the thread has been ready to run and has had no CPU, in all, nanoseconds; a wait that
// lasts is not in it yet. Nothing where the kernel does not count it.
std::optional<uint64_t> ThreadRunDelayNs(pid_t tid);

}  // namespace spprof
