#include "sampling/engine_choice.h"

#include <signal.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstring>

#include "platform/interval_timer.h"
#include "platform/kernel_tick_clock.h"
#include "platform/perf_event.h"
#include "platform/posix_timer.h"
#include "platform/signal_names.h"
#include "platform/threads.h"
#include "sampling/sampler.h"

namespace spprof {

namespace {

// Where it is not known: that of most distributions.
constexpr uint64_t kUsualTickNs = 4'000'000;

// An event takes a file descriptor a thread, which a program with fewer than these may need for its
// workers: each takes six or seven.
constexpr rlim_t kFewestDescriptors = 256;

// What perf events cannot do here; empty: nothing.
std::string Obstacle(int signal) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < kFewestDescriptors) {
    return "perf events would take file descriptors, of which this process may have only " +
           std::to_string(limit.rlim_cur);
  }
#if defined(SIGRTMIN)
  if (signal >= SIGRTMIN) return "perf events cannot send " + SignalName(signal);
#endif
  const std::string why = WhyNoPerfEvents();
  return why.empty() ? why : "perf events are not permitted (" + why + ")";
}

// Why the kernel gives no timer on a thread's CPU clock (an emulated kernel, seccomp,
// RLIMIT_SIGPENDING); empty: it does. One is made that is never set.
std::string WhyNoThreadTimers() {
  const pid_t tid = CurrentThreadId();
  int32_t timer = kNoTimer;
  const Status status = CreateThreadTimer(ThreadCpuClock(tid), tid, SIGPROF, 0, &timer);
  if (status.ok()) DeleteTimer(timer);
  return status.ok() ? std::string()
                     : std::string("timer_create: ") + std::strerror(status.error_number());
}

bool MayUseIntervalTimer(int signal) {
  return (signal == kAnySignal || signal == SIGPROF) && !IsIntervalTimerSet();
}

}  // namespace

EngineChoice ChooseEngine(uint64_t interval_ns, int signal) {
  const uint64_t known_ns = KernelTickNs();
  const uint64_t tick_ns = known_ns != 0 ? known_ns : kUsualTickNs;
  const std::string no_timers = WhyNoThreadTimers();
  if (!no_timers.empty() && MayUseIntervalTimer(signal)) {
    return {
        TimerEngine::kItimer,
        "the process's one interval timer is used (itimer), since threads can have none here (" +
            no_timers + "); a program that takes this one's place by execve is ended by it"};
  }
  if (interval_ns >= tick_ns) return {TimerEngine::kTick, {}};
  const std::string obstacle = Obstacle(signal);
  if (obstacle.empty()) return {TimerEngine::kPerf, {}};
  char rates[120];
  std::snprintf(rates, sizeof(rates), "samples come every %.3g ms of CPU time, not every %.3g ms: ",
                static_cast<double>(tick_ns) / 1e6, static_cast<double>(interval_ns) / 1e6);
  return {TimerEngine::kTick, rates + obstacle};
}

}  // namespace spprof
