#include "session/shutdown_signals.h"

#include <unistd.h>

#include <cerrno>

#include "platform/posix_timer.h"
#include "platform/threads.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {

ShutdownSignals::ShutdownSignals(Word* shutdown_requested, Waker* waker, uint64_t watchdog_ns) {
  context_->pid = getpid();
  context_->waker = waker;
  context_->shutdown_requested = shutdown_requested;
  context_->watchdog_ns = watchdog_ns;
}

Status ShutdownSignals::Install() {
  struct sigaction action {};
  action.sa_sigaction = HandleShutdownSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  action.sa_mask = SignalSet(kHandlerMask);

  for (size_t i = 0; i < kShutdownSignalCount; i++)
    sigaction(kShutdownSignals[i], nullptr, &context_->signals[i].previous);
  SetShutdownSignalContext(context_.get());
  is_installed_ = true;
  for (size_t i = 0; i < kShutdownSignalCount; i++) {
    auto& [previous, watchdog] = context_->signals[i];
    if ((previous.sa_flags & SA_SIGINFO) == 0 && previous.sa_handler == SIG_IGN) continue;
    // Without a watchdog (no timer left) a shutdown that hangs is ended by the third signal.
    static_cast<void>(
        CreateProcessTimer(CLOCK_MONOTONIC, kShutdownSignals[i], kWatchdogValue, &watchdog).ok());
    if (sigaction(kShutdownSignals[i], &action, nullptr) != 0) {
      const int error = errno;
      Uninstall();
      return Status::System("sigaction", error, "installing the shutdown signals' handler");
    }
  }
  return Status::Ok();
}

int ShutdownSignals::Uninstall() {
  if (!is_installed_) return 0;
  is_installed_ = false;
  RestoreShutdownSignals(*context_);
  SetShutdownSignalContext(nullptr);
  // A handler that does not end within it has been stopped, and what it uses must live on.
  constexpr uint64_t kWaitNs = 100'000'000;
  if (!WaitForShutdownSignals(MonotonicNow() + kWaitNs)) {
    return context_.release()->signal.load(std::memory_order_acquire);
  }
  for (auto& signal : context_->signals) DeleteTimer(signal.watchdog);
  return context_->signal.load(std::memory_order_acquire);
}

}  // namespace spprof
