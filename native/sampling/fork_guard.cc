#include "sampling/fork_guard.h"

#include <pthread.h>
#include <signal.h>

#include "signal_safe/handler.h"
#include "signal_safe/shutdown_signal.h"

namespace spprof {

namespace {

// Of the thread that forks; the prepare hook holds no lock, so two threads that fork at once each
// need their own.
thread_local sigset_t saved_mask;

void BeforeFork() {
  sigset_t profiling;
  sigemptyset(&profiling);
  sigaddset(&profiling, SIGPROF);
  pthread_sigmask(SIG_BLOCK, &profiling, &saved_mask);
}

void InParent() { pthread_sigmask(SIG_SETMASK, &saved_mask, nullptr); }

void InChild() {
  SetHandlerContext(nullptr);
  ForgetHandlers();
  ForgetShutdownSignals();
  pthread_sigmask(SIG_SETMASK, &saved_mask, nullptr);
}

}  // namespace

void InstallForkGuard() {
  static const bool installed = pthread_atfork(BeforeFork, InParent, InChild) == 0;
  static_cast<void>(installed);
}

}  // namespace spprof
