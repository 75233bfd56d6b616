#include "session/profiler.h"

#include <unistd.h>

#include <cstdlib>

#include "platform/threads.h"
#include "registry/dump.h"

namespace spprof {

namespace {

// What exit() waits for; the region holds the rest.
constexpr uint64_t kExitWaitNs = 500'000'000;
// What stop() waits for: more than all phases may take together, unless the disk hangs.
constexpr uint64_t kStopWaitNs = 5'000'000'000;

// What stop() waits for the threads of the recording after the last phase.
constexpr uint64_t kSettleNs = 10'000'000;
// What start() waits for the end of the recording before, which stop() has not waited for.
constexpr uint64_t kOverWaitNs = 5'000'000'000;

Status NotRunning() { return Status::Error(kErrNotRunning, "spprof is not recording"); }

}  // namespace

Profiler& Profiler::Get() {
  static Profiler* profiler = new Profiler;
  return *profiler;
}

Status Profiler::Start(const ProfilerOptions& options) {
  std::lock_guard lock(mutex_);
  if (IsRunning()) return Status::Error(kErrRunning, "spprof is already recording this process");
  if (ended_ != nullptr && !ended_->WaitUntilOver(kOverWaitNs)) {
    return Status::Error(
        kErrRunning,
        "the recording before is still being ended: its disk, or a thread that has "
        "been stopped, does not answer");
  }
  ended_.reset();
  auto recorder = std::make_unique<Recorder>();
  const Status status = recorder->Start(options);
  if (!status.ok()) return status;
  recorder_ = std::move(recorder);
  started_at_ = options.started_at;
  pid_ = getpid();
  static const bool is_exit_watched = std::atexit(AtExit) == 0;
  static_cast<void>(is_exit_watched);  // without it, the region is recovered as after a crash
  is_running_.store(true, std::memory_order_release);
  return status;
}

Status Profiler::Stop(FinishedRecording* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  recorder_->RequestEnd(ShutdownReason::kStop);
  if (!recorder_->WaitUntilEnded(kStopWaitNs)) {
    const auto phase = static_cast<size_t>(recorder_->phase());
    out->warning = std::string("the end of the recording was cut short") +
                   (phase > 0 ? std::string(" in its phase ") + ShutdownPhaseName(phase - 1) : "") +
                   ": the log may not be complete, or not be on the disk yet";
  }
  const std::string failure = recorder_->log()->failure();
  if (!failure.empty() && out->warning.empty()) out->warning = failure;
  out->log = recorder_->log();
  LetGo();
  return Status::Ok();
}

// A handler may still be at work on a thread that has lost the CPU, or the disk may hang: that is
// waited for when there is another recording.
void Profiler::LetGo() {
  is_running_.store(false, std::memory_order_release);
  if (!recorder_->IsReleased() || !recorder_->WaitUntilOver(kSettleNs))
    ended_ = std::move(recorder_);
  recorder_.reset();
}

bool Profiler::RetireEnded() {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return true;
  if (!recorder_->WaitUntilEnded(0)) return false;
  LetGo();
  return true;
}

uint64_t Profiler::ElapsedNs() {
  std::lock_guard lock(mutex_);
  return IsRunning() ? MonotonicNow() - recorder_->start_ns() : 0;
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
    profiler.recorder_->RequestEnd(ShutdownReason::kExit);
    profiler.recorder_->WaitUntilEnded(kExitWaitNs);
    return;
  }
}

Status Profiler::Stats(ProfilerStats* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  FillStats(out);
  return Status::Ok();
}

Status Profiler::TryStats(ProfilerStats* out) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !IsRunning()) return NotRunning();
  FillStats(out);
  return Status::Ok();
}

void Profiler::FillStats(ProfilerStats* out) const {
  out->totals = SumTotals(recorder_->region());
  out->drain = recorder_->drain().Stats();
  const RegionHeader* header = recorder_->region().header();
  out->threads_live = header->thread_count.load(std::memory_order_relaxed);
  out->threads_seen = header->threads_seen.load(std::memory_order_relaxed);
  out->threads_refused = header->threads_refused.load(std::memory_order_relaxed);
  out->cpu_ns = ProcessCpuNs() - recorder_->start_cpu_ns();
  out->sampler = recorder_->sampler().Report();
  out->engine = recorder_->sampler().options().engine;
  out->warnings = recorder_->warnings();
  for (std::string& warning : recorder_->drain().Warnings())
    out->warnings.push_back(std::move(warning));
}

Status Profiler::Live(LiveRecording* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  *out = {recorder_->log(), recorder_->end_notice()};
  return Status::Ok();
}

Status Profiler::Pause(bool* changed) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  *changed = recorder_->sampler().Pause();
  return Status::Ok();
}

Status Profiler::Resume(bool* changed) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  *changed = recorder_->sampler().Resume();
  return Status::Ok();
}

Status Profiler::SetInterval(uint64_t interval_ns) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  recorder_->sampler().SetInterval(interval_ns);
  return Status::Ok();
}

Status Profiler::Catch(uint64_t timeout_ns, std::shared_ptr<LogWriter>* log) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  recorder_->VisitNow(timeout_ns);
  *log = recorder_->log();
  return Status::Ok();
}

bool Profiler::Mark(const std::string& name, const std::string& detail) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return false;
  recorder_->notes().Mark(name, detail);
  return true;
}

void Profiler::Exclude(pid_t tid) {
  std::lock_guard lock(mutex_);
  if (IsRunning()) recorder_->sampler().Exclude(tid);
}

std::string Profiler::StartedAt() {
  std::lock_guard lock(mutex_);
  return IsRunning() ? started_at_ : std::string();
}

Status Profiler::Dump(std::string* out) {
  std::lock_guard lock(mutex_);
  if (!IsRunning()) return NotRunning();
  *out = DumpRegion(recorder_->region());
  return Status::Ok();
}

bool Profiler::RegisterCurrentThread(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto kind = CurrentThreadId() == getpid() ? ThreadKind::kMain : ThreadKind::kWorker;
  return IsRunning() && recorder_->sampler().RegisterCurrentThread(kind, name);
}

bool Profiler::LeaveOutCurrentThread() {
  std::lock_guard lock(mutex_);
  return IsRunning() && recorder_->sampler().LeaveOutCurrentThread();
}

}  // namespace spprof
