#include "platform/thread_signals.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "platform/small_file.h"

namespace spprof {

namespace {

constexpr int kHexadecimal = 16;
constexpr long kEpollPwait2 = 441;  // of all architectures; older headers do not have it
// Calls that put a mask of their own in the place of the thread's.
constexpr long kMaskingCalls[] = {SYS_ppoll, SYS_pselect6, SYS_epoll_pwait, kEpollPwait2,
                                  SYS_rt_sigsuspend};

// "\nSigBlk:\t0000000000000000". The line feeds: a thread's name is in the first line, and may hold
// anything else.
std::optional<uint64_t> SetAfter(const std::string& status, const std::string& name) {
  const size_t at = status.find(name);
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(status.c_str() + at + name.size(), nullptr, kHexadecimal);
}

// The set that sigwait() has been given, whose address is its first argument.
uint64_t AwaitedSignals(const char* arguments) {
  uint64_t set = 0;
  iovec here = {&set, sizeof(set)};
  iovec there = {reinterpret_cast<void*>(std::strtoull(arguments, nullptr, kHexadecimal)),
                 sizeof(set)};
  if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) == sizeof(set)) return set;
  return ~uint64_t{0};  // It waits for signals, which ones is not known.
}

}  // namespace

std::optional<ThreadSignals> SignalsOf(pid_t tid) {
  const std::string status = ReadTaskFile(tid, "status");
  const std::optional<uint64_t> blocked = SetAfter(status, "\nSigBlk:\t");
  const std::optional<uint64_t> pending = SetAfter(status, "\nSigPnd:\t");
  if (!blocked || !pending) return std::nullopt;
  ThreadSignals signals{*blocked, *pending};
  if (status.find("\nState:\tS") == std::string::npos) return signals;
  // The call's number and its arguments; "running" if it has woken up.
  const std::string sleeps_in = ReadTaskFile(tid, "syscall");
  char* arguments;
  const long call = std::strtol(sleeps_in.c_str(), &arguments, 10);
  if (arguments == sleeps_in.c_str()) return signals;
  if (std::find(std::begin(kMaskingCalls), std::end(kMaskingCalls), call) !=
      std::end(kMaskingCalls)) {
    return std::nullopt;
  }
  if (call == SYS_rt_sigtimedwait) signals.blocked |= AwaitedSignals(arguments);
  return signals;
}

}  // namespace spprof
