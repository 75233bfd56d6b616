// The threads of this process, as /proc shows them.
//
// Context: control thread and drain thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "platform/descriptor.h"

namespace spprof {

pid_t CurrentThreadId();
// Lists the threads that exist, in no order; keeps the folder open, so that a listing of a dozen
// threads takes some microseconds. One caller at a time.
class ThreadLister {
 public:
  ThreadLister() = default;
  ThreadLister(const ThreadLister&) = delete;
  ThreadLister& operator=(const ThreadLister&) = delete;

  // Valid until the next call; empty when /proc cannot be read.
  const std::vector<pid_t>& List();

 private:
  Descriptor folder_;
  std::vector<pid_t> threads_;
};
// How many there are, at the price of one system call; 0 when /proc does not tell.
uint64_t CountThreads();
// Of this process; one system call.
bool ThreadExists(pid_t tid);
// Name that the thread has given itself, at most 15 bytes; empty when it is gone.
std::string ThreadName(pid_t tid);
// When the thread began, in clock ticks since boot; 0 when it is gone. Tells a reused thread id
// apart.
uint64_t ThreadStartTicks(pid_t tid);
// False: the thread has not run its first instructions yet, or libc has not made it. HasSmallStack
// knows nothing then.
bool IsSetUpByLibc(pid_t tid);
// Whether the thread's stack ends within `bytes` of its top, so that there may be no room for a
// signal's frame. Known for threads that libc has made (their descriptor lies at the top of their
// stack); false for the first thread, and where the system does not tell.
bool HasSmallStack(pid_t tid, size_t bytes);
// CPU time of the whole process, nanoseconds.
uint64_t ProcessCpuNs();
// How often threads of this process other than the calling one have left a CPU, those that have
// gone included. Another number each time where the system does not tell.
uint64_t SwitchesOfOthers();
// Nanoseconds of CLOCK_MONOTONIC and of CLOCK_REALTIME.
uint64_t MonotonicNow();
uint64_t UnixNow();

}  // namespace spprof
