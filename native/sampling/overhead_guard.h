// Keeps the handler's share of the CPU time within a budget, by a longer interval. What the first
// samples cost, when nothing is in any cache, does not count: two windows in a row must be over the
// budget.
//
// Context: drain thread. Pure.
#pragma once

#include <cstdint>

namespace spprof {

class OverheadGuard {
 public:
  // `budget`: a share, 0 to 1.
  explicit OverheadGuard(double budget) : budget_(budget) {}

  // All so far: time in the handler, CPU time of the process, samples.
  struct Costs {
    uint64_t handler_ns = 0;
    uint64_t cpu_ns = 0;
    uint64_t samples = 0;
  };
  // The interval that keeps the budget; 0: the present one does.
  uint64_t Judge(const Costs& now, uint64_t interval_ns);
  // Of the last window that was judged.
  double share() const { return share_; }

 private:
  const double budget_;
  Costs window_began_;
  bool was_over_ = false;
  double share_ = 0;
};

}  // namespace spprof
