#include "sampling/fork_guard.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>

#include "platform/descriptor.h"
#include "platform/perf_event.h"
#include "signal_safe/handler/handler.h"
#include "signal_safe/handler/shutdown_signal.h"

namespace spprof {

namespace {

std::atomic<int> profiling_signal{SIGPROF};

// Of the thread that forks; the prepare hook holds no lock, so two threads that fork at once each
// need their own.
thread_local sigset_t saved_mask;

void BeforeFork() {
  sigset_t profiling;
  sigemptyset(&profiling);
  sigaddset(&profiling, profiling_signal.load(std::memory_order_relaxed));
  pthread_sigmask(SIG_BLOCK, &profiling, &saved_mask);
}

void InParent() { pthread_sigmask(SIG_SETMASK, &saved_mask, nullptr); }

void InChild() {
  SetHandlerContext(nullptr);
  ForgetHandlers();
  ForgetShutdownSignals();
  CloseDescriptorsInChild();
  ClosePerfEventsInChild();
  pthread_sigmask(SIG_SETMASK, &saved_mask, nullptr);
}

}  // namespace

void InstallForkGuard(int signal) {
  profiling_signal.store(signal, std::memory_order_relaxed);
  static const bool installed = pthread_atfork(BeforeFork, InParent, InChild) == 0;
  static_cast<void>(installed);
}

}  // namespace spprof
