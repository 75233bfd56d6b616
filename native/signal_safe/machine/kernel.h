// The system calls that the handler makes, without libc: no errno, no cancellation point, no lazy
// binding. Numbers and conventions: the Linux x86-64 and arm64 ABIs. A negative result is -errno.
//
// Context: signal.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>
#include <cstdint>

#include "base/clock.h"

namespace spprof::kernel {

inline int64_t Call(int64_t number, int64_t a = 0, int64_t b = 0, int64_t c = 0, int64_t d = 0,
                    int64_t e = 0, int64_t f = 0) {
#if defined(__x86_64__)
  int64_t result;
  register int64_t r10 asm("r10") = d;
  register int64_t r8 asm("r8") = e;
  register int64_t r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register int64_t x8 asm("x8") = number;
  register int64_t x0 asm("x0") = a;
  register int64_t x1 asm("x1") = b;
  register int64_t x2 asm("x2") = c;
  register int64_t x3 asm("x3") = d;
  register int64_t x4 asm("x4") = e;
  register int64_t x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#endif
}

// `first_ns` 0 disarms; `absolute`: on the timer's clock.
inline int64_t SetTimer(int32_t timer, uint64_t first_ns, uint64_t interval_ns, bool absolute) {
  const struct {
    int64_t interval_s, interval_ns, value_s, value_ns;
  } spec = {static_cast<int64_t>(interval_ns / 1000000000),
            static_cast<int64_t>(interval_ns % 1000000000),
            static_cast<int64_t>(first_ns / 1000000000),
            static_cast<int64_t>(first_ns % 1000000000)};
  return Call(SYS_timer_settime, timer, absolute ? TIMER_ABSTIME : 0,
              reinterpret_cast<int64_t>(&spec), 0);
}

// Whether eight bytes can be read there. Asked of a call that every sandbox permits: it reads the
// set at the address, and only then finds that it does not know what to do with it.
// (process_vm_readv() is often forbidden.)
inline bool IsReadable(uintptr_t address) {
  constexpr int64_t kNoSuchThing = -1;
  const auto word = static_cast<int64_t>(address & ~uintptr_t{7});
  return Call(SYS_rt_sigprocmask, kNoSuchThing, word, 0, sizeof(uint64_t)) != -EFAULT;
}

inline uint32_t ThreadId() { return static_cast<uint32_t>(Call(SYS_gettid)); }

// CPU time of the calling thread, nanoseconds.
inline uint64_t ThreadCpuNs() {
  struct timespec now {};
  Call(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, reinterpret_cast<int64_t>(&now));
  return ToNs(now);
}

inline struct rusage ThreadUsage() {
  constexpr int kThread = 1;
  struct rusage usage {};
  Call(SYS_getrusage, kThread, reinterpret_cast<int64_t>(&usage));
  return usage;
}

// How often the calling thread has left the CPU to wait for something (getrusage(2)).
inline int64_t ThreadSleeps() { return ThreadUsage().ru_nvcsw; }

// How often it has left the CPU, because it waited or because another thread was to run.
inline int64_t ThreadSwitches() {
  const struct rusage usage = ThreadUsage();
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

// CLOCK_MONOTONIC, through the vDSO.
inline uint64_t MonotonicNs() { return ReadClock(CLOCK_MONOTONIC); }

}  // namespace spprof::kernel
