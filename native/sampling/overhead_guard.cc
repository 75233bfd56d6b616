#include "sampling/overhead_guard.h"

#include <algorithm>

namespace spprof {

namespace {

constexpr uint64_t kWindowCpuNs = 250'000'000;
constexpr double kMargin = 1.1;  // below the budget, so that it is kept and not met
constexpr double kLongestIntervalNs = 10e9;

}  // namespace

uint64_t OverheadGuard::Judge(const Costs& now, uint64_t interval_ns) {
  const uint64_t cpu_ns = now.cpu_ns - window_began_.cpu_ns;
  if (cpu_ns < kWindowCpuNs) return 0;
  const auto samples = static_cast<double>(now.samples - window_began_.samples);
  share_ =
      static_cast<double>(now.handler_ns - window_began_.handler_ns) / static_cast<double>(cpu_ns);
  window_began_ = now;
  const bool was_over = was_over_;
  was_over_ = share_ > budget_ && samples > 0;
  if (!was_over_ || !was_over) return 0;
  was_over_ = false;
  // The kernel's tick may be longer than the interval asked for.
  const double present_ns =
      std::max(static_cast<double>(interval_ns), static_cast<double>(cpu_ns) / samples);
  const double longer_ns = std::min(present_ns * share_ / budget_ * kMargin, kLongestIntervalNs);
  return longer_ns > static_cast<double>(interval_ns) ? static_cast<uint64_t>(longer_ns) : 0;
}

}  // namespace spprof
