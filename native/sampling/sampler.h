// Sampling: the handler's installation, and a timer for each thread of the process.
//
// Thread safety: every public function may be called from any thread but the signal handler; one
// mutex orders them. The JavaScript thread is only ever held up by another one's scan, some tens of
// microseconds.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/status.h"
#include "platform/modules.h"
#include "platform/region_map.h"
#include "platform/threads.h"
#include "region/records.h"
#include "registry/thread_registry.h"
#include "sampling/mask_watch.h"
#include "sampling/overhead_guard.h"
#include "sampling/profiling_signal.h"
#include "sampling/sample_timers.h"
#include "sampling/sleep_walker.h"
#include "sampling/timer_watch.h"
#include "signal_safe/handler/handler.h"

namespace spprof {

inline constexpr int kAnySignal = -1;

struct SamplerOptions {
  uint64_t interval_ns = 1'000'000;
  TimerEngine engine = TimerEngine::kTick;
  uint32_t max_frames = 512;
  bool native_frames = true;
  bool javascript_threads_only = false;
  int signal = SIGPROF;     // kAnySignal: one that is free
  bool wall = false;        // the drain looks where threads sleep (drain/off_cpu_watch.h)
  double max_overhead = 1;  // share of the CPU time, after which the interval is made longer
};

// A sampled thread, and its CPU clock without what it has used in pauses.
struct ThreadClock {
  uint32_t slot;
  uint32_t generation;
  uint64_t cpu_ns;
};

// What has come of the options.
struct SamplerReport {
  uint64_t interval_ns = 0;    // in force
  uint64_t paused_ns = 0;      // in all
  uint64_t paused_cpu_ns = 0;  // of the whole process
  uint64_t delivery_ns = 0;    // of a signal, without the sample: kernel and handler's fast path
  int signal = 0;
};

class Sampler {
 public:
  Sampler(const SamplerOptions& options, RegionMap* region, const V8Layout& v8,
          uintptr_t v8_host_base, Waker* waker);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Installs the handlers and begins to sample every thread that exists.
  Status Start();
  // The end, in steps. Lanes keep what was written. First: what begins now is not kept, and what is
  // under way is not published.
  void StopAccepting();
  // Deletes the timers, and puts the former signal disposition back. False: on some threads a
  // handler is still at work, which may set its timer once more: those timers stay, disarmed, and
  // so does the signal's handler, until FinishStopping.
  bool StopTimers();
  // What StopTimers has left. False: a handler was still at work at `deadline_ns`
  // (CLOCK_MONOTONIC); this object and the region must live on.
  bool FinishStopping(uint64_t deadline_ns);
  // All of it, within some seconds: a handler that does not end is left alone (is_abandoned).
  void Stop();
  // A handler may be at work for good: what it uses, the region too, must never be given back.
  bool is_abandoned() const { return is_abandoned_; }
  // When nothing is wanted of the lanes any more: the region goes on without its file.
  void LeaveRegion();

  // Threads that have come are sampled, those that have gone are retired. The drain thread calls
  // this every few milliseconds.
  void ScanThreads();
  // Names of threads that may have changed since they were first seen.
  void RefreshNames();
  // Registers the calling thread, or names it if a scan has been faster. False: refused.
  // An empty name leaves the one that it has. LeaveOut: no samples of it are kept until it is
  // registered again; false: nothing is known of it.
  bool RegisterCurrentThread(ThreadKind kind, const std::string& name);
  bool LeaveOutCurrentThread();
  // No samples until Resume: timers are disarmed, and kept. CPU time that is used meanwhile is no
  // sample's, and threads that come meanwhile stay without. Any number of times; false: it was so
  // already, or nothing is sampled.
  bool Pause();
  bool Resume();
  bool IsPaused() const { return timers_.is_paused(); }
  // From now on, for all threads, in a pause too.
  void SetInterval(uint64_t interval_ns);
  // When the kernel's tick comes, as FindTickPhaseNs() says.
  void SetTickPhase(uint64_t phase_ns) {
    context_->ticks.tick_phase_ns.store(phase_ns, std::memory_order_relaxed);
  }
  // Makes the interval longer when the handler takes more than its budget.
  void LimitOverhead(const OverheadGuard::Costs& costs);
  SamplerReport Report() const;
  // Of at most so many threads, others the next time.
  std::vector<ThreadClock> ReadClocks(size_t at_most);
  // Where the slot's thread sleeps, if it does. Drain thread.
  SleepWalkResult WalkSleeper(uint32_t slot, uint32_t generation, SleepWalk* out);
  // Whether its samples are kept: `javascript_threads_only`, LeaveOutCurrentThread.
  bool IsSelected(uint32_t slot) const;
  // How long it has waited for a CPU in all, nanoseconds; nothing where that is not counted.
  std::optional<uint64_t> RunDelayNs(uint32_t slot, uint32_t generation);
  const SamplerOptions& options() const { return options_; }
  int signal() const { return context_->signal; }

  // A thread that must not be sampled: the drain.
  void Exclude(pid_t tid);

  // Takes stock of the mapped files again; returns those that were not known before.
  std::vector<LoadedModule> RefreshModules();

  void Release(uint32_t slot);
  // Changes whenever a thread has come, or has got a name.
  uint64_t thread_version() const { return thread_version_.load(std::memory_order_acquire); }
  // What the log says of the slot's thread.
  void Describe(uint32_t slot, ThreadRecord* record, std::string* name);
  RegionMap* region() const { return region_; }
  std::vector<std::string> TakeWarnings();

 private:
  // What a wait for handlers takes at the most. One takes microseconds, and tenths of a second
  // where its thread has lost the CPU; one that takes longer has been stopped (a debugger, a frozen
  // container), and may never end.
  static constexpr uint64_t kHandlersWaitNs = 2'000'000'000;

  uint32_t AddThread(pid_t tid, ThreadKind kind, const std::string& name);
  void RemoveThread(uint32_t slot);
  void RetireReusedId();
  void Abandon();
  void LookAtUnsampled();
  // Once the thread has used so much CPU time since its last tick.
  void WarnOfWork(uint32_t slot, uint64_t at_least_ns, const std::string& warning);
  // Whether the thread blocks the profiling signal; nothing: it cannot be told now.
  std::optional<bool> BlocksTicks(pid_t tid) const;
  // Of some slots each time, in turn: timers end in threads that block the signal, and begin again.
  void LookAtMasks();
  bool LookAtMask(uint32_t slot);  // whether it was worth a look
  void EndTicks(uint32_t slot, pid_t tid);
  void ReadNamesAgain();
  void LeaveSignal();
  // Of some slots each time, in turn.
  void LookAtEvents();
  void RestartLostTimers();
  bool HasThreadGone();
  // The thread that is sampled in the slot; 0: it has gone.
  pid_t ThreadOf(uint32_t slot, uint32_t generation);
  void Warn(const std::string& text);
  void SetIntervalLocked(uint64_t interval_ns);
  // Somebody else has taken the signal.
  void StopSilenced();

  const SamplerOptions options_;
  RegionMap* region_;
  ThreadRegistry registry_;
  std::unique_ptr<HandlerContext> context_;
  SampleTimers timers_;
  ProfilingSignal signal_;
  const uintptr_t v8_host_base_;
  uint64_t states_size_ = 0;

  mutable std::mutex mutex_;
  enum class State { kIdle, kRunning, kNotAccepting } state_ = State::kIdle;
  std::vector<pid_t> excluded_;
  std::vector<LoadedModule> modules_;
  // Tables that a handler may still be reading; freed with the sampler.
  std::vector<std::unique_ptr<ModuleTable>> tables_;
  std::vector<std::unique_ptr<ModuleRange[]>> ranges_;
  std::vector<std::string> warnings_;
  bool has_warned_of_timers_ = false;
  uint64_t no_timers_until_ns_ = 0;  // scans add no thread before
  std::atomic<uint64_t> thread_version_{0};
  ThreadLister lister_;
  std::vector<pid_t> last_threads_;
  size_t next_asked_for_ = 0;
  int scans_ = 0;
  uint32_t next_checked_slot_ = 0;
  uint32_t next_watched_slot_ = 0;
  uint32_t next_masked_slot_ = 0;
  uint32_t next_event_slot_ = 0;
  uint32_t next_read_slot_ = 0;
  TimerWatch timer_watch_;
  MaskWatch mask_watch_;
  OverheadGuard overhead_guard_;
  bool has_limited_overhead_ = false;
  uint64_t pause_began_ns_ = 0;
  uint64_t pause_began_cpu_ns_ = 0;
  uint64_t paused_ns_ = 0;
  uint64_t paused_cpu_ns_ = 0;
  uint64_t delivery_ns_ = 0;
  bool is_silenced_ = false;
  bool is_abandoned_ = false;
  // Slots of threads that have no timers: their stack is small, or they block the signal.
  std::unordered_set<uint32_t> small_stacks_;
  std::unordered_set<uint32_t> blocking_;
  std::unordered_set<pid_t> warned_of_;
  struct YoungThread {
    std::string name;  // as it was read first
    uint64_t time_ns;
  };
  std::unordered_map<pid_t, YoungThread> young_threads_;
  SleepWalker sleep_walker_;  // of the drain thread alone
};

}  // namespace spprof
