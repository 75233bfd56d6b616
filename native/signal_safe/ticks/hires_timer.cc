#include "signal_safe/ticks/hires_timer.h"

#include "signal_safe/machine/kernel.h"
#include "signal_safe/ticks/random.h"
#include "signal_safe/ticks/timer_value.h"

namespace spprof {

namespace {

// How long a tick may take is what the longest one of the last few dozen has taken, but no more
// than this: no tick comes so soon after another, also if that wakes a thread to work.
constexpr uint64_t kMostReservedNs = 90'000;
constexpr uint64_t kForgetOver = 64;

// Where the tick and the handler take longer, the rate is not kept: the program is to have so much
// of the interval on average.
uint64_t LeastWait(uint64_t interval_ns) { return interval_ns / 8; }

// When a tick may be due after one that has taken `taken_ns` from when it was due until it was done
// with, for that to be done with by then.
uint64_t Reserve(HiresState* hires, uint64_t taken_ns, uint64_t interval_ns) {
  hires->taken_ns =
      taken_ns > hires->taken_ns ? taken_ns : hires->taken_ns - hires->taken_ns / kForgetOver;
  if (hires->taken_ns > kMostReservedNs) hires->taken_ns = kMostReservedNs;
  const uint64_t most = interval_ns - LeastWait(interval_ns);
  return hires->taken_ns < most ? hires->taken_ns : most;
}

// Leaves the timer set to `first_ns` (kernel::SetTimer), or disarmed if there is a pause now. The
// one that begins or ends meanwhile is seen in the second look, or sees the timer itself.
void SetUnlessPaused(const TickContext& context, const std::atomic<int32_t>& timer,
                     uint64_t first_ns, bool absolute) {
  const int32_t id = timer.load(std::memory_order_relaxed);
  bool is_paused = context.is_paused.load(std::memory_order_seq_cst) != 0;
  for (;;) {
    kernel::SetTimer(id, is_paused ? 0 : first_ns, 0, absolute && !is_paused);
    const bool was_paused = is_paused;
    is_paused = context.is_paused.load(std::memory_order_seq_cst) != 0;
    if (is_paused == was_paused) return;
  }
}

void SetNext(const TickContext& context, const TickState& state) {
  const HiresState& hires = state.hires;
  SetUnlessPaused(context, state.hires_timers[hires.next_timer], hires.armed_ns, true);
}

void SetAfter(const TickContext& context, const TickState& state) {
  const HiresState& hires = state.hires;
  SetUnlessPaused(context, state.hires_timers[hires.next_timer ^ 1], hires.after_ns, true);
}

uint64_t WaitAfter(TickState* state, uint64_t passed_ns, uint64_t interval_ns) {
  const uint64_t least = LeastWait(interval_ns);
  return NextWait(&state->random,
                  interval_ns > passed_ns + least ? interval_ns - passed_ns : least);
}

}  // namespace

void SetNextTicks(const TickContext& context, TickState* state, const Tick& tick, uint64_t now_ns,
                  uint64_t handler_ns) {
  HiresState& hires = state->hires;
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  const uint64_t earliest = now_ns + handler_ns;
  // What has passed since this tick was due is a part of the interval already; that keeps the rate.
  const uint64_t passed = tick.cpu_ns != 0 ? now_ns - hires.armed_ns : handler_ns;
  hires.skipped_ticks = static_cast<uint32_t>(passed / interval);
  const uint64_t reserved = Reserve(&hires, passed + handler_ns, interval);
  uint64_t planned, due;  // when the next tick is to come, and when it can
  if (hires.second_weight_ns != 0) {
    planned = due = hires.second_due_ns;
  } else if (tick.keeps_next) {
    planned = hires.after_ns;
    due = planned >= now_ns ? planned : now_ns + WaitAfter(state, passed, interval);
    hires.next_timer ^= 1;
  } else {
    planned = due = now_ns + WaitAfter(state, reserved, interval);
  }
  hires.armed_ns = due > earliest ? due : earliest;
  const bool is_set = tick.keeps_next && hires.armed_ns == planned;
  // A tick that has been put off does not put off those after it, to keep the rate.
  if (planned + interval < now_ns) planned = now_ns - interval;
  hires.after_ns = planned + reserved + WaitAfter(state, reserved, interval);
  if (hires.after_ns < hires.armed_ns + reserved) hires.after_ns = hires.armed_ns + reserved;
  if (!is_set) SetNext(context, *state);
  SetAfter(context, *state);
}

void RepeatNextTicks(const TickContext& context, const TickState& state) {
  SetNext(context, state);
  SetAfter(context, state);
}

void LeaveToKernelsTick(const TickContext& context, TickState* state) {
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  for (const auto& timer : state->hires_timers)
    kernel::SetTimer(timer.load(std::memory_order_relaxed), 0, 0, false);
  state->hires.armed_ns = UINT64_MAX;  // one that has expired meanwhile is none
  SetUnlessPaused(context, state->cpu_timer, CpuTimerNs(context.kernel_tick_ns, interval), false);
}

}  // namespace spprof
