#include "session/shutdown_manager.h"

#include <chrono>

#include "platform/threads.h"

namespace spprof {

const char* ShutdownPhaseName(size_t index) {
  static constexpr const char* kNames[] = {"stop_accepting", "stop_timers", "flush_lanes",
                                           "final_drain",    "sync",        "release"};
  static_assert(std::size(kNames) == kShutdownPhaseCount);
  return kNames[index];
}

const char* ShutdownReasonName(ShutdownReason reason) {
  static constexpr const char* kNames[] = {"none", "stop", "duration", "signal", "exit", "lost"};
  return kNames[static_cast<size_t>(reason)];
}

bool ShutdownManager::Request(ShutdownReason reason) {
  const uint64_t now_ns = MonotonicNow();
  const bool is_first = RequestShutdown(shutdown_requested_, reason);
  if (is_first) NoteRequest(now_ns);
  waker_->Wake();
  return is_first;
}

void ShutdownManager::Execute(const ShutdownSteps& steps,
                              const std::function<void(const ShutdownReport&)>& conclude) {
  ShutdownReport report;
  report.reason =
      static_cast<ShutdownReason>(shutdown_requested_->load(std::memory_order_acquire));  // H4
  const uint64_t start_ns = MonotonicNow();
  const uint64_t requested_ns = requested_ns_.load(std::memory_order_relaxed);
  if (requested_ns != 0 && requested_ns < start_ns) report.wait_ns = start_ns - requested_ns;
  uint64_t begin_ns = start_ns;
  for (size_t i = 0; i < kShutdownPhaseCount; i++) {
    Enter(static_cast<ShutdownPhase>(i + 1));
    report.phases[i].is_cut_short = !steps[i].run(begin_ns + steps[i].budget_ns);
    const uint64_t end_ns = MonotonicNow();
    report.phases[i].took_ns = end_ns - begin_ns;
    begin_ns = end_ns;
  }
  report.total_ns = report.wait_ns + begin_ns - start_ns;
  conclude(report);
  Enter(ShutdownPhase::kDone);
}

void ShutdownManager::Enter(ShutdownPhase phase) {
  {
    std::lock_guard lock(mutex_);
    phase_.store(static_cast<uint32_t>(phase), std::memory_order_release);  // D1
  }
  if (phase == ShutdownPhase::kDone) done_.notify_all();
}

bool ShutdownManager::WaitUntilDone(uint64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  // On the system clock: condition variables on the monotonic one need a libc function that TSan
  // does not know. A clock that is set meanwhile makes the wait longer or shorter, once.
  return done_.wait_until(lock,
                          std::chrono::system_clock::now() + std::chrono::nanoseconds(timeout_ns),
                          [this] { return phase() == ShutdownPhase::kDone; });
}

}  // namespace spprof
