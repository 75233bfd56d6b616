// Wakes the drain thread: a futex word, and not a descriptor, which the program could close and
// use for something of its own.
//
// Context: Wake in a signal handler or on any thread; Wait on one thread.
//
// clang-format off
// | word   | writer         | reader | release  | acquire | becomes visible               | if weakened                      |
// | is_due | any, signal    | drain  | Wake W1  | Wait W2 | what the caller did before    | the drain looks too early, once  |
// clang-format on
#pragma once

#include <linux/futex.h>

#include "region/sequence.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {

// Why the drain is woken: bits.
enum WakeReason : uint32_t {
  kAsked = 1,  // a thread or a signal handler wants something done at once
  kAlarm = 2,  // the process has begun to work (CpuAlarm)
};

class Waker {
 public:
  void Wake(WakeReason reason = kAsked) {
    if (reasons_.fetch_or(reason, std::memory_order_acq_rel) != 0)
      return;  // W1; it is awake already
    kernel::Call(SYS_futex, Address(), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
  }
  // The reasons of the calls of Wake since the last time. 0: the time is over, or a signal has been
  // handled on this thread.
  uint32_t Wait(uint64_t timeout_ns) {
    if (reasons_.load(std::memory_order_relaxed) == 0) {
      const struct timespec timeout = {static_cast<time_t>(timeout_ns / 1'000'000'000),
                                       static_cast<long>(timeout_ns % 1'000'000'000)};
      kernel::Call(SYS_futex, Address(), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0,
                   reinterpret_cast<int64_t>(&timeout));
    }
    return reasons_.exchange(0, std::memory_order_acq_rel);  // W2
  }
  // Whether Wait would return at once.
  bool IsDue() const { return reasons_.load(std::memory_order_relaxed) != 0; }

 private:
  int64_t Address() { return reinterpret_cast<int64_t>(&reasons_); }

  Word reasons_{0};
};

}  // namespace spprof
