#include "signal_safe/hires_timer.h"

#include "signal_safe/kernel.h"
#include "signal_safe/random.h"
#include "signal_safe/timer_value.h"

namespace spprof {

namespace {

// A thread that falls asleep amid a series has more ticks than its share right after that: what
// follows a tick in the sleep is as likely to be met as ever, and what follows none for certain.
// That is a quarter of an interval at most, so it should be little of what has been worked before.
constexpr uint64_t kAwakeIntervals = 32;
constexpr uint32_t kSeriesTicks = 4;
// A late tick is one of its own, not as late as the next is due.
constexpr uint64_t kShortestSeriesNs = 5 * kLateNs;

bool IsForSeries(const HiresState& hires, const Tick& tick, uint64_t interval_ns) {
  return interval_ns >= kShortestSeriesNs && tick.cpu_ns != 0 && hires.second_weight_ns == 0 &&
         tick.begin_ns - hires.awake_since_ns >= kAwakeIntervals * interval_ns;
}

// Leaves the timer as `first_ns` and `period_ns` say (kernel::SetTimer), or disarmed if there is a
// pause now. The one that begins or ends meanwhile is seen in the second look, or sees the timer
// itself.
void SetUnlessPaused(const HandlerContext& context, int32_t timer, uint64_t first_ns,
                     uint64_t period_ns, bool absolute) {
  bool is_paused = context.is_paused.load(std::memory_order_seq_cst) != 0;
  for (;;) {
    kernel::SetTimer(timer, is_paused ? 0 : first_ns, is_paused ? 0 : period_ns,
                     absolute && !is_paused);
    const bool was_paused = is_paused;
    is_paused = context.is_paused.load(std::memory_order_seq_cst) != 0;
    if (is_paused == was_paused) return;
  }
}

}  // namespace

void SetNextTick(const HandlerContext& context, ThreadState* state, const Tick& tick,
                 uint64_t now_ns, uint64_t handler_ns) {
  HiresState& hires = state->hires;
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  const uint64_t earliest = now_ns + handler_ns;
  // What has passed since this tick was due is a part of the interval already; that keeps the rate.
  const uint64_t passed = tick.cpu_ns != 0 ? now_ns - hires.armed_ns : handler_ns;
  hires.skipped_ticks = static_cast<uint32_t>(passed / interval);
  TickSeries& series = hires.series;
  if (series.to_come != 0 && hires.armed_ns + series.period_ns >= earliest) {
    series.to_come--;
    hires.armed_ns += series.period_ns;
    return;
  }
  const uint64_t rest = series.rest_ns;
  series = {};
  uint64_t due;
  if (hires.second_weight_ns != 0) {
    due = hires.second_due_ns;
  } else if (IsForSeries(hires, tick, interval)) {
    // From the end of the interval that the last series has had its tick in, or from this tick on,
    // of which memoryless ones know nothing.
    const uint64_t into_ns = NextRandom(&state->random) % interval;
    due = hires.armed_ns + rest + into_ns;
    series = {kSeriesTicks - 1, interval, interval - into_ns};
  } else {
    const uint64_t least = interval / 4;  // for the program, whatever ticks take
    const uint64_t mean = interval > passed + least ? interval - passed : least;
    due = now_ns + NextWait(&state->random, mean);
  }
  hires.armed_ns = due > earliest ? due : earliest;
  SetUnlessPaused(context, state->hires_timer.load(std::memory_order_relaxed), hires.armed_ns,
                  series.period_ns, true);
}

void RepeatNextTick(const HandlerContext& context, const ThreadState& state) {
  const HiresState& hires = state.hires;
  SetUnlessPaused(context, state.hires_timer.load(std::memory_order_relaxed), hires.armed_ns,
                  hires.series.to_come != 0 ? hires.series.period_ns : 0, true);
}

void LeaveToKernelsTick(const HandlerContext& context, const ThreadState& state) {
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  SetUnlessPaused(context, state.cpu_timer.load(std::memory_order_relaxed),
                  CpuTimerNs(context.kernel_tick_ns, interval), 0, false);
}

}  // namespace spprof
