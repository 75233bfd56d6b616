#include "platform/signal_relay.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "signal_safe/machine/signal_mask.h"

namespace spprof {

namespace {

constexpr int kSignalCount = 65;
constexpr int kPatience = 3;

// All words are written by handlers and read by the control thread, or the other way round; each
// stands for itself.
std::atomic<int32_t> g_program{0};   // 0: there is none yet, or it has ended
std::atomic<int32_t> g_known_as{0};  // the same, kept after its end
std::atomic<int32_t> g_end{-1};      // code, or 0x100 + signal; -1: it has not ended
std::atomic<int64_t> g_cpu_ns{-1};   // that it and its children have used; -1: not known
std::atomic<bool> g_was_stopped{false};
std::atomic<uint32_t> g_caught[kSignalCount];
std::atomic<uint32_t> g_waiting[kSignalCount];  // came before the program was there
std::atomic<uint32_t> g_urgent{0};              // ending signals since the program's end
struct sigaction g_former[kSignalCount];
bool g_is_caught[kSignalCount];

bool IsFault(int signal) { return (kFaultSignals & SignalBit(signal)) != 0; }

bool IsRelayed(int signal) {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
    case SIGCHLD:
    case SIGTTIN:  // A write of ours would be tried again for ever if these were caught.
    case SIGTTOU:
      return false;
    default:
      // The C library keeps the first real-time signals for itself.
      return signal < 32 || (signal >= SIGRTMIN && signal <= SIGRTMAX);
  }
}

void NoteEnd(int32_t code, int status) {
  int32_t none = -1;
  const int32_t end = code == CLD_EXITED ? status : 0x100 + status;
  g_end.compare_exchange_strong(none, end);
  g_program.store(0);
}

int64_t NsOf(const timeval& time) { return time.tv_sec * 1'000'000'000LL + time.tv_usec * 1000LL; }

// The program's end, if it has come; the event loop still finds its status. The kernel's call gives
// the resources as well, which the C library's waitid() leaves out.
void LookForEnd(int32_t pid) {
  siginfo_t info{};
  rusage usage{};
  if (pid <= 0 ||
      syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, &usage) != 0 ||
      info.si_pid != pid)
    return;
  g_cpu_ns.store(NsOf(usage.ru_utime) + NsOf(usage.ru_stime));
  NoteEnd(info.si_code, info.si_status);
}

void SendOn(int32_t pid, int signal, siginfo_t* info) {
  if (info != nullptr && info->si_code == SI_QUEUE && sigqueue(pid, signal, info->si_value) == 0)
    return;
  kill(pid, signal);
}

// What the kernel sends of itself goes to every process of the group, or is about this one alone.
bool IsForUsAlone(int signal, const siginfo_t* info, int32_t program) {
  if (info->si_code <= 0) return false;
  switch (signal) {
    case SIGHUP:
      return getsid(0) != getpid() && getpgid(program) == getpgrp();
    case SIGINT:
    case SIGQUIT:
    case SIGTSTP:
    case SIGWINCH:
    case SIGCONT:
      return getpgid(program) == getpgrp();
    default:
      return true;
  }
}

// From /proc/<pid>/stat: `pid (name) state …`.
bool IsStopped(int32_t pid) {
  char path[32] = "/proc/";
  char digits[12];
  int count = 0;
  for (int32_t rest = pid; rest > 0; rest /= 10)
    digits[count++] = static_cast<char>('0' + rest % 10);
  size_t length = strlen(path);
  while (count > 0) path[length++] = digits[--count];
  memcpy(path + length, "/stat", 6);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[512];
  const ssize_t got = read(fd, text, sizeof text);
  close(fd);
  for (ssize_t i = got - 1; i > 1; i--)
    if (text[i - 2] == ')') return text[i] == 'T' || text[i] == 't';
  return false;
}

// The former action once: this process stops, crashes or ends as it would have without us.
void DoFormerAction(int signal) {
  struct sigaction ours {};
  sigaction(signal, &g_former[signal], &ours);
  sigset_t one;
  sigset_t before;
  sigemptyset(&one);
  sigaddset(&one, signal);
  pthread_sigmask(SIG_UNBLOCK, &one, &before);
  raise(signal);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  sigaction(signal, &ours, nullptr);
}

void PassFault(int signal, siginfo_t* info, void* context) {
  const struct sigaction& former = g_former[signal];
  if ((former.sa_flags & SA_SIGINFO) != 0) {
    former.sa_sigaction(signal, info, context);
  } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(signal);
  } else {
    sigaction(signal, &former, nullptr);  // The instruction is run again, and ends us.
  }
}

void HandleAfterEnd(int signal) {
  const bool is_urgent = signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
  if (is_urgent && g_urgent.fetch_add(1) + 1 >= kPatience) DoFormerAction(signal);
}

void HandleSignal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  if (info->si_code > 0 && IsFault(signal)) {
    PassFault(signal, info, context);
    errno = saved_errno;
    return;
  }
  const bool is_own = info->si_code <= 0 && info->si_pid == getpid();
  const int32_t program = g_program.load();
  if (is_own) {
    // abort() ends the process itself when this returns; SIGPIPE is a write's error.
    if (signal != SIGABRT && signal != SIGPIPE) DoFormerAction(signal);
  } else {
    g_caught[signal].fetch_add(1);
    const bool is_ended = g_end.load() >= 0;
    if (signal == SIGCONT && g_was_stopped.exchange(false) && !IsStopped(program)) {
      // The shell has let the whole group go on.
    } else if (is_ended) {
      HandleAfterEnd(signal);
    } else if (program == 0) {
      g_waiting[signal].fetch_add(1);
    } else if (!IsForUsAlone(signal, info, program)) {
      SendOn(program, signal, info);
    }
    if (signal == SIGTSTP) {
      g_was_stopped.store(true);
      DoFormerAction(signal);
    }
  }
  errno = saved_errno;
}

void HandleChild(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const int32_t program = g_program.load();
  const bool is_end =
      info->si_code == CLD_EXITED || info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED;
  LookForEnd(program);
  // Whoever waits for every child may have been faster.
  if (program > 0 && is_end && info->si_pid == program) NoteEnd(info->si_code, info->si_status);
  const struct sigaction& former = g_former[signal];
  if ((former.sa_flags & SA_SIGINFO) != 0)
    former.sa_sigaction(signal, info, context);
  else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN)
    former.sa_handler(signal);
  errno = saved_errno;
}

Status Catch(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, nullptr, &g_former[signal]) != 0 ||
      sigaction(signal, &action, nullptr) != 0)
    return Status::System("sigaction", errno, "catching signals for the program");
  g_is_caught[signal] = true;
  return Status::Ok();
}

}  // namespace

Status CatchSignals() {
  g_program.store(0);
  g_known_as.store(0);
  g_end.store(-1);
  g_cpu_ns.store(-1);
  g_urgent.store(0);
  for (int signal = 1; signal < kSignalCount; signal++) {
    g_caught[signal].store(0);
    g_waiting[signal].store(0);
    if (!IsRelayed(signal)) continue;
    const Status status = Catch(signal, HandleSignal);
    if (!status.ok()) {
      ReleaseSignals();
      return status;
    }
  }
  return Status::Ok();
}

Status RelaySignalsTo(int32_t pid) {
  g_known_as.store(pid);
  g_program.store(pid);
  // Over the event loop's own handler, which this one calls.
  const Status status = Catch(SIGCHLD, HandleChild);
  LookForEnd(pid);
  for (int signal = 1; signal < kSignalCount; signal++)
    for (uint32_t n = g_waiting[signal].exchange(0); n > 0 && g_program.load() == pid; n--)
      SendOn(pid, signal, nullptr);
  return status;
}

ProgramEnd RelayedProgramEnd() {
  const int32_t end = g_end.load();
  if (end < 0) return {};
  const int64_t cpu_ns = g_cpu_ns.load();
  return end < 0x100 ? ProgramEnd{true, end, 0, cpu_ns} : ProgramEnd{true, 0, end - 0x100, cpu_ns};
}

uint32_t CaughtSignals(int signal) {
  return signal > 0 && signal < kSignalCount ? g_caught[signal].load() : 0;
}

void ReleaseSignals() {
  for (int signal = 1; signal < kSignalCount; signal++) {
    if (!g_is_caught[signal]) continue;
    g_is_caught[signal] = false;
    sigaction(signal, &g_former[signal], nullptr);
  }
  g_program.store(0);
}

}  // namespace spprof
