#include "sampling/profiling_signal.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "platform/threads.h"
#include "registry/totals.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {

Status ProfilingSignal::Install() {
  if (sigaction(context_->signal, nullptr, &context_->previous) == 0 && SetHandler())
    return Status::Ok();
  return Status::System("sigaction", errno, "installing the profiling signal's handler");
}

bool ProfilingSignal::SetHandler() const {
  struct sigaction action {};
  action.sa_sigaction = HandleProfilingSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  action.sa_mask = SignalSet(kHandlerMask);
  return sigaction(context_->signal, &action, nullptr) == 0;
}

bool ProfilingSignal::HadHandler() const {
  const struct sigaction& action = context_->previous;
  return (action.sa_flags & SA_SIGINFO) != 0 ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

bool ProfilingSignal::IsInstalled() const {
  struct sigaction current {};
  return sigaction(context_->signal, nullptr, &current) == 0 &&
         current.sa_sigaction == HandleProfilingSignal;
}

void ProfilingSignal::Restore() const {
  if (!IsInstalled()) return;
  // A signal of a deleted timer may still be pending for a thread that has blocked it, and would
  // end the process under SIG_DFL. Ignoring a signal discards it wherever it is pending (POSIX,
  // sigaction: "shall cause the pending signal to be discarded").
  Ignore();
  sigaction(context_->signal, &context_->previous, nullptr);
}

void ProfilingSignal::Ignore() const {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(context_->signal, &ignore, nullptr);
}

void ProfilingSignal::Discard() const {
  if (!IsInstalled()) return;
  Ignore();
  SetHandler();
}

bool ProfilingSignal::Check(const RegionMap& region) {
  struct sigaction current {};
  if (sigaction(context_->signal, nullptr, &current) != 0 ||
      current.sa_sigaction == HandleProfilingSignal) {
    cpu_when_replaced_ns_ = 0;
    return true;
  }
  if ((current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_DFL) {
    SetHandler();  // somebody put the default back; with it, the next tick would end the process
    return true;
  }
  // Whoever took the signal may pass it on to us. If not, no tick arrives although the process
  // works, and the ticks go to somebody who does not expect them.
  constexpr uint64_t kShortestSilenceNs = 100'000'000;
  const uint64_t silence_ns =
      std::max(kShortestSilenceNs, 4 * context_->ticks.interval_ns.load(std::memory_order_relaxed));
  const uint64_t cpu_ns = ProcessCpuNs();
  const uint64_t signals = SumTotals(region).signals;
  const bool is_paused = context_->ticks.is_paused.load(std::memory_order_relaxed) != 0;
  if (is_paused || cpu_when_replaced_ns_ == 0 || signals != signals_when_replaced_) {
    cpu_when_replaced_ns_ = cpu_ns;
    signals_when_replaced_ = signals;
    return true;
  }
  return cpu_ns - cpu_when_replaced_ns_ <= silence_ns;
}

void ProfilingSignal::Send(pid_t tid, const TimerValue& value) const {
  siginfo_t info;
  std::memset(&info, 0, sizeof(info));
  info.si_signo = context_->signal;
  info.si_code = SI_TIMER;
  info.si_value.sival_ptr = reinterpret_cast<void*>(value.Encode());
  syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, context_->signal, &info);
}

// The median of some, with the value of a slot that is not there: the handler sees at once that it
// has nothing to do.
uint64_t ProfilingSignal::MeasureDelivery() const {
  sigset_t blocked;
  if (pthread_sigmask(SIG_BLOCK, nullptr, &blocked) != 0 ||
      sigismember(&blocked, context_->signal) == 1) {
    return 0;
  }
  constexpr size_t kTimes = 9;
  uint64_t took_ns[kTimes];
  for (uint64_t& took : took_ns) {
    const uint64_t begin_ns = kernel::MonotonicNs();
    Send(CurrentThreadId(), {0xffff, 0xffffffff, TickSource::kCpuTimer});
    took = kernel::MonotonicNs() - begin_ns;
  }
  std::nth_element(took_ns, took_ns + kTimes / 2, took_ns + kTimes);
  return took_ns[kTimes / 2];
}

}  // namespace spprof
