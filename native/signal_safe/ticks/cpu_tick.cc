#include "signal_safe/ticks/cpu_tick.h"

namespace spprof {

namespace {

// All CPU time that no sample stands for yet.
uint64_t TakeUncounted(TickState* state, uint64_t cpu) {
  if (cpu <= state->last_cpu_ns) return 0;
  const uint64_t uncounted = cpu - state->last_cpu_ns;
  state->last_cpu_ns = cpu;
  return uncounted;
}

// Of a sample that comes later than the interval asked for; ticks that are passed over are none.
uint32_t CountOverruns(TickState* state, uint64_t cpu_ns, uint64_t interval_ns) {
  const auto interval = static_cast<int64_t>(interval_ns);
  const int64_t early = -interval;
  state->overrun_ns += static_cast<int64_t>(cpu_ns) - interval;
  if (state->overrun_ns < early) state->overrun_ns = early;
  const int64_t overruns = state->overrun_ns > 0 ? state->overrun_ns / interval : 0;
  state->overrun_ns -= overruns * interval;
  return static_cast<uint32_t>(overruns);
}

}  // namespace

Tick BeginCpuTick(const TickContext& context, TickState* state, int kernel_overruns,
                  uint64_t interval_ns, bool is_rearmed) {
  Tick tick;
  if (is_rearmed) {
    state->unsampled_ns += TakeUncounted(state, CountedCpuNs(*state));
  } else {
    const auto overruns = static_cast<uint64_t>(kernel_overruns > 0 ? kernel_overruns : 0);
    const uint64_t used_ns = (1 + overruns) * CpuTimerNs(context.kernel_tick_ns, interval_ns);
    state->unsampled_ns += used_ns;
    state->last_cpu_ns += used_ns;
  }
  tick.begin_cpu_ns = state->last_cpu_ns;
  tick.is_due = IsDue(context, state, interval_ns);
  if (!tick.is_due) return tick;
  tick.cpu_ns = state->unsampled_ns;
  state->unsampled_ns = 0;
  if (!IsThinned(context, interval_ns))
    tick.overruns = CountOverruns(state, tick.cpu_ns, interval_ns);
  return tick;
}

Tick BeginCountedTick(const TickContext& context, TickState* state, uint64_t interval_ns,
                      const ucontext_t& ucontext) {
  Tick tick;
  tick.is_due = IsDue(context, state, interval_ns);
  if (!tick.is_due) return tick;
  tick.begin_cpu_ns = CountedCpuNs(*state);
  if (WasBlocked(ucontext)) return tick;
  tick.cpu_ns = TakeUncounted(state, tick.begin_cpu_ns);
  if (tick.cpu_ns != 0 && !IsThinned(context, interval_ns))
    tick.overruns = CountOverruns(state, tick.cpu_ns, interval_ns);
  return tick;
}

}  // namespace spprof
