#include "platform/fault_handler.h"

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/machine/lost_mapping.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS};
constexpr int kSignalCount = 2;

// Installing anew above a handler that was put on top of ours, and calls ours, would make a circle
// of the two. So each installation has a handler function of its own, which remembers its own
// predecessor for good.
constexpr int kMaxInstallations = 8;

using Handler = void (*)(int, siginfo_t*, void*);

// The previous action of one installation and signal. Atomics, since the handler may run on any
// thread from the moment it is installed; relaxed suffices: all is stored before sigaction()
// installs the handler, and a system call that makes a handler visible to other threads orders what
// came before it.
struct PreviousAction {
  std::atomic<uintptr_t> handler{0};  // sa_handler or sa_sigaction, by flags
  std::atomic<int> flags{0};
  std::atomic<uint64_t> mask{0};  // the kernel's 64 signals, signal n at bit n - 1
};
static_assert(std::atomic<uint64_t>::is_always_lock_free &&
              std::atomic<uintptr_t>::is_always_lock_free);

constinit PreviousAction g_previous[kSignalCount][kMaxInstallations];
// Of each signal: installations so far, and whether the last one is in force. Written by the
// control thread.
constinit std::atomic<int> g_installations[kSignalCount] = {};
constinit std::atomic<bool> g_is_installed{false};

uintptr_t ProgramCounter(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#endif
}

void SetProgramCounter(ucontext_t* context, uintptr_t pc) {
#if defined(__x86_64__)
  context->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(pc);
#elif defined(__aarch64__)
  context->uc_mcontext.pc = pc;
#endif
}

// Sent by kill() and the like, or a late memory error report: returning would not raise it again.
bool IsSent(const siginfo_t& info) {
  return info.si_code <= 0
#ifdef BUS_MCEERR_AO
         || (info.si_signo == SIGBUS && info.si_code == BUS_MCEERR_AO)
#endif
      ;
}

// Lets the kernel do what it does without any handler, for a fault by returning to the instruction
// that made it.
void TakeDefaultAction(int signal, siginfo_t* info) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  if (!IsSent(*info)) return;
  // With the sender's details, for the sake of the core file. Delivered when this handler returns:
  // until then the signal is blocked.
  syscall(SYS_rt_tgsigqueueinfo, getpid(), static_cast<pid_t>(syscall(SYS_gettid)), signal, info);
}

// What the kernel would have blocked while the previous handler runs, and no more: ours was entered
// with more. Nothing is restored: returning from our handler restores the mask of the interrupted
// code, as returning from the previous one would have.
void SetMaskOf(int signal, uint64_t mask, int flags, const ucontext_t& interrupted) {
  const uint64_t own = (flags & SA_NODEFER) != 0 ? 0 : SignalBit(signal);
  SetSignalMask(SignalBits(interrupted.uc_sigmask) | mask | own);
}

void CallPrevious(PreviousAction* previous, int signal, siginfo_t* info, void* context) {
  const int flags = previous->flags.load(std::memory_order_relaxed);
  uintptr_t handler = previous->handler.load(std::memory_order_relaxed);
  if (flags & SA_RESETHAND) {
    handler =
        previous->handler.exchange(reinterpret_cast<uintptr_t>(SIG_DFL), std::memory_order_relaxed);
  }
  if (handler == reinterpret_cast<uintptr_t>(SIG_IGN)) {
    // The kernel lets a process ignore a signal that was sent, not a fault of its own.
    if (!IsSent(*info)) TakeDefaultAction(signal, info);
    return;
  }
  if (handler == reinterpret_cast<uintptr_t>(SIG_DFL)) return TakeDefaultAction(signal, info);
  SetMaskOf(signal, previous->mask.load(std::memory_order_relaxed), flags,
            *static_cast<const ucontext_t*>(context));
  if (flags & SA_SIGINFO) {
    reinterpret_cast<Handler>(handler)(signal, info, context);
  } else {
    reinterpret_cast<void (*)(int)>(handler)(signal);
  }
}

template <int kInstallation>
void HandleFault(int signal, siginfo_t* info, void* context) {
  auto* interrupted = static_cast<ucontext_t*>(context);
  if (!IsSent(*info)) {
    const uintptr_t resume = GuardedResumeAddress(ProgramCounter(*interrupted));
    if (resume != 0) return SetProgramCounter(interrupted, resume);
    if (signal == SIGBUS && ReplaceLostPage(reinterpret_cast<uintptr_t>(info->si_addr))) return;
  }
  const int saved_errno = errno;
  CallPrevious(&g_previous[signal == SIGBUS][kInstallation], signal, info, context);
  errno = saved_errno;
}

template <int... kInstallations>
constexpr std::array<Handler, sizeof...(kInstallations)> MakeHandlers(
    std::integer_sequence<int, kInstallations...>) {
  return {&HandleFault<kInstallations>...};
}
constexpr auto kHandlers = MakeHandlers(std::make_integer_sequence<int, kMaxInstallations>());

void Remember(const struct sigaction& action, PreviousAction* previous) {
  const bool has_info = (action.sa_flags & SA_SIGINFO) != 0;
  previous->mask.store(SignalBits(action.sa_mask), std::memory_order_relaxed);
  previous->flags.store(action.sa_flags, std::memory_order_relaxed);
  previous->handler.store(has_info ? reinterpret_cast<uintptr_t>(action.sa_sigaction)
                                   : reinterpret_cast<uintptr_t>(action.sa_handler),
                          std::memory_order_relaxed);
}

bool IsOurs(const struct sigaction& action, int installation) {
  return installation >= 0 && (action.sa_flags & SA_SIGINFO) &&
         action.sa_sigaction == kHandlers[installation];
}

Status Install(int index) {
  const int installation = g_installations[index].load(std::memory_order_relaxed);
  struct sigaction current;
  if (sigaction(kSignals[index], nullptr, &current) != 0) {
    return Status::System("sigaction", errno, "cannot read the action of a fault signal");
  }
  if (installation == kMaxInstallations) {
    return Status::Error(kErrSystem,
                         "the fault handler has been buried by other handlers too often");
  }
  Remember(current, &g_previous[index][installation]);
  struct sigaction action = {};
  action.sa_sigaction = kHandlers[installation];
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  // Both fault signals, too: where the signal stack has no room for this handler, its own fault
  // must end the process. Unblocked, it would be delivered at the top of the same stack, without
  // end.
  action.sa_mask = SignalSet(~uint64_t{0});
  struct sigaction replaced;
  if (sigaction(kSignals[index], &action, &replaced) != 0) {
    return Status::System("sigaction", errno, "cannot install the fault handler");
  }
  // What another thread may have installed since `current` was read.
  Remember(replaced, &g_previous[index][installation]);
  g_installations[index].store(installation + 1, std::memory_order_relaxed);
  GuardLoadsBy(kSignals[index], reinterpret_cast<uintptr_t>(kHandlers[installation]));
  return Status::Ok();
}

void Uninstall(int index) {
  const int installation = g_installations[index].load(std::memory_order_relaxed) - 1;
  struct sigaction current;
  if (sigaction(kSignals[index], nullptr, &current) != 0 || !IsOurs(current, installation)) return;
  const PreviousAction& previous = g_previous[index][installation];
  struct sigaction action = {};
  action.sa_flags = previous.flags.load(std::memory_order_relaxed);
  const uintptr_t handler = previous.handler.load(std::memory_order_relaxed);
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction = reinterpret_cast<Handler>(handler);
  } else {
    action.sa_handler = reinterpret_cast<void (*)(int)>(handler);
  }
  action.sa_mask = SignalSet(previous.mask.load(std::memory_order_relaxed));
  // Nobody is above us, so nobody calls this installation any more and it can serve again. A fault
  // that is being handled on another thread at this moment finds the same predecessor: it is only
  // overwritten by a later Install().
  if (sigaction(kSignals[index], &action, nullptr) == 0) {
    g_installations[index].store(installation, std::memory_order_relaxed);
    GuardLoadsBy(kSignals[index], 0);
  }
}

}  // namespace

Status InstallFaultHandler() {
  if (g_is_installed.load(std::memory_order_relaxed)) return Status::Ok();
  for (int index = 0; index < kSignalCount; ++index) {
    Status status = Install(index);
    if (!status.ok()) {
      while (index-- > 0) Uninstall(index);
      return status;
    }
  }
  g_is_installed.store(true, std::memory_order_relaxed);
  CheckLoadGuard(kernel::MonotonicNs());
  return Status::Ok();
}

void UninstallFaultHandler() {
  if (!g_is_installed.exchange(false, std::memory_order_relaxed)) return;
  for (int index = 0; index < kSignalCount; ++index) Uninstall(index);
}

bool FaultHandlerIsInstalled() {
  if (!g_is_installed.load(std::memory_order_relaxed)) return false;
  for (int index = 0; index < kSignalCount; ++index) {
    struct sigaction current;
    if (sigaction(kSignals[index], nullptr, &current) != 0) return false;
    if (!IsOurs(current, g_installations[index].load(std::memory_order_relaxed) - 1)) return false;
  }
  return true;
}

}  // namespace spprof
