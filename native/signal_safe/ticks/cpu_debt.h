// hires: CPU time that no sample stands for yet, and how it is paid off. Ticks are spread evenly
// over wall time, so each that meets the thread at work stands for an interval of work, wherever in
// a burst it falls (or for more: its own time). That is unbiased, but right only on average; what
// the CPU clock says beyond it is a debt. Samples pay it off a part at a time, each in proportion
// to its own time, so that the sum is exact and none stands for another's work.
//
// Context: signal, on the sampled thread.
#pragma once

#include <cstdint>

namespace spprof {

struct CpuDebt {
  int64_t owed_ns;    // negative: samples stand for more than has been used
  double share;       // paid of it for each nanosecond of a sample's own time
  int64_t paying_ns;  // own time of samples until it is paid off

  bool IsPlanPaid() const { return paying_ns <= 0; }

  // Samples of `during_ns` are to pay it off, one of `own_ns` to be taken now among them: its own
  // time is no debt.
  void Plan(uint64_t own_ns, uint64_t during_ns) {
    if (during_ns < own_ns) during_ns = own_ns;
    share = static_cast<double>(owed_ns - static_cast<int64_t>(own_ns)) /
            static_cast<double>(during_ns);
    paying_ns = static_cast<int64_t>(during_ns);
  }

  // What a sample stands for. None pays more than what is planned.
  uint64_t Pay(uint64_t own_ns) {
    const auto own = static_cast<int64_t>(own_ns);
    const int64_t left = paying_ns < 0 ? 0 : paying_ns;
    const double payment = share * static_cast<double>(own < left ? own : left);
    const int64_t weight = own + static_cast<int64_t>(payment);
    const int64_t paid = weight < 1 ? 1 : weight;
    owed_ns -= paid;
    paying_ns -= own;
    return static_cast<uint64_t>(paid);
  }
};

}  // namespace spprof
