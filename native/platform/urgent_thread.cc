#include "platform/urgent_thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace spprof {

namespace {

// As the kernel has it (linux/sched/types.h); glibc before 2.41 does not.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns;
  uint64_t deadline_ns;
  uint64_t period_ns;
};

// The kernel's least. A thread that needs more than a slice goes on as any other.
constexpr uint64_t kSliceNs = 100'000;

// Under such a limit a real-time thread that does not sleep long enough has the process killed.
bool IsRealTimeLimited() {
  struct rlimit limit {};
  return getrlimit(RLIMIT_RTTIME, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

Urgency MakeThreadUrgent() {
  const struct sched_param lowest = {sched_get_priority_min(SCHED_RR)};
  if (!IsRealTimeLimited() && sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0)
    return Urgency::kRealTime;
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return Urgency::kNone;
  attributes.runtime_ns = kSliceNs;
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 ? Urgency::kShortSlices
                                                            : Urgency::kNone;
}

UrgentMutex::UrgentMutex() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (pthread_mutex_init(&mutex_, &attributes) != 0) pthread_mutex_init(&mutex_, nullptr);
  pthread_mutexattr_destroy(&attributes);
}

}  // namespace spprof
