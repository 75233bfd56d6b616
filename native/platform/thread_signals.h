// What the kernel says of a thread's signals.
//
// Context: control side.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace spprof {

// The kernel's 64 signals, signal n at bit n - 1.
struct ThreadSignals {
  uint64_t blocked = 0;  // those too that it waits for with sigwait(), and that the kernel unblocks
                         // meanwhile
  uint64_t pending = 0;  // for this thread, not for the process
};

// Nothing: the thread has gone, there is no /proc, or it sleeps in a call that has another mask
// than the thread's own (ppoll, epoll_pwait). Two files, some 20 us each.
std::optional<ThreadSignals> SignalsOf(pid_t tid);

}  // namespace spprof
