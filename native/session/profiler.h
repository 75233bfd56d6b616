// One recording of this process, from start to stop: puts region, sampler, drain and log together.
//
// Thread safety: Start, Stop and Stats may be called from any thread; one at a time does its work.
// However the recording ends (Stop, its duration, a signal, the process's exit), the drain thread
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
#include "drain/drain.h"
#include "drain/log_writer.h"
#include "platform/region_map.h"
#include "registry/totals.h"
#include "sampling/sampler.h"
#include "session/shutdown_manager.h"
#include "session/shutdown_signals.h"

namespace spprof {

struct ProfilerOptions {
  SamplerOptions sampler;
  uint32_t max_threads = 4096;
  uint64_t duration_ns = 0;     // after which the sampling ends by itself; 0: it does not
  bool handle_signals = false;  // SIGINT and SIGTERM end the recording before the program
  RegionGeometry geometry;
  std::string directory;  // for the files `region` and `log`; empty: neither has a name
  std::string node_version;
  std::string exec_path;
};

struct ProfilerStats {
  Totals totals;
  DrainStats drain;
  uint32_t threads_live = 0;
  uint32_t threads_seen = 0;
  uint32_t threads_refused = 0;
  uint64_t cpu_ns = 0;  // of the process since the start
  std::vector<std::string> warnings;
};

// A stopped recording. The log can be read as long as this lives.
struct FinishedRecording {
  std::unique_ptr<LogWriter> log;
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
  // See DumpRegion.
  Status Dump(std::string* out);
  bool IsRunning() const { return is_running_.load(std::memory_order_acquire); }
  // See Sampler::RegisterCurrentThread. False when nothing records.
  bool RegisterCurrentThread(const std::string& name);

 private:
  Profiler() = default;
  Status StartLocked(const ProfilerOptions& options);
  void Clear();
  // On the drain thread.
  void End();
  ShutdownSteps EndSteps();
  bool SyncLog(uint64_t deadline_ns);
  bool Release(uint64_t deadline_ns);
  // When the process exits without having stopped.
  static void AtExit();

  std::mutex mutex_;
  std::atomic<bool> is_running_{false};
  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<LogWriter> log_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<ShutdownManager> shutdown_;
  std::unique_ptr<ShutdownSignals> signals_;
  std::unique_ptr<Drain> drain_;
  int wake_fd_ = -1;
  pid_t pid_ = 0;
  bool has_named_log_ = false;
  int received_signal_ = 0;        // of the drain thread: sent again at the end
  bool is_handler_stuck_ = false;  // what it uses is never freed
  uint64_t start_cpu_ns_ = 0;
  std::vector<std::string> warnings_;
};

// Drains what a dead process has left in `<folder>/region` into `<folder>/log`. `*bytes` is how
// much that was; a second time it is 0.
Status RecoverRecording(const std::string& folder, uint64_t* bytes);

// See DumpRegion; of `<folder>/region`.
Status DumpRecording(const std::string& folder, std::string* out);

}  // namespace spprof
