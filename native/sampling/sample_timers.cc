#include "sampling/sample_timers.h"

#include <signal.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "platform/kernel_tick_clock.h"
#include "platform/perf_event.h"
#include "platform/posix_timer.h"
#include "signal_safe/handler/handler.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof {

namespace {

// Of the time that setting an event takes, the kernel's tick meets about a third (0034).
constexpr uint64_t kSettingSeen = 3;

PerfEvent EventOf(const ThreadState& state) {
  return {state.ticks.perf_event.load(std::memory_order_relaxed), state.ticks.perf_event_id};
}

}  // namespace

SampleTimers::~SampleTimers() { End(); }

Status SampleTimers::Begin(uint32_t max_threads) {
  context_->ticks.kernel_tick_ns = KernelTickNs();
  if (context_->ticks.engine == TimerEngine::kTick || context_->ticks.engine == TimerEngine::kHires)
    return Status::Ok();
  thread_words_ = std::vector<Sequence>(std::bit_ceil(max_threads) * 4);
  context_->threads.Use(thread_words_.data(), static_cast<uint32_t>(thread_words_.size()));
  Status status = Check(context_->ticks.engine);
  if (status.ok() && context_->ticks.engine == TimerEngine::kPerf)
    context_->ticks.perf_switch_ns = MeasurePerfEventSetting(interval_ns()) / kSettingSeen;
  if (!status.ok() || !IsProcessWide()) return status;
  process_timer_.Create(TimerValue{0, 0, TickSource::kNoValue}.Encode());
  status = process_timer_.Set(IntervalTimerNs());
  has_begun_ = status.ok();
  return status;
}

Status SampleTimers::Check(TimerEngine engine) {
  if (engine == TimerEngine::kPerf) return CheckPerfEvents();
  if (engine == TimerEngine::kItimer && IsIntervalTimerSet()) {
    return Status::Error(kErrTimer,
                         "timer itimer cannot be used: this process has set its one interval timer "
                         "(ITIMER_PROF) already; use timer auto");
  }
  return Status::Ok();
}

void SampleTimers::End() {
  if (has_begun_) process_timer_.Set(0);
  process_timer_.Delete();
  has_begun_ = false;
}

Status SampleTimers::Start(uint32_t slot, pid_t tid) {
  const Status status = CreateTimers(slot, tid);
  if (!status.ok()) return status;
  // The first tick sees the thread's state as it has been set up: it loads the generation (S4).
  context_->Slot(slot)->generation.fetch_add(0, std::memory_order_release);  // S3
  if (context_->ticks.engine == TimerEngine::kPerf || IsProcessWide())
    context_->threads.Insert(static_cast<uint32_t>(tid), slot);
  if (context_->ticks.engine == TimerEngine::kTick)
    context_->State(slot)->ticks.is_rearmed.store(1, std::memory_order_relaxed);
  if (is_paused()) {
    BeginPause(slot, tid);
  } else {
    Arm(slot);
  }
  return Status::Ok();
}

Status SampleTimers::CreateTimers(uint32_t slot, pid_t tid) {
  if (IsProcessWide()) return Status::Ok();
  ThreadState* state = context_->State(slot);
  if (context_->ticks.engine == TimerEngine::kPerf) {
    PerfEvent event;
    const Status status = OpenPerfEvent(tid, context_->signal, interval_ns(), &event);
    if (!status.ok() && status.error_number() == ESRCH) return status;
    if (!status.ok()) shortage_ = status.message();
    if (status.ok()) NoteEventNumber(event.fd);
    state->ticks.perf_event_id = event.id;
    state->ticks.perf_event.store(event.fd, std::memory_order_relaxed);
  }
  const uint32_t generation = context_->Slot(slot)->generation.load(std::memory_order_relaxed);
  int32_t cpu_timer;
  Status status =
      CreateThreadTimer(ThreadCpuClock(tid), tid, context_->signal,
                        TimerValue{slot, generation, TickSource::kCpuTimer}.Encode(), &cpu_timer);
  if (!status.ok()) return status;
  state->ticks.cpu_timer.store(cpu_timer, std::memory_order_relaxed);
  if (context_->ticks.engine != TimerEngine::kHires) return status;
  for (auto& timer : state->ticks.hires_timers) {
    int32_t id;
    status = CreateThreadTimer(CLOCK_MONOTONIC, tid, context_->signal,
                               TimerValue{slot, generation, TickSource::kHiresTimer}.Encode(), &id);
    if (!status.ok()) return status;
    timer.store(id, std::memory_order_relaxed);
  }
  return status;
}

void SampleTimers::Arm(uint32_t slot) {
  if (is_paused()) return;
  const ThreadState* state = context_->State(slot);
  const uint64_t interval = interval_ns();
  SetPerfEventInterval(EventOf(*state), interval);
  EnablePerfEvent(EventOf(*state));
  const int32_t timer = state->ticks.cpu_timer.load(std::memory_order_relaxed);
  if (timer == kNoTimer) return;
  // The hires engine too begins with the CPU clock: a thread that sleeps is not woken to find that
  // out.
  const uint64_t period = CpuTimerNs(context_->ticks.kernel_tick_ns, interval);
  if (context_->ticks.engine != TimerEngine::kHires) {
    kernel::SetTimer(timer, period, period, false);
  } else {
    kernel::SetTimer(timer, period, 0, false);
  }
}

void SampleTimers::Disarm(uint32_t slot) {
  const ThreadState* state = context_->State(slot);
  DisablePerfEvent(EventOf(*state));
  for (const auto* timer :
       {&state->ticks.cpu_timer, &state->ticks.hires_timers[0], &state->ticks.hires_timers[1]}) {
    const int32_t id = timer->load(std::memory_order_relaxed);
    if (id != kNoTimer) kernel::SetTimer(id, 0, 0, false);
  }
}

void SampleTimers::Delete(uint32_t slot, pid_t tid) {
  ThreadState* state = context_->State(slot);
  if (context_->ticks.engine == TimerEngine::kPerf || IsProcessWide())
    context_->threads.Remove(static_cast<uint32_t>(tid));
  ClosePerfEvent(EventOf(*state));
  state->ticks.perf_event.store(kNoPerfEvent, std::memory_order_relaxed);
  DeleteTimer(state->ticks.cpu_timer.exchange(kNoTimer, std::memory_order_relaxed));
  for (auto& timer : state->ticks.hires_timers)
    DeleteTimer(timer.exchange(kNoTimer, std::memory_order_relaxed));
}

bool SampleTimers::HasLostEvent(uint32_t slot) {
  ThreadState* state = context_->State(slot);
  const PerfEvent event = EventOf(*state);
  if (event.fd == kNoPerfEvent || IsOpen(event)) return false;
  ClosePerfEvent(event);
  state->ticks.perf_event.store(kNoPerfEvent, std::memory_order_relaxed);
  return true;
}

void SampleTimers::SetPaused(bool is_paused) {
  context_->ticks.is_paused.store(is_paused ? 1 : 0, std::memory_order_seq_cst);
  if (has_begun_) process_timer_.Set(is_paused ? 0 : IntervalTimerNs());
}

void SampleTimers::BeginPause(uint32_t slot, pid_t tid) {
  Disarm(slot);
  context_->State(slot)->ticks.pause_began_cpu_ns = ThreadCpuOf(tid);
}

void SampleTimers::EndPause(uint32_t slot, pid_t tid) {
  ThreadState* state = context_->State(slot);
  const uint64_t now = ThreadCpuOf(tid);  // 0: the thread has gone
  AddOwned(state->ticks.paused_cpu_ns, now - std::min(now, state->ticks.pause_began_cpu_ns));
  state->ticks.is_rearmed.store(1, std::memory_order_relaxed);
}

uint64_t SampleTimers::IntervalTimerNs() const {
  // It must have expired at the ticks of all CPUs, which come within some microseconds of each
  // other: else those whose tick comes late have no samples.
  if (process_timer_.IsSetAtDelivery())
    return CpuTimerNs(context_->ticks.kernel_tick_ns, interval_ns());
  // Behind its time, it expires at every tick; shorter, it would elsewhere expire more often.
  constexpr uint64_t kShort = 1'000'000;
  return context_->ticks.kernel_tick_ns == 0 ? interval_ns() : std::min(interval_ns(), kShort);
}

void SampleTimers::SetInterval(uint64_t interval_ns) {
  context_->ticks.interval_ns.store(interval_ns, std::memory_order_relaxed);
  if (has_begun_ && !is_paused()) process_timer_.Set(IntervalTimerNs());
}

}  // namespace spprof
