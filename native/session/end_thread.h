// The thread that ends a recording. It sleeps from the start to the end, and so has its share of
// the CPU still to come when it is woken: among 64 busy threads on two cores a thread that has
// worked all the time, as the drain has, then waits its turn for up to 0.1 s
// (docs/decisions/0037-who-ends-a-recording.md).
//
// Context: control thread; waker() wakes it from any thread and from a signal handler.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <thread>

#include "base/status.h"
#include "region/sequence.h"
#include "signal_safe/machine/waker.h"

namespace spprof {

class EndThread {
 public:
  // `shutdown_requested`: the region header's word, which is set before `waker` is woken.
  EndThread(const Word* shutdown_requested, Waker* waker)
      : shutdown_requested_(shutdown_requested), waker_(waker) {}
  // Waits until `end` has run, if the end has been asked for.
  ~EndThread();
  EndThread(const EndThread&) = delete;
  EndThread& operator=(const EndThread&) = delete;

  // `end` runs once on the thread when it is woken and the word is set.
  Status Start(std::function<void()> end);
  // 0: it has not been started.
  pid_t tid() const { return tid_; }

 private:
  void Run(const std::function<void()>& end);
  bool IsAsked() const {
    return shutdown_requested_->load(std::memory_order_acquire) != 0;  // H4
  }

  const Word* shutdown_requested_;
  Waker* waker_;
  std::atomic<bool> is_cancelled_{false};
  std::thread thread_;
  pid_t tid_ = 0;
};

}  // namespace spprof
