#include "platform/cpu_alarm.h"

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "platform/threads.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof {

struct CpuAlarm::Shared {
  explicit Shared(Waker* woken) : waker(woken) {}

  Waker* const waker;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_armed = false;
  bool is_ending = false;
  std::atomic<bool> has_ended{false};
};

CpuAlarm::CpuAlarm(Waker* waker) : shared_(std::make_shared<Shared>(waker)) {
  try {
    std::promise<pid_t> started;
    std::future<pid_t> tid = started.get_future();
    std::thread([&started, shared = shared_] {
      pthread_setname_np(pthread_self(), "spprof-alarm");
      started.set_value(CurrentThreadId());
      Run(shared.get());
    }).detach();
    tid_ = tid.get();
  } catch (const std::system_error&) {
    tid_ = 0;  // No thread can be made: it never goes off.
  }
}

CpuAlarm::~CpuAlarm() {
  if (tid_ == 0) return;
  {
    std::lock_guard lock(shared_->mutex);
    shared_->is_armed = false;  // so that it does not wake who may be gone
    shared_->is_ending = true;
  }
  shared_->changed.notify_all();
  // The kernel looks at CPU clocks at its ticks, the slowest of which come every 10 ms. A thread
  // that has not noticed by then ends later, and holds what it needs.
  constexpr uint64_t kPatienceNs = 30'000'000;
  const uint64_t end_ns = kernel::ThreadCpuNs() + kPatienceNs;
  while (!shared_->has_ended.load(std::memory_order_acquire) && kernel::ThreadCpuNs() < end_ns) {
  }
}

void CpuAlarm::Arm() {
  {
    std::lock_guard lock(shared_->mutex);
    shared_->is_armed = true;
  }
  shared_->changed.notify_all();
}

void CpuAlarm::Clear() {
  if (tid_ == 0) return;
  std::lock_guard lock(shared_->mutex);
  shared_->is_armed = false;
}

void CpuAlarm::Run(Shared* shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [shared] { return shared->is_armed || shared->is_ending; });
    if (shared->is_ending) break;
    lock.unlock();
    constexpr struct timespec kUsed = {0, kCpuAlarmNs};
    const int error = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &kUsed, nullptr);
    lock.lock();
    if (error != 0) break;  // There is no such clock to sleep on (gVisor).
    if (std::exchange(shared->is_armed, false)) shared->waker->Wake(kAlarm);
  }
  shared->has_ended.store(true, std::memory_order_release);
}

}  // namespace spprof
