#include "platform/signal_names.h"

#include <pthread.h>
#include <signal.h>

namespace spprof {

namespace {

constexpr struct {
  const char* name;
  int signal;
} kUsable[] = {{"SIGPROF", SIGPROF}, {"SIGALRM", SIGALRM}, {"SIGIO", SIGIO},
               {"SIGURG", SIGURG},   {"SIGUSR2", SIGUSR2}, {"SIGVTALRM", SIGVTALRM}};
constexpr char kRealTime[] = "SIGRTMIN+";

// A signal that is blocked here is one that the program waits for (sigwait, signalfd), or that no
// tick could come in.
bool IsFree(int signal) {
  struct sigaction action {};
  sigset_t blocked;
  return sigaction(signal, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_DFL && pthread_sigmask(SIG_BLOCK, nullptr, &blocked) == 0 &&
         sigismember(&blocked, signal) == 0;
}

}  // namespace

int FreeSignal() {
#if defined(SIGRTMIN)
  // From the middle outwards: programs count theirs from SIGRTMIN up or from SIGRTMAX down, and may
  // begin to use one while the recording runs.
  const int count = SIGRTMAX - SIGRTMIN + 1;
  for (int i = 0; i < count; i++) {
    const int signal = SIGRTMIN + (count + (i % 2 == 0 ? i : -i - 1)) / 2;
    if (IsFree(signal)) return signal;
  }
#endif
  return SIGPROF;
}

int FreeStandardSignal() { return IsFree(SIGURG) ? SIGURG : SIGPROF; }

int SignalByName(const std::string& name) {
  for (const auto& usable : kUsable) {
    if (name == usable.name) return usable.signal;
  }
#if defined(SIGRTMIN)
  if (name.rfind(kRealTime, 0) == 0) {
    const std::string digits = name.substr(sizeof(kRealTime) - 1);
    if (digits.empty() || digits.size() > 2 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      return 0;
    }
    const int signal = SIGRTMIN + std::stoi(digits);
    return signal < SIGRTMAX ? signal : 0;  // as the option says
  }
#endif
  return 0;
}

std::string SignalName(int signal) {
  for (const auto& usable : kUsable) {
    if (signal == usable.signal) return usable.name;
  }
#if defined(SIGRTMIN)
  return kRealTime + std::to_string(signal - SIGRTMIN);
#else
  return std::to_string(signal);
#endif
}

}  // namespace spprof
