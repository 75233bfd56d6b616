#include "signal_safe/ticks/engines.h"

#include "signal_safe/ticks/cpu_tick.h"
#include "signal_safe/ticks/hires_tick.h"
#include "signal_safe/ticks/perf_tick.h"

namespace spprof {

namespace {

Tick Begin(const TickContext& context, TickState* state, TickSource source, int kernel_overruns,
           bool runs_javascript, uint64_t now_ns, const ucontext_t& ucontext) {
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  const bool is_rearmed = state->is_rearmed.load(std::memory_order_relaxed) != 0;
  if (is_rearmed) {
    state->is_rearmed.store(0, std::memory_order_relaxed);
    state->is_rearming_untold = 1;
    state->overrun_ns = 0;
  }
  switch (context.engine) {
    case TimerEngine::kTick:
      return BeginCpuTick(context, state, kernel_overruns, interval, is_rearmed);
    case TimerEngine::kHires:
      return BeginHiresTick(
          context, state, {source == TickSource::kHiresTimer, is_rearmed, runs_javascript, now_ns},
          ucontext);
    case TimerEngine::kPerf:
      return BeginPerfTick(context, state, source, interval, is_rearmed, ucontext);
    default:
      return BeginCountedTick(context, state, interval, ucontext);
  }
}

}  // namespace

Tick BeginTick(const TickContext& context, TickState* state, TickSource source, int kernel_overruns,
               bool runs_javascript, uint64_t now_ns, const ucontext_t& ucontext) {
  Tick tick = Begin(context, state, source, kernel_overruns, runs_javascript, now_ns, ucontext);
  tick.begin_ns = now_ns;
  return tick;
}

void EndTick(const TickContext& context, TickState* state, Tick* tick) {
  if (context.engine == TimerEngine::kHires) EndHiresTick(context, state, tick);
}

}  // namespace spprof
