// One recording of this process: puts region, sampler, drain and log together, and takes them apart
// again in the phases of ShutdownManager, on the end thread, whoever asks for the end.
//
// Context: Start, Take and the destructor on the control thread; the rest from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "drain/drain.h"
#include "log/log_writer.h"
#include "platform/region_map.h"
#include "sampling/sampler.h"
#include "session/end_notice.h"
#include "session/end_thread.h"
#include "session/shutdown_manager.h"
#include "session/shutdown_signals.h"
#include "signal_safe/machine/waker.h"

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
  std::vector<std::string> warnings;  // that came up with the options
  std::string started_at;             // who asked for it: a place in a program
};

class Recorder {
 public:
  // Waits until no handler of the recording is at work any more, for some seconds; the memory of
  // one that is then still at work is never given back.
  ~Recorder();

  Status Start(const ProfilerOptions& options);
  bool RequestEnd(ShutdownReason reason) { return shutdown_->Request(reason); }
  // The log is concluded, and no sample is taken any more. False: not within `timeout_ns`.
  bool WaitUntilEnded(uint64_t timeout_ns) { return shutdown_->WaitUntilDone(timeout_ns); }
  ShutdownPhase phase() const { return shutdown_->phase(); }
  // Until its threads have nothing left to do, so that it can be destroyed without waiting. False:
  // they still have at the end of `timeout_ns`.
  bool WaitUntilOver(uint64_t timeout_ns) { return is_over_.WaitForEnd(timeout_ns); }
  // After WaitUntilEnded: whether it can be destroyed without waiting.
  bool IsReleased() const { return is_released_.load(std::memory_order_acquire); }
  std::shared_ptr<LogWriter> log() const { return log_; }
  std::shared_ptr<EndNotice> end_notice() const { return end_notice_; }
  // Until the drain has taken all that was there when this was called, the recording has ended, or
  // the time is over.
  void VisitNow(uint64_t timeout_ns);
  ProgramNotes& notes() { return drain_->notes(); }

  Sampler& sampler() { return *sampler_; }
  const Drain& drain() const { return *drain_; }
  const RegionMap& region() const { return *region_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  uint64_t start_cpu_ns() const { return start_cpu_ns_; }
  // Of what the log's times are counted from; monotonic.
  uint64_t start_ns() const { return start_ns_; }

 private:
  // On the end thread.
  void End();
  ShutdownReason Reason() const;
  ShutdownSteps Steps();
  bool SyncLog(uint64_t deadline_ns);
  bool Release(uint64_t deadline_ns);
  void LeaveRegion();

  std::unique_ptr<Waker> waker_ = std::make_unique<Waker>();      // outlives all that may call it
  std::unique_ptr<Waker> end_waker_ = std::make_unique<Waker>();  // of end_thread_; as well
  std::unique_ptr<RegionMap> region_;
  std::shared_ptr<LogWriter> log_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<ShutdownManager> shutdown_;
  std::unique_ptr<ShutdownSignals> signals_;
  std::unique_ptr<Drain> drain_;
  std::unique_ptr<EndThread> end_thread_;
  std::shared_ptr<EndNotice> end_notice_ = std::make_shared<EndNotice>();
  std::string directory_;  // empty: nothing has a name
  std::atomic<bool> is_released_{false};
  EndNotice is_over_;        // given when both threads have nothing left to do
  int received_signal_ = 0;  // of the end thread: sent again at the end
  uint64_t start_cpu_ns_ = 0;
  uint64_t start_ns_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace spprof
