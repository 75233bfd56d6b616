// The recording of this process: one at a time, from start to stop.
//
// Thread safety: Start, Stop and Stats may be called from any thread; one at a time does its work.
// However the recording ends (Stop, its duration, a signal, the process's exit), the end thread
// ends it, in the phases of ShutdownManager.
// Stop's slow parts (decoding) are not here: it returns the log's path, and whoever wants the
// profile reads that.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/totals.h"
#include "session/recorder.h"

namespace spprof {

struct ProfilerStats {
  Totals totals;
  DrainStats drain;
  uint32_t threads_live = 0;
  uint32_t threads_seen = 0;
  uint32_t threads_refused = 0;
  uint64_t cpu_ns = 0;  // of the process since the start
  SamplerReport sampler;
  TimerEngine engine = TimerEngine::kTick;
  std::vector<std::string> warnings;
};

// A recording as one follows it: its log grows until the end.
struct LiveRecording {
  std::shared_ptr<LogWriter> log;
  std::shared_ptr<EndNotice> end;
};

// A stopped recording. The log can be read as long as this lives.
struct FinishedRecording {
  std::shared_ptr<LogWriter> log;
  std::string warning;  // empty: none
};

class Profiler {
 public:
  // The one of this process; never destroyed.
  static Profiler& Get();

  // On a JavaScript thread. ERR_SPPROF_RUNNING: one runs already.
  Status Start(const ProfilerOptions& options);
  // ERR_SPPROF_NOT_RUNNING.
  Status Stop(FinishedRecording* out);
  Status Stats(ProfilerStats* out);
  // See Sampler. `*changed`: false when it was so already.
  Status Pause(bool* changed);
  Status Resume(bool* changed);
  Status SetInterval(uint64_t interval_ns);
  // The same, but gives up when another thread is stopping the recording.
  Status TryStats(ProfilerStats* out);
  // ERR_SPPROF_NOT_RUNNING.
  Status Live(LiveRecording* out);
  // Has all that has been sampled until now in the log, if the drain gets to it within
  // `timeout_ns`.
  Status Catch(uint64_t timeout_ns, std::shared_ptr<LogWriter>* log);
  // Notes a moment of the calling thread. False: nothing records.
  bool Mark(const std::string& name, const std::string& detail);
  // See Sampler::Exclude.
  void Exclude(pid_t tid);
  // See DumpRegion.
  Status Dump(std::string* out);
  // ProfilerOptions::started_at of the recording that runs; empty when none does.
  std::string StartedAt();
  // Since the start of the recording that runs; 0 when none does.
  uint64_t ElapsedNs();
  // Lets go of a recording that has ended by itself (its duration, a lost region), as Stop does.
  // False: it goes on.
  bool RetireEnded();
  bool IsRunning() const { return is_running_.load(std::memory_order_acquire); }
  // See Sampler::RegisterCurrentThread. False when nothing records.
  bool RegisterCurrentThread(const std::string& name);
  bool LeaveOutCurrentThread();

 private:
  Profiler() = default;
  void FillStats(ProfilerStats* out) const;
  void LetGo();
  // When the process exits without having stopped.
  static void AtExit();

  std::mutex mutex_;
  std::atomic<bool> is_running_{false};
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Recorder> ended_;  // whose last handlers may still be at work
  std::string started_at_;
  pid_t pid_ = 0;
};

// Drains what a dead process has left in `<folder>/region` into `<folder>/log`. `*bytes` is how
// much that was; a second time it is 0.
Status RecoverRecording(const std::string& folder, uint64_t* bytes);

// See DumpRegion; of `<folder>/region`.
Status DumpRecording(const std::string& folder, std::string* out);

}  // namespace spprof
