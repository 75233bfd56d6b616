// The CPU clock of any thread of this process on macOS, in microseconds at the finest. There are no
// per-thread timers: samples come from setitimer (platform/interval_timer.h), and their weights
// from here.
//
// Not run on a Mac yet: its syntax is checked against the declarations in scripts/gates/darwin/.
#include <mach/mach.h>

#include "platform/posix_timer.h"

namespace spprof {

uint64_t ThreadCpuOf(pid_t tid) {
  thread_basic_info_data_t info;
  mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;
  if (thread_info(static_cast<thread_act_t>(tid), THREAD_BASIC_INFO,
                  reinterpret_cast<thread_info_t>(&info), &count) != KERN_SUCCESS) {
    return 0;
  }
  const auto ns = [](const time_value_t& time) {
    return static_cast<uint64_t>(time.seconds) * 1000000000 +
           static_cast<uint64_t>(time.microseconds) * 1000;
  };
  return ns(info.user_time) + ns(info.system_time);
}

}  // namespace spprof
