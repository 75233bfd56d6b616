#include "platform/signal_names.h"

#include <signal.h>

namespace spprof {

namespace {

constexpr struct {
  const char* name;
  int signal;
} kUsable[] = {{"SIGPROF", SIGPROF}, {"SIGALRM", SIGALRM}, {"SIGIO", SIGIO},
               {"SIGURG", SIGURG},   {"SIGUSR2", SIGUSR2}, {"SIGVTALRM", SIGVTALRM}};
constexpr char kRealTime[] = "SIGRTMIN+";

}  // namespace

int FreeSignal() {
#if defined(SIGRTMIN)
  // From above: those that programs use begin at SIGRTMIN. The last one is the drain's
  // (cpu_alarm.h).
  for (int signal = SIGRTMAX - 1; signal > SIGRTMIN; signal--) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
        action.sa_handler == SIG_DFL) {
      return signal;
    }
  }
#endif
  return SIGPROF;
}

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
    return signal < SIGRTMAX ? signal : 0;  // the last one is the drain's (cpu_alarm.h)
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
