#include "platform/process_identity.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "platform/small_file.h"

namespace spprof {

namespace {

uint64_t OwnPidNamespace() {
  struct stat info;
  return stat("/proc/self/ns/pid", &info) == 0 ? info.st_ino : 0;
}

std::string BootId() { return ReadFirstLine("/proc/sys/kernel/random/boot_id"); }

// State and start time out of /proc/<pid>/stat; false: there is no such process.
bool ReadStat(uint32_t pid, char* state, uint64_t* start_ticks) {
  const std::string stat = ReadSmallFile(("/proc/" + std::to_string(pid) + "/stat").c_str());
  // Field 2 is the name in parentheses, which may hold anything.
  size_t at = stat.rfind(')');
  if (at == std::string::npos || at + 2 >= stat.size()) return false;
  *state = stat[at + 2];
  constexpr int kStartTimeField = 22;
  for (int field = 2; field < kStartTimeField; field++) {
    at = stat.find(' ', at + 1);
    if (at == std::string::npos) return false;
  }
  *start_ticks = std::strtoull(stat.c_str() + at + 1, nullptr, 10);
  return true;
}

}  // namespace

ProcessIdentity ProcessIdentity::OfThisProcess() {
  ProcessIdentity identity;
  identity.pid = static_cast<uint32_t>(getpid());
  identity.pid_namespace = OwnPidNamespace();
  identity.boot_id = BootId();
  char state;
  uint64_t start_ticks = 0;
  if (ReadStat(identity.pid, &state, &start_ticks)) identity.start_ticks = start_ticks;
  return identity;
}

ProcessState FindProcess(const ProcessIdentity& identity) {
  const std::string boot_id = BootId();
  if (!identity.boot_id.empty() && !boot_id.empty() && identity.boot_id != boot_id)
    return ProcessState::kDead;
  if (identity.pid_namespace == 0 || identity.pid_namespace != OwnPidNamespace())
    return ProcessState::kUnknown;
  char state;
  uint64_t start_ticks;
  if (!ReadStat(identity.pid, &state, &start_ticks)) return ProcessState::kDead;
  const bool is_over = state == 'Z' || state == 'X' || start_ticks != identity.start_ticks;
  return is_over ? ProcessState::kDead : ProcessState::kAlive;
}

}  // namespace spprof
