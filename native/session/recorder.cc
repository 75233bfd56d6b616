#include "session/recorder.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "drain/control_records.h"
#include "platform/descriptor.h"
#include "platform/fault_handler.h"
#include "platform/kernel_tick_clock.h"
#include "platform/process_identity.h"
#include "platform/threads.h"
#include "v8/gc_hooks.h"
#include "v8/layout_finder.h"
#include "v8/metadata.h"
#include "v8/position_check.h"

namespace spprof {

namespace {

constexpr uint64_t kMs = 1'000'000;
// Of each phase, in order: some times what it takes with a thousand threads on a loaded machine. A
// release that is cut short goes on behind everybody's back.
constexpr uint64_t kBudgetsNs[kShutdownPhaseCount] = {1 * kMs,   100 * kMs,  500 * kMs,
                                                      500 * kMs, 1000 * kMs, 2 * kMs};
// What a program needs to open a few files, and to load a module.
constexpr int kDescriptorsLeft = 16;
// A process that was asked to die does not wait longer for its profile.
constexpr uint64_t kWatchdogNs = 3'000 * kMs;

// Gives the monotonic time of the start.
uint64_t AddSession(const ProfilerOptions& options, LogWriter* log) {
  SessionRecord record{};
  record.start_unix_ns = UnixNow();
  record.start_monotonic_ns = MonotonicNow();
  record.interval_ns = options.sampler.interval_ns;
  record.pid = static_cast<uint32_t>(getpid());
  record.mode = options.sampler.wall ? 1 : 0;
  record.timer = static_cast<uint16_t>(options.sampler.engine);
  record.node_version_length = static_cast<uint32_t>(options.node_version.size());
  record.exec_path_length = static_cast<uint32_t>(options.exec_path.size());
  log->AddControl(record, RecordType::kSession, options.node_version, options.exec_path);
  log->AddStat(kKernelTickStat, KernelTickNs());
  return record.start_monotonic_ns;
}

void AddProcess(LogWriter* log) {
  const ProcessIdentity identity = ProcessIdentity::OfThisProcess();
  ProcessRecord record{};
  record.header.flags = log->is_locked() ? kProcessHasLock : 0;
  record.start_ticks = identity.start_ticks;
  record.pid_namespace = identity.pid_namespace;
  record.pid = identity.pid;
  record.boot_id_length = static_cast<uint32_t>(identity.boot_id.size());
  log->AddControl(record, RecordType::kProcess, identity.boot_id);
}

void AddReport(const ShutdownReport& report, LogWriter* log) {
  log->AddStat(std::string("shutdown.reason.") + ShutdownReasonName(report.reason), 1);
  log->AddStat("shutdown.total_ns", report.total_ns);
  log->AddStat("shutdown.wait_ns", report.wait_ns);
  for (size_t i = 0; i < kShutdownPhaseCount; i++) {
    const std::string name = std::string("shutdown.phase.") + ShutdownPhaseName(i);
    log->AddStat(name, report.phases[i].took_ns);
    if (report.phases[i].is_cut_short)
      log->AddStat(std::string("shutdown.cut_short.") + ShutdownPhaseName(i), 1);
  }
}

}  // namespace

Recorder::~Recorder() {
  end_thread_.reset();
  if (drain_ != nullptr) drain_->Stop();
  signals_.reset();
  drain_.reset();
  if (sampler_ != nullptr) sampler_->Stop();
  const bool is_abandoned = sampler_ != nullptr && sampler_->is_abandoned();
  sampler_.reset();
  if (is_abandoned) {  // a handler that was left may write here whenever it goes on
    static_cast<void>(region_.release());
    static_cast<void>(waker_.release());
    static_cast<void>(end_waker_.release());
    return;
  }
  UninstallFaultHandler();  // when the start has failed half-way
}

Status Recorder::Start(const ProfilerOptions& options) {
  start_cpu_ns_ = ProcessCpuNs();
  warnings_ = options.warnings;
  if (!CanOpen(kDescriptorsLeft)) {
    return Status::System("open", EMFILE,
                          "recording (the program would have fewer than " +
                              std::to_string(kDescriptorsLeft) + " file descriptors left)");
  }
  directory_ = options.directory;
  // The log first: by its lock others see that this process lives.
  log_ = std::make_shared<LogWriter>();
  Status status = directory_.empty() ? log_->CreateUnnamed() : log_->Create(directory_ + "/log");
  if (!status.ok()) return status;
  status = RegionMap::Create(directory_.empty() ? "" : directory_ + "/region", options.max_threads,
                             options.geometry, &region_);
  if (!status.ok()) return status;
  region_->WakeWhenLost(end_waker_.get());
  if (!directory_.empty() && !region_->HasFile()) {
    warnings_.push_back(
        "neither the recording's file system nor /dev/shm can hold samples safely until they are "
        "written: if the process is killed, the last milliseconds are missing");
  }

  status = InstallFaultHandler();
  if (!status.ok()) return status;
  const V8Metadata metadata = V8Metadata::Load();
  V8Layout v8 = FindV8Layout(metadata, FindV8Version(), &warnings_);
  CheckPositions(&v8, &warnings_);
  sampler_ = std::make_unique<Sampler>(options.sampler, region_.get(), v8, metadata.object_base(),
                                       waker_.get());
  Word* shutdown_requested = &region_->header()->shutdown_requested;
  shutdown_ = std::make_unique<ShutdownManager>(shutdown_requested, end_waker_.get());
  drain_ = std::make_unique<Drain>(sampler_.get(), log_.get(), waker_.get(), options.duration_ns);
  drain_->OnEnd([this](ShutdownReason reason) { RequestEnd(reason); });

  start_ns_ = AddSession(options, log_.get());
  AddProcess(log_.get());
  for (const LoadedModule& module : sampler_->RefreshModules()) AddModuleRecord(module, log_.get());
  if (!InstallGcHook() && v8.js_frames && v8.isolate_vm_state == 0) {
    warnings_.push_back(
        "this V8 does not tell when it moves objects: JavaScript frames appear as (js)");
  }
  for (const std::string& warning : warnings_) log_->AddStat("warning." + warning, 1);
  log_->Flush();
  status = sampler_->Start();
  if (!status.ok()) return status;
  if (options.handle_signals) {
    signals_ = std::make_unique<ShutdownSignals>(shutdown_requested, end_waker_.get(), kWatchdogNs);
    status = signals_->Install();
    if (!status.ok()) return status;
  }
  status = drain_->Start();
  if (!status.ok()) return status;
  end_thread_ = std::make_unique<EndThread>(shutdown_requested, end_waker_.get());
  status = end_thread_->Start([this] { End(); });
  sampler_->Exclude(end_thread_->tid());
  return status;
}

void Recorder::VisitNow(uint64_t timeout_ns) {
  const uint64_t deadline_ns = MonotonicNow() + timeout_ns;
  // One visit may be under way, and past what is wanted.
  const uint64_t wanted = drain_->visits() + 2;
  while (drain_->visits() < wanted && !end_notice_->IsGiven() && MonotonicNow() < deadline_ns) {
    waker_->Wake();
    usleep(500);
  }
}

void Recorder::End() {
  if (Reason() == ShutdownReason::kSignal && signals_ != nullptr)
    shutdown_->NoteRequest(signals_->first_ns());
  const std::unique_lock<UrgentMutex> held = drain_->Hold();
  waker_->Wake();  // the drain thread ends meanwhile
  shutdown_->Execute(Steps(), [this](const ShutdownReport& report) {
    AddReport(report, log_.get());
    drain_->Conclude();
  });
  LeaveRegion();
  end_notice_->Give();
  // The program's own way with the signal, or its death by it. Its handlers are back (Release).
  if (received_signal_ != 0) kill(getpid(), received_signal_);
  sampler_->Stop();
  drain_->Stop();  // waits for its thread
  is_over_.Give();
}

// Everything is in the log. A handler that is late writes into memory that has no file any more.
void Recorder::LeaveRegion() {
  sampler_->LeaveRegion();
  if (region_->HasFile() && log_->failure().empty()) ForgetSharedRegion(directory_ + "/region");
  log_->Unlock();  // it has its end, whatever this process goes on with
}

ShutdownSteps Recorder::Steps() {
  const std::function<bool(uint64_t)> steps[kShutdownPhaseCount] = {
      [this](uint64_t) {
        sampler_->StopAccepting();
        return true;
      },
      [this](uint64_t) {
        sampler_->StopTimers();  // what it leaves is the release's
        return true;
      },
      [this](uint64_t deadline_ns) { return drain_->FlushLanes(deadline_ns); },
      [this](uint64_t deadline_ns) { return drain_->FinalDrain(deadline_ns); },
      [this](uint64_t deadline_ns) { return SyncLog(deadline_ns); },
      [this](uint64_t deadline_ns) { return Release(deadline_ns); },
  };
  ShutdownSteps result;
  for (size_t i = 0; i < kShutdownPhaseCount; i++) result[i] = {kBudgetsNs[i], steps[i]};
  return result;
}

ShutdownReason Recorder::Reason() const {
  return static_cast<ShutdownReason>(
      region_->header()->shutdown_requested.load(std::memory_order_acquire));  // H4
}

bool Recorder::SyncLog(uint64_t deadline_ns) {
  // What has been written survives the process; to survive the machine it is synced, but not while
  // somebody waits for the process to exit: the command syncs the files that it makes of it.
  if (directory_.empty() || Reason() == ShutdownReason::kExit) return true;
  // Nothing can interrupt it: kernel AIO and a thread of its own were tried, and on a loaded
  // machine took five times as long. So who waits for the end has a deadline instead
  // (Profiler::Stop), and the watchdog ends a process that was sent a signal.
  return log_->Sync().ok() && MonotonicNow() <= deadline_ns;
}

bool Recorder::Release(uint64_t deadline_ns) {
  if (signals_ != nullptr) received_signal_ = signals_->Uninstall();
  const bool is_released = sampler_->FinishStopping(deadline_ns);
  is_released_.store(is_released, std::memory_order_release);
  return is_released;
}

}  // namespace spprof
