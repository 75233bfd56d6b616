// The drain thread: finds threads that come and go, empties lanes into the log, notes new modules.
// Woken when a ring has been filled, else every 10 ms, and ever less often, down to
// every second, while the process uses no CPU; when it begins to, at the kernel's next tick.
//
// Context: Start and Stop on the control thread; Stats from any thread; Hold and the steps of the
// end on one thread, to which all that is the drain thread's belongs from then on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "drain/lane_drainer.h"
#include "drain/off_cpu_watch.h"
#include "drain/program_notes.h"
#include "log/log_writer.h"
#include "platform/cpu_alarm.h"
#include "platform/urgent_thread.h"
#include "sampling/sampler.h"
#include "sampling/wasm_indexer.h"
#include "signal_safe/machine/waker.h"

namespace spprof {

struct DrainStats {
  uint64_t samples_drained = 0;
  uint64_t sampled_cpu_ns = 0;  // that they stand for
  uint64_t drain_cpu_ns = 0;    // that the drain's own thread has used
  uint64_t handler_p50_ns = 0;
  uint64_t handler_p99_ns = 0;
  uint64_t bytes_written = 0;
  uint64_t lag_ns = 0;  // between the last two visits of all lanes
};

class Drain {
 public:
  // `duration_ns`: after which the drain asks for the end of the recording; 0: it does not.
  Drain(Sampler* sampler, LogWriter* log, Waker* waker, uint64_t duration_ns = 0);
  ~Drain();

  Status Start();
  // Who is asked when the drain itself wants the end (the duration is over, the log has gone), and
  // takes all steps of it. Without it the drain thread ends by itself: it stops the sampler, drains
  // what is left, concludes the log.
  void OnEnd(std::function<void(ShutdownReason)> ask) { ask_ = std::move(ask); }
  // Asks for the end, and waits for it. The log can then be used by the caller.
  void Stop();
  // Waits until no visit is under way. None begins as long as the lock is held, or once the end has
  // been asked for.
  std::unique_lock<UrgentMutex> Hold();

  // Steps of the end. False: lanes still hold something at the deadline (CLOCK_MONOTONIC).
  bool FlushLanes(uint64_t deadline_ns);
  // Once more over all lanes, and over modules and threads; then the counters.
  bool FinalDrain(uint64_t deadline_ns);
  // The last record: the recording was ended, not cut off.
  void Conclude();

  // What the program adds to the log. From any thread.
  ProgramNotes& notes() { return notes_; }
  // How often everything has been looked at. From any thread.
  uint64_t visits() const { return visits_.load(std::memory_order_acquire); }
  DrainStats Stats() const;
  std::vector<std::string> Warnings() const;

 private:
  void Run();
  void EndByItself();
  void AskForEnd(ShutdownReason reason);
  bool IsEndAsked() const;
  void TakeOwnTicks() const;
  // Until there is something to do. True: a thread has asked for it.
  bool Sleep(std::optional<CpuAlarm>* alarm);
  void Visit(bool scan_threads);
  void NoteStats();
  void NoteInterval();
  void NoteTickPhase();
  bool DrainAll(uint64_t deadline_ns);
  bool IsLate(uint64_t deadline_ns) const;
  void NoteModules();
  void NoteThread(uint32_t slot);
  bool IsIdle();
  bool HasAnybodyRun();
  int NextTimeoutMs(bool is_idle) const;
  void AddFinalStats();

  Sampler* sampler_;
  LogWriter* log_;
  Waker* waker_;
  ProgramNotes notes_;
  uint64_t duration_ns_;
  uint64_t start_ns_ = 0;
  uint64_t start_cpu_ns_ = 0;
  LaneDrainer lanes_;
  WasmIndexer wasm_;
  std::unique_ptr<OffCpuWatch> off_cpu_;  // wall mode
  std::thread thread_;
  std::function<void(ShutdownReason)> ask_;
  UrgentMutex visiting_;
  uint64_t visits_cpu_ns_ = 0;   // of the drain thread; for who holds visiting_
  uint64_t earlier_cpu_ns_ = 0;  // of the drain thread when the steps of the end are another's

  // Of the drain thread alone, or who has called Hold.
  uint64_t loader_generation_ = 0;
  uint32_t javascript_threads_ = 0;
  int64_t others_cpu_ns_ = 0;  // of the process without this thread
  uint64_t others_switches_ = 0;
  bool has_tick_phase_ = false;
  int timeout_ms_ = 10;
  int waited_ms_ = 0;  // during the last visit, for a CPU or for the disk
  uint64_t noted_interval_ns_ = 0;
  uint64_t noted_version_ = 0;  // the sampler's thread_version when they were noted
  std::unordered_map<uint32_t, std::string> noted_threads_;  // by slot: what the log says of it

  mutable std::mutex stats_mutex_;
  DrainStats stats_;
  std::vector<std::string> warnings_;
  uint64_t last_visit_ns_ = 0;

  std::atomic<uint64_t> visits_{0};
};

}  // namespace spprof
