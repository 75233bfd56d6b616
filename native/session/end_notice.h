// Tells whoever waits that something has come to its end. Outlives both sides.
//
// Thread safety: all functions.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace spprof {

class EndNotice {
 public:
  void Give() {
    std::lock_guard lock(mutex_);
    is_given_ = true;
    changed_.notify_all();
  }
  // Has the waiting ones look at their own conditions again.
  void Wake() {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  bool IsGiven() const {
    std::lock_guard lock(mutex_);
    return is_given_;
  }
  // Until it is given. False: not within `timeout_ns`. On the system clock, as in ShutdownManager.
  bool WaitForEnd(uint64_t timeout_ns) {
    std::unique_lock lock(mutex_);
    const auto deadline = std::chrono::system_clock::now() + std::chrono::nanoseconds(timeout_ns);
    return changed_.wait_until(lock, deadline, [this] { return is_given_; });
  }
  // Until it is given, `is_due` says so upon a Wake, or the time is over.
  template <typename Predicate>
  void WaitForEnd(std::chrono::milliseconds time, Predicate is_due) {
    WaitUntil(time, [&] { return is_given_ || is_due(); });
  }
  // The same, given or not.
  template <typename Predicate>
  void WaitUntil(std::chrono::milliseconds time, Predicate is_due) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, is_due);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_given_ = false;
};

}  // namespace spprof
