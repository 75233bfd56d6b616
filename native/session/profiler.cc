#include "session/profiler.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "drain/control_records.h"
#include "platform/fault_handler.h"
#include "platform/threads.h"
#include "registry/dump.h"
#include "v8/gc_hooks.h"
#include "v8/layout_finder.h"
#include "v8/metadata.h"
#include "v8/position_check.h"

namespace spprof {

namespace {

void AddSession(const ProfilerOptions& options, LogWriter* log) {
  SessionRecord record{};
  record.start_unix_ns = UnixNow();
  record.start_monotonic_ns = MonotonicNow();
  record.interval_ns = options.sampler.interval_ns;
  record.pid = static_cast<uint32_t>(getpid());
  record.timer = static_cast<uint16_t>(options.sampler.engine);
  record.node_version_length = static_cast<uint32_t>(options.node_version.size());
  record.exec_path_length = static_cast<uint32_t>(options.exec_path.size());
  log->AddControl(record, RecordType::kSession, options.node_version, options.exec_path);
}

constexpr uint64_t kMs = 1'000'000;
// Of each phase, in order: some times what it takes with a thousand threads on a loaded machine.
constexpr uint64_t kBudgetsNs[kShutdownPhaseCount] = {20 * kMs,   500 * kMs, 500 * kMs, 500 * kMs,
                                                      1000 * kMs, 1 * kMs,   200 * kMs};
// A process that was asked to die does not wait longer for its profile.
constexpr uint64_t kWatchdogNs = 3'000 * kMs;
// What exit() waits for; the region holds the rest.
constexpr uint64_t kExitWaitNs = 500 * kMs;

void AddReport(const ShutdownReport& report, LogWriter* log) {
  log->AddStat(std::string("shutdown.reason.") + ShutdownReasonName(report.reason), 1);
  log->AddStat("shutdown.total_ns", report.total_ns);
  for (size_t i = 0; i < kShutdownPhaseCount; i++) {
    const std::string name = std::string("shutdown.phase.") + ShutdownPhaseName(i);
    log->AddStat(name, report.phases[i].took_ns);
    if (report.phases[i].is_cut_short)
      log->AddStat(std::string("shutdown.cut_short.") + ShutdownPhaseName(i), 1);
  }
}

}  // namespace

Profiler& Profiler::Get() {
  static Profiler* profiler = new Profiler;
  return *profiler;
}

Status Profiler::Start(const ProfilerOptions& options) {
  std::lock_guard lock(mutex_);
  if (IsRunning()) return Status::Error(kErrRunning, "spprof is already recording this process");
  Status status = StartLocked(options);
  if (!status.ok()) Clear();
  return status;
}

Status Profiler::StartLocked(const ProfilerOptions& options) {
  warnings_.clear();
  start_cpu_ns_ = ProcessCpuNs();
  pid_ = getpid();
  received_signal_ = 0;
  is_handler_stuck_ = false;
  has_named_log_ = !options.directory.empty();
  Status status = RegionMap::Create(has_named_log_ ? options.directory + "/region" : "",
                                    options.max_threads, options.geometry, &region_);
  if (!status.ok()) return status;
  log_ = std::make_unique<LogWriter>();
  status = has_named_log_ ? log_->Create(options.directory + "/log") : log_->CreateUnnamed();
  if (!status.ok()) return status;
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return Status::System("eventfd", errno, "starting the drain");

  const V8Metadata metadata = V8Metadata::Load();
  V8Layout v8 = FindV8Layout(metadata, FindV8Version(), &warnings_);
  status = InstallFaultHandler();
  if (!status.ok()) return status;
  CheckPositions(&v8, &warnings_);
  sampler_ = std::make_unique<Sampler>(options.sampler, region_.get(), v8, metadata.object_base(),
                                       wake_fd_);
  drain_ = std::make_unique<Drain>(sampler_.get(), log_.get(), wake_fd_, options.duration_ns);
  Word* shutdown_requested = &region_->header()->shutdown_requested;
  shutdown_ = std::make_unique<ShutdownManager>(shutdown_requested, wake_fd_);
  drain_->OnEnd([this] { End(); });

  AddSession(options, log_.get());
  for (const LoadedModule& module : sampler_->RefreshModules()) AddModuleRecord(module, log_.get());
  for (const std::string& warning : warnings_) log_->AddStat("warning." + warning, 1);
  log_->Flush();
  InstallGcHook();
  status = sampler_->Start();
  if (!status.ok()) return status;
  if (options.handle_signals) {
    signals_ = std::make_unique<ShutdownSignals>(shutdown_requested, wake_fd_, kWatchdogNs);
    status = signals_->Install();
    if (!status.ok()) return status;
  }
  status = drain_->Start();
  if (!status.ok()) return status;
  static const bool is_exit_watched = std::atexit(AtExit) == 0;
  static_cast<void>(is_exit_watched);  // without it, the region is recovered as after a crash
  is_running_.store(true, std::memory_order_release);
  return status;
}

ShutdownSteps Profiler::EndSteps() {
  const std::function<bool(uint64_t)> steps[kShutdownPhaseCount] = {
      [this](uint64_t deadline_ns) { return sampler_->StopAccepting(deadline_ns); },
      [this](uint64_t deadline_ns) { return sampler_->StopTimers(deadline_ns); },
      [this](uint64_t deadline_ns) { return drain_->FlushLanes(deadline_ns); },
      [this](uint64_t deadline_ns) { return drain_->FinalDrain(deadline_ns); },
      [this](uint64_t deadline_ns) { return SyncLog(deadline_ns); },
      [this](uint64_t) {
        drain_->CancelDuration();
        return true;
      },
      [this](uint64_t deadline_ns) { return Release(deadline_ns); },
  };
  ShutdownSteps result;
  for (size_t i = 0; i < kShutdownPhaseCount; i++) result[i] = {kBudgetsNs[i], steps[i]};
  return result;
}

bool Profiler::SyncLog(uint64_t deadline_ns) {
  // What has been written survives the process; to survive the machine it is synced, but not while
  // somebody waits for the process to exit: the command syncs the files that it makes of it.
  const auto reason = static_cast<ShutdownReason>(
      region_->header()->shutdown_requested.load(std::memory_order_acquire));  // H4
  if (!has_named_log_ || reason == ShutdownReason::kExit) return true;
  const uint64_t now = MonotonicNow();
  return log_->SyncWithin(deadline_ns > now ? deadline_ns - now : 0);
}

bool Profiler::Release(uint64_t deadline_ns) {
  if (signals_ != nullptr) received_signal_ = signals_->Uninstall();
  is_handler_stuck_ = !sampler_->StopTimers(deadline_ns);
  return !is_handler_stuck_;
}

void Profiler::End() {
  shutdown_->Execute(EndSteps(), [this](const ShutdownReport& report) {
    AddReport(report, log_.get());
    drain_->Conclude();
  });
  // The program's own way with the signal, or its death by it. Its handlers are back (Release).
  if (received_signal_ != 0) kill(getpid(), received_signal_);
}

void Profiler::AtExit() {
  Profiler& profiler = Get();
  const uint64_t deadline_ns = MonotonicNow() + kExitWaitNs;
  // A child that was forked and exits has this function, but no drain thread. And whoever holds the
  // lock is stopping the recording, or has been killed in the middle of it.
  while (profiler.IsRunning() && profiler.pid_ == getpid() && MonotonicNow() < deadline_ns) {
    if (!profiler.mutex_.try_lock()) {
      usleep(100);
      continue;
    }
    std::lock_guard lock(profiler.mutex_, std::adopt_lock);
    if (!profiler.IsRunning()) return;
    profiler.shutdown_->Request(ShutdownReason::kExit);
    profiler.shutdown_->WaitUntilDone(kExitWaitNs);
    return;
  }
}

void Profiler::Clear() {
  is_running_.store(false, std::memory_order_release);
  if (sampler_ != nullptr) sampler_->StopAccepting(UINT64_MAX);
  if (drain_ != nullptr) drain_->Stop();
  signals_.reset();
  drain_.reset();
  shutdown_.reset();
  log_.reset();
  if (is_handler_stuck_) {  // a thread that was stopped inside the handler will go on some day
    static_cast<void>(sampler_.release());
    static_cast<void>(region_.release());
    wake_fd_ = -1;
  }
  sampler_.reset();
  region_.reset();
  if (wake_fd_ >= 0) close(wake_fd_);
  wake_fd_ = -1;
}

Status Profiler::Stop(FinishedRecording* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return Status::Error(kErrNotRunning, "spprof is not recording");
  shutdown_->Request(ShutdownReason::kStop);
  drain_->Stop();
  out->log = std::move(log_);
  Clear();
  return Status::Ok();
}

Status Profiler::Stats(ProfilerStats* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return Status::Error(kErrNotRunning, "spprof is not recording");
  out->totals = SumTotals(*region_);
  out->drain = drain_->Stats();
  const RegionHeader* header = region_->header();
  out->threads_live = header->thread_count.load(std::memory_order_relaxed);
  out->threads_seen = header->threads_seen.load(std::memory_order_relaxed);
  out->threads_refused = header->threads_refused.load(std::memory_order_relaxed);
  out->cpu_ns = ProcessCpuNs() - start_cpu_ns_;
  out->warnings = warnings_;
  for (std::string& warning : drain_->Warnings()) out->warnings.push_back(std::move(warning));
  return Status::Ok();
}

Status Profiler::Dump(std::string* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return Status::Error(kErrNotRunning, "spprof is not recording");
  *out = DumpRegion(*region_);
  return Status::Ok();
}

bool Profiler::RegisterCurrentThread(const std::string& name) {
  std::lock_guard lock(mutex_);
  return IsRunning() && sampler_->RegisterCurrentThread(ThreadKind::kWorker, name);
}

}  // namespace spprof
