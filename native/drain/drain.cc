#include "drain/drain.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <future>
#include <optional>
#include <system_error>
#include <utility>

#include "base/kernel_tick.h"
#include "drain/control_records.h"
#include "platform/kernel_tick_clock.h"
#include "platform/modules.h"
#include "platform/signals_held_back.h"
#include "platform/threads.h"
#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/v8_heap/position_table.h"

namespace spprof {

namespace {

// Instead of a deadline: a visit leaves the rest to who ends the recording, who waits for it.
constexpr uint64_t kUntilEndIsAsked = 0;
constexpr int kBusyTimeoutMs = 10;
constexpr int kLeastTimeoutMs = 2;
// Who begins to work meanwhile is noticed by the CPU time that it uses (CpuAlarm).
constexpr int kIdleTimeoutMs = 1000;
// By how much a sleep is longer than the one before.
constexpr int kIdleGrowth = 4;
// In wall mode where a thread goes from one sleep to the next is seen no more exactly than this.
constexpr int kIdleTimeoutInWallModeMs = 40;
// The process has used less than this between two visits, but for the visits themselves. (Not less:
// the process's clock and this thread's are read one after the other, and the kernel's sum for a
// process may lack what the running thread has used last.)
constexpr uint64_t kIdleCpuNs = kCpuAlarmNs;

}  // namespace

Drain::Drain(Sampler* sampler, LogWriter* log, Waker* waker, uint64_t duration_ns)
    : sampler_(sampler),
      log_(log),
      waker_(waker),
      notes_(waker),
      duration_ns_(duration_ns),
      start_ns_(MonotonicNow()),
      start_cpu_ns_(ProcessCpuNs()),
      lanes_(sampler->region(), log) {
  if (!sampler->options().wall) return;
  off_cpu_ = std::make_unique<OffCpuWatch>(sampler, log);
  lanes_.OnSample([this](uint32_t slot, uint32_t generation, const SampleRecord& sample) {
    off_cpu_->OnSample(slot, generation, sample);
  });
}

Drain::~Drain() { Stop(); }

Status Drain::Start() {
  loader_generation_ = LoaderGeneration();
  last_visit_ns_ = MonotonicNow();
  // What a process that dies at once leaves behind should say at least which threads it had.
  for (uint32_t slot = 0; slot < sampler_->region()->slot_count(); slot++) {
    const Word& state = sampler_->region()->Slot(slot)->state;
    if (state.load(std::memory_order_acquire) != static_cast<uint32_t>(SlotState::kFree))
      NoteThread(slot);  // S2
  }
  if (off_cpu_ != nullptr) off_cpu_->Visit();
  log_->Flush();
  // The thread must take no signal that is meant for the program, from its first instruction on: it
  // inherits this mask.
  const SignalsHeldBack held_back;
  std::promise<pid_t> tid;
  std::future<pid_t> started = tid.get_future();
  Status status;
  try {
    thread_ = std::thread([this, &tid] {
      pthread_setname_np(pthread_self(), "spprof-drain");
      tid.set_value(CurrentThreadId());
      Run();
    });
    sampler_->Exclude(started.get());
  } catch (const std::system_error& error) {
    status = Status::System("pthread_create", error.code().value(), "starting the drain thread");
  }
  return status;
}

void Drain::Stop() {
  if (!thread_.joinable()) return;
  if (!IsEndAsked()) AskForEnd(ShutdownReason::kStop);
  waker_->Wake();
  thread_.join();
}

std::unique_lock<UrgentMutex> Drain::Hold() {
  std::unique_lock held(visiting_);
  earlier_cpu_ns_ = visits_cpu_ns_;
  return held;
}

bool Drain::IsEndAsked() const {
  return sampler_->region()->header()->shutdown_requested.load(std::memory_order_acquire) !=
         0;  // H4
}

void Drain::AskForEnd(ShutdownReason reason) {
  if (ask_ != nullptr) return ask_(reason);
  RequestShutdown(&sampler_->region()->header()->shutdown_requested, reason);
}

void Drain::Run() {
  std::optional<CpuAlarm> alarm;  // a thread, which a process that always works does without
  TakeOwnTicks();
  while (!IsEndAsked()) {
    const bool is_woken = Sleep(&alarm);
    if (duration_ns_ != 0 && MonotonicNow() - start_ns_ >= duration_ns_) {
      AskForEnd(ShutdownReason::kDuration);
      break;
    }
    const std::unique_lock visiting(visiting_, std::try_to_lock);
    if (!visiting.owns_lock() || IsEndAsked()) break;
    const uint64_t begin_ns = MonotonicNow(), begin_cpu_ns = kernel::ThreadCpuNs();
    const bool is_idle = IsIdle();
    timeout_ms_ = NextTimeoutMs(is_idle);
    if (is_woken || !is_idle || HasAnybodyRun()) {
      Visit(timeout_ms_ <= kBusyTimeoutMs || !is_woken);
    } else {
      last_visit_ns_ = MonotonicNow();  // there is nothing that it would have found
    }
    const uint64_t used_ns = kernel::ThreadCpuNs() - begin_cpu_ns;
    const uint64_t passed_ns = MonotonicNow() - begin_ns;
    waited_ms_ = static_cast<int>((passed_ns - std::min(used_ns, passed_ns)) / 1'000'000);
    visits_cpu_ns_ = kernel::ThreadCpuNs();
  }
  if (ask_ == nullptr) EndByItself();
}

void Drain::EndByItself() {
  sampler_->Stop();
  FinalDrain(UINT64_MAX);
  Conclude();
  sampler_->LeaveRegion();
}

// The interval timer's signal goes to the process. When this thread is the one that runs and does
// not take it, the kernel wakes another, which may be asleep: an idle event loop then counts as
// busy.
void Drain::TakeOwnTicks() const {
  if (sampler_->options().engine != TimerEngine::kItimer) return;
  sigset_t profiling;
  sigemptyset(&profiling);
  sigaddset(&profiling, sampler_->signal());
  pthread_sigmask(SIG_UNBLOCK, &profiling, nullptr);
}

bool Drain::Sleep(std::optional<CpuAlarm>* alarm) {
  // A process that begins to work may do so on a thread that has just come: it is looked for at
  // once, and not only when an idle drain's long sleep is over.
  const bool is_long = timeout_ms_ > kBusyTimeoutMs;
  if (is_long && !alarm->has_value()) {
    alarm->emplace(waker_);
    if ((*alarm)->tid() != 0) sampler_->Exclude((*alarm)->tid());
  }
  if (is_long) (*alarm)->Arm();
  // Threads that work for 20 ms are to be found, so a visit that has waited for a CPU is not
  // followed by a whole sleep.
  const int timeout_ms =
      is_long ? timeout_ms_
              : std::max(timeout_ms_ - waited_ms_, std::min(timeout_ms_, kLeastTimeoutMs));
  const uint32_t reasons = waker_->Wait(static_cast<uint64_t>(timeout_ms) * 1'000'000);
  const bool is_woken = (reasons & kAsked) != 0;
  if (is_long) (*alarm)->Clear();
  return is_woken;
}

bool Drain::FlushLanes(uint64_t deadline_ns) {
  const bool is_done = DrainAll(deadline_ns);
  log_->Flush();
  return is_done;
}

bool Drain::FinalDrain(uint64_t deadline_ns) {
  NoteModules();
  sampler_->RefreshNames();
  const bool is_done = DrainAll(deadline_ns);
  if (off_cpu_ != nullptr) off_cpu_->Finish();
  notes_.WriteTo(log_);
  NoteStats();
  AddFinalStats();
  log_->Flush();
  return is_done;
}

void Drain::AddFinalStats() {
  const DrainStats drained = Stats();
  if (!sampler_->region()->IsLost()) AddTotals(*sampler_->region(), log_);
  log_->AddStat("drained", drained.samples_drained);
  log_->AddStat("sampled_cpu_ns", drained.sampled_cpu_ns);
  log_->AddStat("drain_cpu_ns", drained.drain_cpu_ns);
  log_->AddStat("handler_ns_p50", drained.handler_p50_ns);
  log_->AddStat("handler_ns_p99", drained.handler_p99_ns);
  log_->AddStat("cpu_ns", ProcessCpuNs() - start_cpu_ns_);
  const SamplerReport report = sampler_->Report();
  log_->AddStat("interval_ns", report.interval_ns);
  log_->AddStat("paused_ns", report.paused_ns);
  log_->AddStat("paused_cpu_ns", report.paused_cpu_ns);
  log_->AddStat("delivery_ns", report.delivery_ns);
  log_->AddStat("signal", static_cast<uint64_t>(report.signal));
  log_->AddStat("bytes", log_->bytes_written());
  log_->AddStat("drain_lag_ns", drained.lag_ns);
  log_->AddStat("positions_given_up", PositionsGivenUp());
  log_->AddStat("wasm_indexes_refused", WasmIndexesRefused() + wasm_.refused());
  for (const std::string& warning : Warnings()) log_->AddStat("warning." + warning, 1);
}

void Drain::Conclude() {
  EndRecord end{};
  end.monotonic_ns = MonotonicNow();
  log_->AddControl(end, RecordType::kEnd, "");
  log_->Flush();
}

bool Drain::IsIdle() {
  // Two clocks that are read one after the other: the difference may go back a little.
  const auto others_cpu_ns = static_cast<int64_t>(ProcessCpuNs() - kernel::ThreadCpuNs());
  const int64_t used_ns = others_cpu_ns - std::exchange(others_cpu_ns_, others_cpu_ns);
  return used_ns < static_cast<int64_t>(kIdleCpuNs);
}

// Who sleeps, and has slept at the last visit, has no sample since, has begun no thread and loaded
// no module. In wall mode its sleep is noted all the same.
bool Drain::HasAnybodyRun() {
  if (off_cpu_ != nullptr) return true;
  const uint64_t switches = SwitchesOfOthers();
  return std::exchange(others_switches_, switches) != switches;
}

// Until the next visit: short while the process works, longer while it sleeps, and never past the
// end of the recording.
int Drain::NextTimeoutMs(bool is_idle) const {
  const int longest_ms = off_cpu_ != nullptr ? kIdleTimeoutInWallModeMs : kIdleTimeoutMs;
  int timeout_ms = is_idle ? std::min(timeout_ms_ * kIdleGrowth, longest_ms) : kBusyTimeoutMs;
  if (duration_ns_ != 0) {
    const uint64_t left_ns = duration_ns_ - std::min(MonotonicNow() - start_ns_, duration_ns_);
    timeout_ms = static_cast<int>(std::min<uint64_t>(timeout_ms, left_ns / 1'000'000 + 1));
  }
  return timeout_ms;
}

void Drain::Visit(bool scan_threads) {
  if (scan_threads) sampler_->ScanThreads();
  NoteModules();
  if (!DrainAll(kUntilEndIsAsked)) return;
  wasm_.Visit(MonotonicNow());
  if (off_cpu_ != nullptr) off_cpu_->Visit();
  sampler_->LimitOverhead({lanes_.handler_ns(), ProcessCpuNs() - start_cpu_ns_, lanes_.samples()});
  NoteInterval();
  notes_.WriteTo(log_);
  log_->Flush();
  NoteStats();
  NoteTickPhase();
  if (log_->IsGone()) {
    AskForEnd(ShutdownReason::kLost);
  }
  visits_.fetch_add(1, std::memory_order_release);
}

// A process that is killed leaves no final statistics.
void Drain::NoteInterval() {
  const uint64_t interval_ns = sampler_->Report().interval_ns;
  if (interval_ns == noted_interval_ns_) return;
  noted_interval_ns_ = interval_ns;
  log_->AddStat("interval_ns", interval_ns);
}

// After a visit, as it takes milliseconds: who waits for a visit is not kept waiting, nor is the
// start of the session. Where the CPUs are busy it often fails, and is tried more and more seldom.
void Drain::NoteTickPhase() {
  constexpr uint64_t kLastVisit = 128;
  const uint64_t visit = visits_.load(std::memory_order_relaxed) + 1;
  if (has_tick_phase_ || visit > kLastVisit || !std::has_single_bit(visit)) return;
  if (sampler_->options().engine == TimerEngine::kPerf) return;
  const uint64_t phase_ns = FindTickPhaseNs();
  if (phase_ns == kUnknownPhase) return;
  has_tick_phase_ = true;
  sampler_->SetTickPhase(phase_ns);
  log_->AddStat(kTickPhaseStat, phase_ns);
}

void Drain::NoteStats() {
  const uint64_t now = MonotonicNow();
  std::vector<std::string> warnings = sampler_->TakeWarnings();
  std::lock_guard lock(stats_mutex_);
  stats_.samples_drained = lanes_.samples();
  stats_.sampled_cpu_ns = lanes_.sampled_cpu_ns();
  stats_.drain_cpu_ns = earlier_cpu_ns_ + kernel::ThreadCpuNs();
  stats_.handler_p50_ns = lanes_.handler_times().Percentile(0.50);
  stats_.handler_p99_ns = lanes_.handler_times().Percentile(0.99);
  stats_.bytes_written = log_->bytes_written();
  stats_.lag_ns = now - last_visit_ns_;
  last_visit_ns_ = now;
  for (std::string& warning : warnings) warnings_.push_back(std::move(warning));
  const auto warn_once = [this](const std::string& text) {
    if (std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end())
      warnings_.push_back(text);
  };
  if (!log_->failure().empty()) warn_once(log_->failure());
  if (PositionsGivenUp() != 0) {
    warn_once(
        "the lines of some samples are not known: their functions' tables of positions are too "
        "long to be read in a signal handler");
  }
  if (WasmIndexesRefused() != 0 || wasm_.refused() != 0) {
    warn_once(
        "this process has more large WebAssembly modules than spprof looks into at once: functions "
        "of the others are shown as (wasm)");
  }
  if (sampler_->region()->IsLost()) {
    warn_once(
        "the recording has ended early: its file \"region\" has been cut off, or its disk is full "
        "or broken; what had been sampled and not been written yet is missing");
  }
  if (IsFaultHandlerReplaced()) {
    warn_once(
        "something else in this process has taken over SIGSEGV or SIGBUS: memory is read by system "
        "calls from here on, which makes samples more expensive");
  }
}

bool Drain::IsLate(uint64_t deadline_ns) const {
  if (deadline_ns == kUntilEndIsAsked) return IsEndAsked();
  return deadline_ns != UINT64_MAX && MonotonicNow() >= deadline_ns;
}

bool Drain::DrainAll(uint64_t deadline_ns) {
  RegionMap* region = sampler_->region();
  const uint64_t version = sampler_->thread_version();
  const bool is_new = version != noted_version_;
  uint32_t javascript_threads = 0;
  for (uint32_t slot = 0; slot < region->slot_count(); slot++) {
    ThreadLaneSet* lanes = region->Slot(slot);
    const auto state = static_cast<SlotState>(lanes->state.load(std::memory_order_acquire));  // S2
    if (state == SlotState::kFree) continue;
    if (IsLate(deadline_ns)) return false;
    if (is_new) NoteThread(slot);
    lanes_.DrainSlot(slot);
    if (lanes->has_javascript.load(std::memory_order_relaxed) != 0) javascript_threads++;
    if (state == SlotState::kRetired && !lanes_.has_failed()) {
      noted_threads_.erase(slot);
      if (off_cpu_ != nullptr) off_cpu_->Forget(slot);
      AddThreadTotals(*lanes, log_);
      sampler_->Release(slot);
    }
  }
  noted_version_ = version;
  if (javascript_threads != javascript_threads_) {
    javascript_threads_ = javascript_threads;
    loader_generation_ = 0;  // a new isolate maps a copy of V8's builtins: look again
  }
  return true;
}

void Drain::NoteThread(uint32_t slot) {
  ThreadRecord record{};
  std::string name;
  sampler_->Describe(slot, &record, &name);
  std::string told =
      std::to_string(record.generation) + ":" + std::to_string(record.kind) + ":" + name;
  std::string& noted = noted_threads_[slot];
  if (noted == told) return;
  noted = std::move(told);
  log_->AddControl(record, RecordType::kThread, name);
}

void Drain::NoteModules() {
  const uint64_t generation = LoaderGeneration();
  if (generation == loader_generation_) return;
  loader_generation_ = generation;
  for (const LoadedModule& module : sampler_->RefreshModules()) {
    AddModuleRecord(module, log_);
  }
}

DrainStats Drain::Stats() const {
  std::lock_guard lock(stats_mutex_);
  return stats_;
}

std::vector<std::string> Drain::Warnings() const {
  std::lock_guard lock(stats_mutex_);
  return warnings_;
}

}  // namespace spprof
