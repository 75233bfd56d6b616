#include "signal_safe/handler/shutdown_signal.h"

#include "region/layout.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

constexpr uint32_t kForcedBy = 3;
constexpr uint64_t kForcedWithinNs = 2'000'000'000;

constinit std::atomic<ShutdownSignalContext*> g_context{nullptr};
constinit Word g_in_flight{0};

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == HandleShutdownSignal;
}

// If ours is the disposition of `signal`, `previous` becomes it.
void Restore(int signal, const struct sigaction& previous) {
  struct sigaction current {};
  if (sigaction(signal, nullptr, &current) == 0 && IsOurs(current))
    sigaction(signal, &previous, nullptr);
}

// Delivered under the former disposition as soon as this handler has returned.
void SendAgain(int signal, const struct sigaction& previous) {
  Restore(signal, previous);
  kernel::Call(SYS_kill, kernel::Call(SYS_getpid), signal);
}

// Whether the process is to end now, however far the shutdown has come.
bool Note(ShutdownSignalContext* context, int signal, int32_t watchdog) {
  const uint64_t now_ns = kernel::MonotonicNs();
  const uint32_t count = context->count.fetch_add(1, std::memory_order_relaxed) + 1;
  if (count > 1) {
    return count >= kForcedBy &&
           now_ns - context->first_ns.load(std::memory_order_relaxed) <= kForcedWithinNs;
  }
  context->first_ns.store(now_ns, std::memory_order_relaxed);
  context->signal.store(signal, std::memory_order_release);
  if (watchdog >= 0) kernel::SetTimer(watchdog, context->watchdog_ns, 0, false);
  RequestShutdown(context->shutdown_requested, ShutdownReason::kSignal);
  context->waker->Wake();
  return false;
}

}  // namespace

void SetShutdownSignalContext(ShutdownSignalContext* context) {
  g_context.store(context, std::memory_order_seq_cst);
}

bool WaitForShutdownSignals(uint64_t deadline_ns) {
  // A handler takes a microsecond.
  while (g_in_flight.load(std::memory_order_seq_cst) != 0) {
    if (kernel::MonotonicNs() >= deadline_ns) return false;
    kernel::Call(SYS_sched_yield);
  }
  return true;
}

void RestoreShutdownSignals(const ShutdownSignalContext& context) {
  for (size_t i = 0; i < kShutdownSignalCount; i++)
    Restore(kShutdownSignals[i], context.signals[i].previous);
}

void ForgetShutdownSignals() {
  ShutdownSignalContext* context = g_context.load(std::memory_order_seq_cst);
  if (context != nullptr) RestoreShutdownSignals(*context);
  g_context.store(nullptr, std::memory_order_seq_cst);
  g_in_flight.store(0, std::memory_order_relaxed);  // one thread
}

void HandleShutdownSignal(int signal, siginfo_t* info, void*) {
  g_in_flight.fetch_add(1, std::memory_order_seq_cst);
  ShutdownSignalContext* context = g_context.load(std::memory_order_seq_cst);
  bool is_to_end = false;
  // Without a context the former disposition is back already; or somebody has put ours back later,
  // and then the default it is.
  struct sigaction previous {};
  if (context != nullptr) {
    size_t at = 0;
    while (at + 1 < kShutdownSignalCount && kShutdownSignals[at] != signal) at++;
    previous = context->signals[at].previous;
    const bool is_watchdog = info->si_code == SI_TIMER &&
                             reinterpret_cast<uint64_t>(info->si_value.sival_ptr) == kWatchdogValue;
    // A child after vfork has this memory and this waker, but is not the process they are for.
    const bool is_elsewhere = kernel::Call(SYS_getpid) != context->pid;
    is_to_end = is_watchdog || is_elsewhere || Note(context, signal, context->signals[at].watchdog);
  }
  g_in_flight.fetch_sub(1, std::memory_order_release);
  if (context == nullptr || is_to_end) SendAgain(signal, previous);
}

}  // namespace spprof
