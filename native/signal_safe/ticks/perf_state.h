// What the engine perf keeps for one thread (signal_safe/ticks/perf_tick.h).
//
// Context: signal, on the thread itself.
#pragma once

#include <cstdint>

namespace spprof {

// CPU time that no sample stands for yet (negative: samples stand for more than has been used), and
// how it is shared out among the samples that come, in proportion to their own time.
struct Balance {
  int64_t owed_ns;
  double share;       // of what is owed, for each nanosecond of a sample's own time
  int64_t paying_ns;  // own time of samples until all of it is paid

  void Plan(uint64_t during_ns) {
    share = static_cast<double>(owed_ns) / static_cast<double>(during_ns);
    paying_ns = static_cast<int64_t>(during_ns);
  }

  // The part of a sample of `own_ns`. None pays more than what is planned.
  int64_t Pay(int64_t own_ns) {
    if (paying_ns <= 0) return 0;
    const auto paid =
        static_cast<int64_t>(share * static_cast<double>(own_ns < paying_ns ? own_ns : paying_ns));
    owed_ns -= paid;
    paying_ns -= own_ns;
    return paid;
  }
};

struct PerfState {
  uint64_t counted_ns;  // by events since the thread's CPU clock was read
  int64_t since_event_ns;
  uint32_t silent_ticks;  // of the kernel, in a row, between which an event should have come
  int64_t switches;       // of threads, up to the kernel's last tick
  uint64_t setting_ns;    // what setting events has taken since, and no tick is left out for
  Balance near;           // belongs to what runs now
  Balance calls;          // of system calls
};

}  // namespace spprof
