#include "platform/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "platform/small_file.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

uint64_t Switches(int whose) {
  struct rusage usage {};
  getrusage(whose, &usage);
  return static_cast<uint64_t>(usage.ru_nvcsw) + static_cast<uint64_t>(usage.ru_nivcsw);
}

}  // namespace

pid_t CurrentThreadId() { return static_cast<pid_t>(syscall(SYS_gettid)); }

const std::vector<pid_t>& ThreadLister::List() {
  threads_.clear();
  if (folder_.Get() < 0)
    folder_ = Descriptor(open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int folder = folder_.Get();
  if (folder < 0 || lseek(folder, 0, SEEK_SET) != 0) return threads_;
  alignas(struct dirent64) char buffer[8192];
  for (;;) {
    const ssize_t size = getdents64(folder, buffer, sizeof(buffer));
    if (size <= 0) return threads_;
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const struct dirent64*>(buffer + at);
      const long tid = std::strtol(entry->d_name, nullptr, 10);
      if (tid > 0) threads_.push_back(static_cast<pid_t>(tid));
      at += entry->d_reclen;
    }
  }
}

uint64_t CountThreads() {
  // The folder has a link for each thread (the kernel's proc_task_getattr), beside its own two.
  struct stat folder;
  if (stat("/proc/self/task", &folder) != 0 || folder.st_nlink < 3) return 0;
  return folder.st_nlink - 2;
}

bool ThreadExists(pid_t tid) { return syscall(SYS_tgkill, getpid(), tid, 0) == 0; }

std::string ThreadName(pid_t tid) {
  std::string name = ReadTaskFile(tid, "comm");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

namespace {

// Where libc's descriptor of the thread is: the list of its robust mutexes begins there
// (set_robust_list(2)). 0: libc has not set the thread up, or has not made it; kNotTold: the system
// does not tell.
constexpr uintptr_t kNotTold = 1;
uintptr_t DescriptorOf(pid_t tid) {
  uintptr_t head = 0;
  size_t size = 0;
  return syscall(SYS_get_robust_list, tid, &head, &size) == 0 ? head : kNotTold;
}

}  // namespace

bool IsSetUpByLibc(pid_t tid) { return DescriptorOf(tid) != 0; }

bool HasSmallStack(pid_t tid, size_t bytes) {
  if (tid == getpid()) return false;
  const uintptr_t head = DescriptorOf(tid);
  if (head == 0 || head == kNotTold) return false;
  constexpr size_t kPage = 4096;
  for (size_t page = 0; page < bytes / kPage; page++) {
    if (!kernel::IsReadable(head - page * kPage)) return true;
  }
  return false;
}

uint64_t ThreadStartTicks(pid_t tid) {
  const std::string stat = ReadTaskFile(tid, "stat");
  // Field 2 is the name in parentheses, which may hold anything; fields are counted from behind its
  // last parenthesis.
  size_t at = stat.rfind(')');
  if (at == std::string::npos) return 0;
  constexpr int kStartTimeField = 22;
  for (int field = 2; field < kStartTimeField; field++) {
    at = stat.find(' ', at + 1);
    if (at == std::string::npos) return 0;
  }
  return std::strtoull(stat.c_str() + at + 1, nullptr, 10);
}

uint64_t ProcessCpuNs() { return ReadClock(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t SwitchesOfOthers() {
  // In this order: when this thread loses the CPU in between, the result is too small, and the next
  // one is not taken for the same.
  const uint64_t all = Switches(RUSAGE_SELF);
  if (all == 0) return MonotonicNow();  // nobody counts here (gVisor)
  return all - Switches(RUSAGE_THREAD);
}

uint64_t MonotonicNow() { return ReadClock(CLOCK_MONOTONIC); }
uint64_t UnixNow() { return ReadClock(CLOCK_REALTIME); }

}  // namespace spprof
