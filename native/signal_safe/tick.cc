#include "signal_safe/tick.h"

#include <cerrno>

#include "signal_safe/guarded_load.h"
#include "signal_safe/kernel.h"

namespace spprof {

namespace {

// Of ticks on a sleeping thread, before its timer is disarmed: where JavaScript runs, timers set
// off work in step with our first tick, so those before it are needed to see how it begins. Other
// threads work when they are told to, at any time, and each tick that wakes one is dear.
constexpr uint64_t kAsleepNs = 50'000'000;
constexpr uint32_t kWakings = 2;

// xorshift64 (Marsaglia 2003).
uint64_t NextRandom(ThreadState* state) {
  uint64_t x = state->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return state->random = x;
}

// The natural logarithm of 1 + x for 0 <= x <= 1, to 1e-5 (Abramowitz and Stegun, 4.1.43).
double LogOnePlus(double x) {
  return x *
         (0.99949556 + x * (-0.49190896 + x * (0.28947478 + x * (-0.13606275 + x * 0.03215845))));
}

// An exponentially distributed time: -mean * ln(u), with u uniform in (0, 1).
uint64_t NextWait(ThreadState* state, uint64_t mean_ns) {
  constexpr double kLog2 = 0.6931471805599453;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  const uint64_t random = NextRandom(state);  // never 0
  const int zeros = __builtin_clzll(random);
  const double mantissa = static_cast<double>((random << zeros) & INT64_MAX) / kTwoTo63;
  const double minus_log = (zeros + 1) * kLog2 - LogOnePlus(mantissa);
  return static_cast<uint64_t>(minus_log * static_cast<double>(mean_ns));
}

// Whether the signal woke the thread out of a system call: the kernel then returns -EINTR, or backs
// up to make the call again.
bool WasBlocked(const ucontext_t& ucontext) {
#if defined(__x86_64__)
  constexpr uint16_t kSyscall = 0x050f;
  const auto pc = static_cast<uintptr_t>(ucontext.uc_mcontext.gregs[REG_RIP]);
  uint16_t before, at;
  return (ucontext.uc_mcontext.gregs[REG_RAX] == -EINTR && GuardedLoad16(pc - 2, &before) &&
          before == kSyscall) ||
         (GuardedLoad16(pc, &at) && at == kSyscall);
#else
  static_cast<void>(ucontext);
  return false;
#endif
}

// A tick that comes so late found the thread off the CPU, ready or blocked, or in the kernel, which
// gives signals on its way out (of clearing pages, or of a long system call).
constexpr uint64_t kLateNs = 100'000;

// A tick that takes so long may have been preempted, and is measured by the CPU clock, too. Few
// take so long by themselves, which that would make longer.
constexpr uint64_t kPreemptedNs = 200'000;

// A debt is paid by what so many intervals stand for, and by no less than so long a time.
constexpr uint64_t kPaymentIntervals = 8;
constexpr uint64_t kPaymentNs = 8'000'000;

uint64_t PaidInNs(uint64_t interval_ns) {
  const uint64_t in_ns = kPaymentIntervals * interval_ns;
  return in_ns > kPaymentNs ? in_ns : kPaymentNs;
}

// While ticks find the thread at work, its CPU clock is read no more often than this: a system
// call, which is a good part of what a tick costs.
constexpr uint64_t kClockNs = 4'000'000;

// How often the thread has fallen asleep since it was found asleep; 0: the kernel does not count.
int64_t SleepsSince(const ThreadState& state) {
  return state.sleeps_read <= 0 ? 0 : kernel::ThreadSleeps() - state.sleeps_read;
}

// Whether a late tick found the thread on the CPU, in the kernel. `used_ns` in `passed_ns`: since
// the clock was read before. What it has used by the time when the tick was due is not known, but
// it is no more than the time until then.
bool WasInKernel(const ThreadState& state, uint64_t late_ns, uint64_t used_ns, uint64_t passed_ns) {
  if (used_ns + kLateNs >= passed_ns) return true;  // always
  const uint64_t until_due_ns = passed_ns - late_ns;
  if (used_ns > until_due_ns && 2 * (used_ns - until_due_ns) >= late_ns) return true;
  // If it has fallen asleep only once since it was found asleep, all this was since it woke up.
  return state.asleep_since_ns != 0 && used_ns >= late_ns && SleepsSince(state) == 1;
}

// The weight of a sample on the CPU. Ticks are spread evenly over wall time, so each that meets the
// thread at work stands for an interval of work, wherever in a burst it falls (or for more: its
// `own_ns`): that is unbiased, but right only on average. What the CPU clock says beyond that is
// paid off over the next samples, a part of it at a time, so that the sum is exact and no sample
// stands for another's work.
uint64_t PayDebt(ThreadState* state, uint64_t own_ns) {
  const auto own = static_cast<int64_t>(own_ns);
  const int64_t left = state->paying_ns < 0 ? 0 : state->paying_ns;
  const double payment = state->debt_share * static_cast<double>(own < left ? own : left);
  const int64_t weight = own + static_cast<int64_t>(payment);
  const int64_t paid = weight < 1 ? 1 : weight;
  state->cpu_debt_ns -= paid;
  state->paying_ns -= own;
  return static_cast<uint64_t>(paid);
}

// Of the debt that the CPU clock has just told of, what the sample to be taken stands for itself is
// no debt. In proportion to what samples stand for, as they are not spread evenly over bursts.
void PlanPayments(ThreadState* state, uint64_t own_ns, uint64_t paid_in_ns) {
  const uint64_t during_ns = own_ns > paid_in_ns ? own_ns : paid_in_ns;
  state->debt_share = static_cast<double>(state->cpu_debt_ns - static_cast<int64_t>(own_ns)) /
                      static_cast<double>(during_ns);
  state->paying_ns = static_cast<int64_t>(during_ns);
}

// Whether the interval is longer than the kernel's tick.
bool IsThinned(const HandlerContext& context, uint64_t interval_ns) {
  return context.kernel_tick_ns != 0 && interval_ns > context.kernel_tick_ns;
}

// Of the kernel's ticks, as many as the interval asks for, at random. Not the first one after so
// much CPU time: little has passed since the last tick where a burst of work begins, and what runs
// there would seldom be seen.
bool IsDue(const HandlerContext& context, ThreadState* state, uint64_t interval_ns) {
  return !IsThinned(context, interval_ns) ||
         NextRandom(state) % interval_ns < context.kernel_tick_ns;
}

// The weight of the kernel's tick that finds a thread awake which has used `used_ns` since it was
// found asleep. At x ns of a burst, ticks of our own come once an interval if the kernel's tick has
// come before, whose chance is x / tick, and itself it comes once a tick. So all of the burst is
// seen alike if the kernel's tick stands for tick - x. Where its signal has waited in the kernel,
// it stands for that time as well.
uint64_t WakingNs(const HandlerContext& context, const ThreadState& state, uint64_t interval_ns,
                  uint64_t used_ns, uint64_t now_ns) {
  const uint64_t tick_ns = context.kernel_tick_ns;
  if (tick_ns == 0) return interval_ns;
  const uint64_t since_ns =
      SinceTick(now_ns, tick_ns, context.tick_phase_ns.load(std::memory_order_relaxed));
  uint64_t waited_ns = since_ns < used_ns ? since_ns : used_ns;
  uint64_t at_ns = used_ns - waited_ns;
  const int64_t bursts = SleepsSince(state);
  if (bursts > 1) {
    // Those that no tick has met were as long, and it is the middle of this one.
    at_ns = at_ns / static_cast<uint64_t>(bursts) / 2;
  } else if (since_ns != 0 || at_ns >= tick_ns + tick_ns / 16) {
    at_ns %= tick_ns;
    waited_ns = used_ns - at_ns;
  }
  // Handlers come a little later than ticks. It stands for something, so that it can be paid for.
  if (at_ns >= tick_ns) at_ns = tick_ns - 1;
  const uint64_t ticks_ns = tick_ns - at_ns + waited_ns;
  if (!IsThinned(context, interval_ns)) return ticks_ns;
  // Of ticks that are taken at random, one stands for those that are not.
  return static_cast<uint64_t>(static_cast<double>(ticks_ns) * static_cast<double>(interval_ns) /
                               static_cast<double>(tick_ns));
}

// What the thread has used since the last reading.
uint64_t ReadCpuClock(ThreadState* state, uint64_t now_ns) {
  const uint64_t cpu = CountedCpuNs(*state);
  // A handler that a pause overtook has read it later than the pause did.
  const auto used_ns = static_cast<int64_t>(cpu - state->last_cpu_ns);
  state->cpu_debt_ns += used_ns;
  state->last_cpu_ns = cpu;
  state->cpu_read_ns = now_ns;
  return used_ns < 0 ? 0 : static_cast<uint64_t>(used_ns);
}

// All CPU time that no sample stands for yet.
uint64_t TakeUncounted(ThreadState* state, uint64_t cpu) {
  if (cpu <= state->last_cpu_ns) return 0;
  const uint64_t uncounted = cpu - state->last_cpu_ns;
  state->last_cpu_ns = cpu;
  return uncounted;
}

// Of a sample that comes later than the interval asked for; ticks that are passed over are none.
uint32_t CountOverruns(ThreadState* state, uint64_t cpu_ns, uint64_t interval_ns) {
  const auto interval = static_cast<int64_t>(interval_ns);
  const int64_t early = -interval;
  state->overrun_ns += static_cast<int64_t>(cpu_ns) - interval;
  if (state->overrun_ns < early) state->overrun_ns = early;
  const int64_t overruns = state->overrun_ns > 0 ? state->overrun_ns / interval : 0;
  state->overrun_ns -= overruns * interval;
  return static_cast<uint32_t>(overruns);
}

// The timer's own count, which needs no system call: that of the CPU clock takes 8 us where the
// kernel's caches are cold, a fifth of such a tick. But what has been used before the timer was
// set, and was not noticed by then, only the clock knows.
Tick BeginCpuTick(const HandlerContext& context, ThreadState* state, int kernel_overruns,
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

// Signals that are merged on their way, or that the kernel does not count, are in the CPU clock. A
// thread that has been woken (nobody else could take the process's signal) has not worked: what it
// is charged for waking up is the next sample's.
Tick BeginCountedTick(const HandlerContext& context, ThreadState* state, uint64_t interval_ns,
                      const ucontext_t& ucontext) {
  Tick tick;
  const bool is_thinned = context.engine == TimerEngine::kItimer && IsThinned(context, interval_ns);
  tick.is_due = !is_thinned || IsDue(context, state, interval_ns);
  if (!tick.is_due) return tick;
  tick.begin_cpu_ns = CountedCpuNs(*state);
  if (WasBlocked(ucontext)) return tick;
  tick.cpu_ns = TakeUncounted(state, tick.begin_cpu_ns);
  if (tick.cpu_ns != 0 && !is_thinned)
    tick.overruns = CountOverruns(state, tick.cpu_ns, interval_ns);
  return tick;
}

// Leaves the timer as `first_ns` says (kernel::SetTimer), or disarmed if there is a pause now. The
// one that begins or ends meanwhile is seen in the second look, or sees the timer itself.
void SetUnlessPaused(const HandlerContext& context, int32_t timer, uint64_t first_ns,
                     bool absolute) {
  bool is_paused = context.is_paused.load(std::memory_order_seq_cst) != 0;
  for (;;) {
    kernel::SetTimer(timer, is_paused ? 0 : first_ns, 0, absolute && !is_paused);
    const bool was_paused = is_paused;
    is_paused = context.is_paused.load(std::memory_order_seq_cst) != 0;
    if (is_paused == was_paused) return;
  }
}

// Of the hires engine.
Tick BeginHiresTick(const HandlerContext& context, ThreadState* state, bool from_hires_timer,
                    bool runs_javascript, bool is_rearmed, uint64_t interval, uint64_t now_ns,
                    const ucontext_t& ucontext) {
  Tick tick;
  const bool was_blocked = from_hires_timer && WasBlocked(ucontext);
  if (!from_hires_timer || is_rearmed) {  // the thread runs again
    state->armed_ns = now_ns;
  }
  const uint64_t late_ns = now_ns > state->armed_ns + kLateNs ? now_ns - state->armed_ns : 0;
  const bool is_new = !from_hires_timer || is_rearmed || state->asleep_since_ns != 0;
  const uint64_t passed_ns = now_ns - state->cpu_read_ns;
  const bool asks_clock =
      was_blocked || late_ns != 0 || is_new || state->has_slept != 0 || passed_ns >= kClockNs;
  const uint64_t used_ns = asks_clock ? ReadCpuClock(state, now_ns) : passed_ns;
  if (asks_clock) state->has_slept = used_ns + kLateNs < passed_ns;
  const bool is_asleep =
      was_blocked || (late_ns != 0 && !WasInKernel(*state, late_ns, used_ns, passed_ns));
  // It may have slept a little since, and have used less.
  tick.begin_cpu_ns = state->last_cpu_ns + (now_ns - state->cpu_read_ns);
  if (is_asleep) {
    if (state->asleep_since_ns == 0) state->asleep_since_ns = now_ns;
    if (was_blocked) state->wakings++;
    state->sleeps_read = kernel::ThreadSleeps();
    tick.is_last = now_ns - state->asleep_since_ns > kAsleepNs ||
                   (!runs_javascript && state->wakings >= kWakings);
    if (tick.is_last) state->is_ticking = 0;
    PlanPayments(state, 0, PaidInNs(interval));
    return tick;
  }
  state->asleep_since_ns = 0;
  state->wakings = 0;
  tick.overruns = state->skipped_ticks;
  const bool was_ticking = state->is_ticking != 0;
  state->is_ticking = 1;
  uint64_t own_ns = interval;
  if (!from_hires_timer) {
    // Of a thread that has not been left to it, it says nothing new (another interval has armed
    // it).
    tick.is_due = is_rearmed || (!was_ticking && IsDue(context, state, interval));
    if (!tick.is_due) return tick;
    own_ns = WakingNs(context, *state, interval, used_ns, now_ns);
  } else if (late_ns != 0) {
    // As many more would have come meanwhile.
    const uint64_t in_kernel_ns = late_ns < used_ns ? late_ns : used_ns;
    own_ns += in_kernel_ns;
    tick.overruns += static_cast<uint32_t>(in_kernel_ns / interval);
    state->armed_ns = now_ns;
  }
  // What is left over from before a pause, or from a longer interval, is this sample's. Otherwise
  // there is no new plan amid a burst: what is owed then tells how much of it has passed.
  if (is_rearmed) {
    PlanPayments(state, own_ns, own_ns);
  } else if (asks_clock && state->paying_ns <= 0) {
    PlanPayments(state, own_ns, PaidInNs(interval));
  }
  tick.cpu_ns = PayDebt(state, own_ns);
  return tick;
}

Tick Begin(const HandlerContext& context, ThreadState* state, TickSource source,
           int kernel_overruns, bool runs_javascript, uint64_t now_ns, const ucontext_t& ucontext) {
  if (source == TickSource::kProbe) {
    Tick probe;
    probe.is_probe = true;
    probe.begin_cpu_ns = CountedCpuNs(*state);
    return probe;
  }
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  const bool is_rearmed = state->is_rearmed.load(std::memory_order_relaxed) != 0;
  if (is_rearmed) {
    state->is_rearmed.store(0, std::memory_order_relaxed);
    state->is_resumed = 1;
    state->overrun_ns = 0;
  }
  if (context.engine == TimerEngine::kTick)
    return BeginCpuTick(context, state, kernel_overruns, interval, is_rearmed);
  if (context.engine != TimerEngine::kHires)
    return BeginCountedTick(context, state, interval, ucontext);
  return BeginHiresTick(context, state, source == TickSource::kHiresTimer, runs_javascript,
                        is_rearmed, interval, now_ns, ucontext);
}

}  // namespace

uint64_t CountedCpuNs(const ThreadState& state) {
  return kernel::ThreadCpuNs() - state.paused_cpu_ns.load(std::memory_order_relaxed);
}

Tick BeginTick(const HandlerContext& context, ThreadState* state, TickSource source,
               int kernel_overruns, bool runs_javascript, uint64_t now_ns,
               const ucontext_t& ucontext) {
  Tick tick = Begin(context, state, source, kernel_overruns, runs_javascript, now_ns, ucontext);
  tick.begin_ns = now_ns;
  return tick;
}

uint64_t CostNs(const ThreadState& state, const Tick& tick) {
  const uint64_t passed = kernel::MonotonicNs() - tick.begin_ns;
  if (passed < kPreemptedNs) return passed;
  // It may have begun with less, and a pause may have ended meanwhile.
  const uint64_t cpu = CountedCpuNs(state);
  const uint64_t used = cpu > tick.begin_cpu_ns ? cpu - tick.begin_cpu_ns : kPreemptedNs;
  return used < passed ? used : passed;
}

void EndTick(const HandlerContext& context, ThreadState* state, Tick* tick) {
  if (context.engine != TimerEngine::kHires || tick->is_probe) return;
  const uint64_t interval = context.interval_ns.load(std::memory_order_relaxed);
  if (tick->is_last) {
    state->skipped_ticks = 0;
    SetUnlessPaused(context, state->cpu_timer.load(std::memory_order_relaxed),
                    CpuTimerNs(context.kernel_tick_ns, interval), false);
    return;
  }
  const uint64_t now = kernel::MonotonicNs();
  const uint64_t handler = CostNs(*state, *tick);
  if (tick->cpu_ns != 0) {
    tick->cpu_ns += handler;
    state->cpu_debt_ns -= static_cast<int64_t>(handler);
  }
  // Memoryless, so that no tick knows of the one before: work that is set off by a timer, or by our
  // own signal when that ends a wait early, is met at every point alike. What has passed since this
  // tick was due is a part of the interval already; that keeps the rate.
  const uint64_t passed = tick->cpu_ns != 0 ? now - state->armed_ns : handler;
  state->skipped_ticks = static_cast<uint32_t>(passed / interval);
  const uint64_t wait = NextWait(state, interval > 2 * passed ? interval - passed : interval / 2);
  state->armed_ns = now + (wait > handler ? wait : handler);
  SetUnlessPaused(context, state->hires_timer.load(std::memory_order_relaxed), state->armed_ns,
                  true);
}

}  // namespace spprof
