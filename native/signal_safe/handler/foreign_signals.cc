#include "signal_safe/handler/foreign_signals.h"

#include <atomic>

#include "region/sequence.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {

namespace {

constinit std::atomic<void (*)(int)> g_former_handler{nullptr};
constinit std::atomic<int> g_former_flags{0};
constinit std::atomic<uint64_t> g_former_mask{0};

// Numbers of perf events, of those that have been closed too.
constexpr uint32_t kEventNumbers = 4096;
constinit Sequence g_event_numbers[kEventNumbers / 64];

// What would have happened without us, when this handler has returned: the signal waits until then.
// It is sent once more with its sender's details, for the sake of the core file. Not for what the
// kernel sends, which may be the tail of a timer or an event that is gone, and not for a SIGPROF
// that a profiler in this process sends (V8's does, and may be late): neither is meant to end it.
__attribute__((noinline)) void TakeDefaultAction(int signal, siginfo_t* info) {
  if (info->si_code > 0 || (signal == SIGPROF && info->si_code == SI_TKILL)) return;
  if (signal == SIGURG) return;  // ignored by default
  if (IsWithoutDetails(*info)) return;
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  kernel::Call(SYS_rt_tgsigqueueinfo, kernel::Call(SYS_getpid), kernel::ThreadId(), signal,
               reinterpret_cast<int64_t>(info));
}

}  // namespace

bool IsWithoutDetails(const siginfo_t& info) { return info.si_code == SI_USER && info.si_pid == 0; }

bool IsOfEvent(const siginfo_t& info) {
  if (info.si_code != POLL_IN) return false;
  const auto number = static_cast<uint32_t>(info.si_fd);
  return number < kEventNumbers &&
         (g_event_numbers[number / 64].load(std::memory_order_relaxed) >> number % 64 & 1) != 0;
}

void NoteEventNumber(int fd) {
  const auto number = static_cast<uint32_t>(fd);
  if (number >= kEventNumbers) return;
  g_event_numbers[number / 64].fetch_or(uint64_t{1} << number % 64, std::memory_order_relaxed);
}

void SetFormerAction(const struct sigaction& action) {
  g_former_flags.store(action.sa_flags, std::memory_order_relaxed);
  g_former_mask.store(SignalBits(action.sa_mask), std::memory_order_relaxed);
  g_former_handler.store(action.sa_handler, std::memory_order_release);
}

struct sigaction FormerAction() {
  struct sigaction action {};
  action.sa_handler = g_former_handler.load(std::memory_order_acquire);
  action.sa_flags = g_former_flags.load(std::memory_order_relaxed);
  action.sa_mask = SignalSet(g_former_mask.load(std::memory_order_relaxed));
  return action;
}

void ForwardSignal(const struct sigaction& previous, int signal, siginfo_t* info, void* ucontext) {
  const bool is_deferred = (previous.sa_flags & SA_NODEFER) == 0;
  SetSignalMask(SignalBits(static_cast<const ucontext_t*>(ucontext)->uc_sigmask) |
                SignalBits(previous.sa_mask) | (is_deferred ? SignalBit(signal) : 0));
  if (previous.sa_flags & SA_SIGINFO) {
    if (previous.sa_sigaction != nullptr) previous.sa_sigaction(signal, info, ucontext);
  } else if (previous.sa_handler == SIG_DFL) {
    TakeDefaultAction(signal, info);
  } else if (previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  }
}

}  // namespace spprof
