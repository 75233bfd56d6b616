#include "sampling/sample_timers.h"

#include <signal.h>

#include <algorithm>

#include "platform/posix_timer.h"
#include "signal_safe/kernel.h"
#include "signal_safe/timer_value.h"

namespace spprof {

Status SampleTimers::Start(uint32_t slot, pid_t tid) {
  ThreadState* state = context_->State(slot);
  const uint32_t generation = context_->Slot(slot)->generation.load(std::memory_order_relaxed);
  int32_t cpu_timer, hires_timer;
  Status status = CreateThreadTimer(ThreadCpuClock(tid), tid, context_->signal,
                                    TimerValue{slot, generation, false}.Encode(), &cpu_timer);
  if (!status.ok()) return status;
  state->cpu_timer.store(cpu_timer, std::memory_order_relaxed);
  if (context_->engine == TimerEngine::kHires) {
    status = CreateThreadTimer(CLOCK_MONOTONIC, tid, context_->signal,
                               TimerValue{slot, generation, true}.Encode(), &hires_timer);
    if (!status.ok()) return status;
    state->hires_timer.store(hires_timer, std::memory_order_relaxed);
  }
  // The first tick sees the thread's state as it has been set up: it loads the generation (S4).
  context_->Slot(slot)->generation.fetch_add(0, std::memory_order_release);  // S3
  if (is_paused()) {
    BeginPause(slot, tid);
  } else {
    Arm(slot);
  }
  return Status::Ok();
}

void SampleTimers::Arm(uint32_t slot) {
  if (is_paused()) return;
  const int32_t timer = context_->State(slot)->cpu_timer.load(std::memory_order_relaxed);
  if (timer == kNoTimer) return;
  // The hires engine too begins with the CPU clock: a thread that sleeps is not woken to find that
  // out.
  const uint64_t interval = interval_ns();
  kernel::SetTimer(timer, interval, context_->engine == TimerEngine::kTick ? interval : 0, false);
}

void SampleTimers::Disarm(uint32_t slot) {
  const ThreadState* state = context_->State(slot);
  for (const auto* timer : {&state->cpu_timer, &state->hires_timer}) {
    const int32_t id = timer->load(std::memory_order_relaxed);
    if (id != kNoTimer) kernel::SetTimer(id, 0, 0, false);
  }
}

void SampleTimers::Delete(uint32_t slot) {
  ThreadState* state = context_->State(slot);
  DeleteTimer(state->cpu_timer.exchange(kNoTimer, std::memory_order_relaxed));
  DeleteTimer(state->hires_timer.exchange(kNoTimer, std::memory_order_relaxed));
}

void SampleTimers::SetPaused(bool is_paused) {
  context_->is_paused.store(is_paused ? 1 : 0, std::memory_order_seq_cst);
}

void SampleTimers::BeginPause(uint32_t slot, pid_t tid) {
  Disarm(slot);
  context_->State(slot)->pause_began_cpu_ns = ThreadCpuOf(tid);
}

void SampleTimers::EndPause(uint32_t slot, pid_t tid) {
  ThreadState* state = context_->State(slot);
  const uint64_t now = ThreadCpuOf(tid);  // 0: the thread has gone
  AddOwned(state->paused_cpu_ns, now - std::min(now, state->pause_began_cpu_ns));
  state->is_rearmed.store(1, std::memory_order_relaxed);
}

void SampleTimers::SetInterval(uint64_t interval_ns) {
  context_->interval_ns.store(interval_ns, std::memory_order_relaxed);
}

}  // namespace spprof
