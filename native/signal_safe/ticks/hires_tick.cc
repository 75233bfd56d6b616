#include "signal_safe/ticks/hires_tick.h"

#include "signal_safe/machine/kernel.h"
#include "signal_safe/ticks/hires_timer.h"

namespace spprof {

namespace {

// Of ticks on a sleeping thread, before its timer is disarmed: where JavaScript runs, timers set
// off work in step with our first tick, so those before it are needed to see how it begins. Other
// threads work when they are told to, at any time, and each tick that wakes one is dear.
constexpr uint64_t kAsleepNs = 50'000'000;
constexpr uint32_t kWakings = 2;

// While ticks find the thread at work, its CPU clock is read no more often than this: a system
// call, which is a good part of what a tick costs.
constexpr uint64_t kClockNs = 4'000'000;

// How often the thread has fallen asleep since it was found asleep; 0: the kernel does not count.
int64_t SleepsSince(const HiresState& hires) {
  return hires.sleeps_read <= 0 ? 0 : kernel::ThreadSleeps() - hires.sleeps_read;
}

// Whether a late tick found the thread on the CPU, in the kernel. `used_ns` in `passed_ns`: since
// the clock was read before. What it has used by the time when the tick was due is not known, but
// it is no more than the time until then.
bool WasInKernel(const HiresState& hires, uint64_t late_ns, uint64_t used_ns, uint64_t passed_ns) {
  if (used_ns + kLateNs >= passed_ns) return true;  // always
  const uint64_t until_due_ns = passed_ns - late_ns;
  if (used_ns > until_due_ns && 2 * (used_ns - until_due_ns) >= late_ns) return true;
  // If it has fallen asleep only once since it was found asleep, all this was since it woke up.
  return hires.asleep_since_ns != 0 && used_ns >= late_ns && SleepsSince(hires) == 1;
}

// A debt is paid by what so many intervals stand for, by no less than so long a time, and by no
// less than two bursts of work, so that all of a burst has its share of it. What is owed at the end
// should be little, so bursts count as no longer than this.
constexpr uint64_t kPaymentIntervals = 8;
constexpr uint64_t kPaymentNs = 8'000'000;
constexpr uint64_t kLongestBurstNs = 50'000'000;

uint64_t PaidInNs(const HiresState& hires, uint64_t interval_ns) {
  uint64_t in_ns = kPaymentIntervals * interval_ns;
  if (in_ns < kPaymentNs) in_ns = kPaymentNs;
  return in_ns > 2 * hires.burst_ns ? in_ns : 2 * hires.burst_ns;
}

// At the end of a burst.
void NoteBurst(HiresState* hires) {
  constexpr int64_t kMeanOver = 8;
  if (hires->worked_ns == 0) return;
  const uint64_t burst_ns = hires->worked_ns < kLongestBurstNs ? hires->worked_ns : kLongestBurstNs;
  const int64_t longer_ns = static_cast<int64_t>(burst_ns) - static_cast<int64_t>(hires->burst_ns);
  hires->burst_ns += static_cast<uint64_t>(longer_ns / kMeanOver);
  hires->worked_ns = 0;
}

// The weight of the kernel's tick that finds a thread awake which has used `used_ns` since it was
// found asleep. At x ns of a burst, ticks of our own come once an interval if the kernel's tick has
// come before, whose chance is x / tick, and itself it comes once a tick. So all of the burst is
// seen alike if the kernel's tick stands for tick - x, and for the time that its signal has waited
// in the kernel.
//
// If there have been bursts that no tick has met, x is not known. The tick then stands for a whole
// one, and ticks of our own begin one after it, waiting or not, by when most such bursts have
// ended. In one that has not, no work was missed but what is short, so x is what has been used, and
// the first of them stands for tick - x. (If more than a tick has been used, something long was
// missed, and x can be anything: half a tick.) But where the signal has waited and more than a tick
// has been used, it is the call that was long, and x is known after all.
uint64_t WakingNs(const TickContext& context, HiresState* hires, uint64_t interval_ns,
                  uint64_t used_ns, uint64_t now_ns) {
  const uint64_t tick_ns = context.kernel_tick_ns;
  if (tick_ns == 0) return interval_ns;
  const uint64_t since_ns =
      SinceTick(now_ns, tick_ns, context.tick_phase_ns.load(std::memory_order_relaxed));
  uint64_t waited_ns = since_ns < used_ns ? since_ns : used_ns;
  uint64_t at_ns = used_ns - waited_ns;
  const bool is_long_call = since_ns != 0 && used_ns >= tick_ns;
  if (!is_long_call && SleepsSince(*hires) > 1) {
    hires->second_due_ns = now_ns - since_ns + tick_ns;
    hires->second_weight_ns = at_ns < tick_ns ? tick_ns - at_ns : tick_ns / 2;
    return ForAllTicks(context, tick_ns, interval_ns);
  }
  if (since_ns != 0 || at_ns >= tick_ns + tick_ns / 16) {
    at_ns %= tick_ns;
    waited_ns = used_ns - at_ns;
  }
  // Handlers come a little later than ticks. It stands for something, so that it can be paid for.
  if (at_ns >= tick_ns) at_ns = tick_ns - 1;
  return ForAllTicks(context, tick_ns - at_ns + waited_ns, interval_ns);
}

// What the thread has used since the last reading.
uint64_t ReadCpuClock(TickState* state, uint64_t now_ns) {
  const uint64_t cpu = CountedCpuNs(*state);
  // A handler that a pause overtook has read it later than the pause did.
  const auto used_ns = static_cast<int64_t>(cpu - state->last_cpu_ns);
  state->hires.debt.owed_ns += used_ns;
  state->last_cpu_ns = cpu;
  state->hires.cpu_read_ns = now_ns;
  return used_ns < 0 ? 0 : static_cast<uint64_t>(used_ns);
}

// What was found out about a tick before it is known whether it counts.
struct Evidence {
  uint64_t late_ns;    // 0: not late
  uint64_t used_ns;    // CPU time since the clock was read before; if it was not asked: at most
  bool is_clock_read;  // now
  bool was_blocked;
  bool is_asleep;  // or ready, and without a CPU
};

Evidence Examine(TickState* state, const HiresSignal& signal, const ucontext_t& ucontext) {
  HiresState& hires = state->hires;
  Evidence seen{};
  seen.was_blocked = signal.is_own && WasBlocked(ucontext);
  const bool runs_again = !signal.is_own || signal.is_rearmed;
  if (runs_again) hires.armed_ns = signal.now_ns;
  if (signal.now_ns > hires.armed_ns + kLateNs) seen.late_ns = signal.now_ns - hires.armed_ns;
  const uint64_t passed_ns = signal.now_ns - hires.cpu_read_ns;
  seen.is_clock_read = seen.was_blocked || seen.late_ns != 0 || runs_again ||
                       hires.asleep_since_ns != 0 || hires.has_slept != 0 || passed_ns >= kClockNs;
  seen.used_ns = passed_ns;
  if (seen.is_clock_read) {
    seen.used_ns = ReadCpuClock(state, signal.now_ns);
    hires.has_slept = seen.used_ns + kLateNs < passed_ns;
  }
  seen.is_asleep = seen.was_blocked || (seen.late_ns != 0 &&
                                        !WasInKernel(hires, seen.late_ns, seen.used_ns, passed_ns));
  return seen;
}

// Returns whether the ticking is to end.
bool NoteAsleep(HiresState* hires, const HiresSignal& signal, bool was_blocked,
                uint64_t interval_ns) {
  if (hires->asleep_since_ns == 0) hires->asleep_since_ns = signal.now_ns;
  if (was_blocked) hires->wakings++;
  // It may have been ready, and without a CPU.
  const int64_t sleeps = kernel::ThreadSleeps();
  if (sleeps != hires->sleeps_read) NoteBurst(hires);
  hires->sleeps_read = sleeps;
  hires->second_weight_ns = 0;
  hires->debt.Plan(0, PaidInNs(*hires, interval_ns));
  const bool is_last = signal.now_ns - hires->asleep_since_ns > kAsleepNs ||
                       (!signal.runs_javascript && hires->wakings >= kWakings);
  if (is_last) hires->is_ticking = 0;
  return is_last;
}

}  // namespace

Tick BeginHiresTick(const TickContext& context, TickState* state, const HiresSignal& signal,
                    const ucontext_t& ucontext) {
  HiresState& hires = state->hires;
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  Tick tick;
  tick.keeps_next = signal.is_own && !signal.is_rearmed;
  if (tick.keeps_next && signal.now_ns < hires.armed_ns) {
    // Of a timer that has been set anew after it had expired; before Linux 6.13 its signal is
    // delivered all the same.
    tick.is_due = false;
    tick.is_stale = true;
    return tick;
  }
  const Evidence seen = Examine(state, signal, ucontext);
  // It may have slept a little since, and have used less.
  tick.begin_cpu_ns = state->last_cpu_ns + (signal.now_ns - hires.cpu_read_ns);
  if (seen.is_asleep) {
    tick.is_last = NoteAsleep(&hires, signal, seen.was_blocked, interval);
    return tick;
  }
  hires.asleep_since_ns = 0;
  hires.wakings = 0;
  tick.overruns = hires.skipped_ticks;
  const bool was_ticking = hires.is_ticking != 0;
  hires.is_ticking = 1;
  if (!signal.is_own && was_ticking && !signal.is_rearmed) {
    // It says nothing new of a thread that has not been left to it (another interval has armed it).
    tick.is_due = false;
    return tick;
  }
  const bool is_second = signal.is_own && hires.second_weight_ns != 0;
  uint64_t own_ns = interval;
  if (!signal.is_own) {
    own_ns = WakingNs(context, &hires, interval, seen.used_ns, signal.now_ns);
  } else if (is_second) {
    own_ns = ForAllTicks(context, hires.second_weight_ns, interval);
  }
  if (is_second || signal.is_rearmed) hires.second_weight_ns = 0;
  const bool is_own_alone = signal.is_own && !is_second;
  tick.is_due = signal.is_rearmed || is_own_alone || IsDue(context, state, interval);
  if (!tick.is_due) return tick;
  if (seen.late_ns != 0) {
    // As many more would have come meanwhile.
    const uint64_t in_kernel_ns = seen.late_ns < seen.used_ns ? seen.late_ns : seen.used_ns;
    own_ns += in_kernel_ns;
    tick.overruns += static_cast<uint32_t>(in_kernel_ns / interval);
    hires.armed_ns = signal.now_ns;
    // One that has come meanwhile is in this one.
    tick.keeps_next = tick.keeps_next && hires.after_ns >= signal.now_ns;
  }
  // What is left over from before a pause, or from a longer interval, is this sample's. Otherwise
  // there is no new plan amid a burst: what is owed then tells how much of it has passed.
  if (signal.is_rearmed) {
    hires.debt.Plan(own_ns, own_ns);
  } else if (seen.is_clock_read && hires.debt.IsPlanPaid()) {
    hires.debt.Plan(own_ns, PaidInNs(hires, interval));
  }
  tick.cpu_ns = hires.debt.Pay(own_ns);
  hires.worked_ns += own_ns;
  return tick;
}

void EndHiresTick(const TickContext& context, TickState* state, Tick* tick) {
  HiresState& hires = state->hires;
  if (tick->is_stale) {
    if (hires.is_ticking != 0) RepeatNextTicks(context, *state);
    return;
  }
  if (tick->is_last) {
    hires.skipped_ticks = 0;
    LeaveToKernelsTick(context, state);
    return;
  }
  const uint64_t now = kernel::MonotonicNs();
  const uint64_t handler = CostNs(*state, *tick);
  if (tick->cpu_ns != 0) {
    tick->cpu_ns += handler;
    hires.debt.owed_ns -= static_cast<int64_t>(handler);
  }
  SetNextTicks(context, state, *tick, now, handler);
}

}  // namespace spprof
