#include "session/profiler.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "drain/control_records.h"
#include "platform/threads.h"
#include "registry/dump.h"
#include "v8/gc_hooks.h"
#include "v8/layout_finder.h"
#include "v8/metadata.h"

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
  const bool is_named = !options.directory.empty();
  Status status = RegionMap::Create(is_named ? options.directory + "/region" : "",
                                    options.max_threads, options.geometry, &region_);
  if (!status.ok()) return status;
  log_ = std::make_unique<LogWriter>();
  status = is_named ? log_->Create(options.directory + "/log") : log_->CreateUnnamed();
  if (!status.ok()) return status;
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return Status::System("eventfd", errno, "starting the drain");

  const V8Metadata metadata = V8Metadata::Load();
  const V8Layout v8 = FindV8Layout(metadata, FindV8Version(), &warnings_);
  sampler_ = std::make_unique<Sampler>(options.sampler, region_.get(), v8, metadata.object_base(),
                                       wake_fd_);
  drain_ = std::make_unique<Drain>(sampler_.get(), log_.get(), wake_fd_, options.duration_ns);

  AddSession(options, log_.get());
  for (const LoadedModule& module : sampler_->RefreshModules()) AddModuleRecord(module, log_.get());
  for (const std::string& warning : warnings_) log_->AddStat("warning." + warning, 1);
  log_->Flush();
  InstallGcHook();
  status = sampler_->Start();
  if (!status.ok()) return status;
  status = drain_->Start();
  if (!status.ok()) return status;
  is_running_.store(true, std::memory_order_release);
  return status;
}

void Profiler::Clear() {
  is_running_.store(false, std::memory_order_release);
  if (sampler_ != nullptr) sampler_->Stop();
  if (drain_ != nullptr) drain_->Stop();
  drain_.reset();
  sampler_.reset();
  log_.reset();
  region_.reset();
  if (wake_fd_ >= 0) close(wake_fd_);
  wake_fd_ = -1;
}

Status Profiler::Stop(FinishedRecording* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return Status::Error(kErrNotRunning, "spprof is not recording");
  sampler_->Stop();
  drain_->Stop();
  const Status status = log_->Sync();
  out->log = std::move(log_);
  Clear();
  return status;
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
