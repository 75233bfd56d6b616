#include "session/end_thread.h"

#include <pthread.h>

#include <future>
#include <system_error>
#include <utility>

#include "platform/signals_held_back.h"
#include "platform/threads.h"
#include "platform/urgent_thread.h"

namespace spprof {

EndThread::~EndThread() {
  if (!thread_.joinable()) return;
  is_cancelled_.store(true, std::memory_order_relaxed);
  waker_->Wake();
  thread_.join();
}

Status EndThread::Start(std::function<void()> end) {
  const SignalsHeldBack held_back;
  std::promise<pid_t> tid;
  std::future<pid_t> started = tid.get_future();
  try {
    thread_ = std::thread([this, &tid, end = std::move(end)] {
      pthread_setname_np(pthread_self(), "spprof-end");
      tid.set_value(CurrentThreadId());
      MakeThreadUrgent();
      Run(end);
    });
    tid_ = started.get();
  } catch (const std::system_error& error) {
    return Status::System("pthread_create", error.code().value(),
                          "starting the thread that ends the recording");
  }
  return Status::Ok();
}

void EndThread::Run(const std::function<void()>& end) {
  while (!IsAsked()) {
    if (is_cancelled_.load(std::memory_order_relaxed)) return;
    waker_->Wait(UINT64_MAX);
  }
  end();
}

}  // namespace spprof
