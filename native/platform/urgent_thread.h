// For a thread of ours that sleeps nearly always and must not wait its turn when it is woken, among
// threads that use up all CPUs. With the right to do so it becomes a real-time thread of the lowest
// priority; without, it asks the scheduler for short slices, which are served first (Linux 6.12; an
// older one serves first who has slept, anyway).
//
// Context: the thread itself.
#pragma once

#include <pthread.h>

namespace spprof {

enum class Urgency { kNone, kShortSlices, kRealTime };

// Of the calling thread, from now on.
Urgency MakeThreadUrgent();

// A lock for a thread that is urgent and one that is not: who holds it is urgent as long as the
// other waits, if that is a real-time thread.
class UrgentMutex {
 public:
  UrgentMutex();
  ~UrgentMutex() { pthread_mutex_destroy(&mutex_); }
  UrgentMutex(const UrgentMutex&) = delete;
  UrgentMutex& operator=(const UrgentMutex&) = delete;

  void lock() { pthread_mutex_lock(&mutex_); }
  bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

}  // namespace spprof
