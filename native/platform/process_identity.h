// What names a process beyond its number, which another process gets later, and which means another
// process in another PID namespace.
//
// Context: any thread but the handler.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace spprof {

struct ProcessIdentity {
  uint32_t pid = 0;
  uint64_t start_ticks = 0;    // since boot: field 22 of /proc/<pid>/stat; 0: not known
  uint64_t pid_namespace = 0;  // inode of /proc/self/ns/pid; 0: not known
  std::string boot_id;         // /proc/sys/kernel/random/boot_id; empty: not known

  static ProcessIdentity OfThisProcess();
};

enum class ProcessState { kAlive, kDead, kUnknown };

// By its number, where that means something here.
ProcessState FindProcess(const ProcessIdentity& identity);

}  // namespace spprof
