#include "platform/thread_sleep.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "platform/small_file.h"
#include "platform/threads.h"

namespace spprof {

SleepState ParseSleepingCall(const char* line, SleepingCall* call) {
  if (std::strncmp(line, "running", 7) == 0) return SleepState::kAwake;
  // fs/proc/base.c: the call's number, its six arguments, sp and pc. The number is -1 without
  // arguments where the thread waits in the kernel outside of a call, in a page fault.
  char* at;
  const long number = std::strtol(line, &at, 10);
  if (at == line) return SleepState::kUnreadable;
  for (int arguments = number == -1 ? 0 : 6; arguments > 0; arguments--) {
    const char* const begin = at;
    std::strtoull(begin, &at, 16);
    if (at == begin) return SleepState::kUnreadable;
  }
  SleepingCall read;
  if (std::sscanf(at, "%" SCNx64 " %" SCNx64, &read.sp, &read.pc) != 2 || read.sp == 0 ||
      read.pc == 0) {
    return SleepState::kUnreadable;
  }
  *call = read;
  return SleepState::kAsleep;
}

SleepState ReadSleepingCall(pid_t tid, SleepingCall* call) {
  const std::string line = ReadTaskFile(tid, "syscall");
  if (!line.empty()) return ParseSleepingCall(line.c_str(), call);
  return ThreadExists(tid) ? SleepState::kUnreadable : SleepState::kAwake;
}

std::optional<uint64_t> ThreadRunDelayNs(pid_t tid) {
  uint64_t ran_ns, waited_ns, times;
  const std::string line = ReadTaskFile(tid, "schedstat");
  if (std::sscanf(line.c_str(), "%" SCNu64 " %" SCNu64 " %" SCNu64, &ran_ns, &waited_ns, &times) !=
          3 ||
      times == 0) {
    return std::nullopt;  // it has gone, or nothing is counted
  }
  return waited_ns;
}

}  // namespace spprof
