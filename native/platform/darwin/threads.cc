// platform/threads.h for macOS. A thread's id is the name of its Mach port in this task: it can be
// had in a signal handler without a system call.
//
// Not run on a Mac yet: its syntax is checked against the declarations in scripts/gates/darwin/.
#include "platform/threads.h"

#include <mach/mach.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"

namespace spprof {

namespace {

thread_act_t PortOf(pid_t tid) { return static_cast<thread_act_t>(tid); }

template <typename Info>
bool GetThreadInfo(pid_t tid, thread_flavor_t flavor, mach_msg_type_number_t count, Info* info) {
  return thread_info(PortOf(tid), flavor, reinterpret_cast<thread_info_t>(info), &count) ==
         KERN_SUCCESS;
}

}  // namespace

pid_t CurrentThreadId() { return static_cast<pid_t>(pthread_mach_thread_np(pthread_self())); }

const std::vector<pid_t>& ThreadLister::List() {
  threads_.clear();
  thread_act_array_t ports = nullptr;
  mach_msg_type_number_t count = 0;
  if (task_threads(mach_task_self(), &ports, &count) != KERN_SUCCESS) return threads_;
  for (mach_msg_type_number_t i = 0; i < count; i++) {
    threads_.push_back(static_cast<pid_t>(ports[i]));
    mach_port_deallocate(mach_task_self(), ports[i]);  // the reference that task_threads has added
  }
  vm_deallocate(mach_task_self(), reinterpret_cast<vm_address_t>(ports), count * sizeof(*ports));
  return threads_;
}

uint64_t CountThreads() { return 0; }  // no cheaper than a listing

bool ThreadExists(pid_t tid) {
  thread_basic_info_data_t info;
  return GetThreadInfo(tid, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT, &info);
}

std::string ThreadName(pid_t tid) {
  const pthread_t thread = pthread_from_mach_thread_np(PortOf(tid));
  char name[64] = {};
  if (thread == pthread_t{} || pthread_getname_np(thread, name, sizeof(name)) != 0) return {};
  return name;
}

// A number that no other thread gets while the system runs serves as well.
uint64_t ThreadStartTicks(pid_t tid) {
  thread_identifier_info_data_t info;
  return GetThreadInfo(tid, THREAD_IDENTIFIER_INFO, THREAD_IDENTIFIER_INFO_COUNT, &info)
             ? info.thread_id
             : 0;
}

uint64_t ProcessCpuNs() { return ReadClock(CLOCK_PROCESS_CPUTIME_ID); }
uint64_t SwitchesOfOthers() { return MonotonicNow(); }
uint64_t MonotonicNow() { return ReadClock(CLOCK_MONOTONIC); }
uint64_t UnixNow() { return ReadClock(CLOCK_REALTIME); }

}  // namespace spprof
