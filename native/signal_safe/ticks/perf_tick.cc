#include "signal_safe/ticks/perf_tick.h"

#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

// What is owed is paid by samples of so many intervals, and of no less than so long a time.
constexpr uint64_t kNearIntervals = 2;
constexpr uint64_t kNearNs = 2'000'000;
constexpr uint64_t kCallsIntervals = 4;
constexpr uint64_t kCallsNs = 16'000'000;

// An event's sample asks the CPU clock, a system call, when events have counted so much.
constexpr uint64_t kClockNs = 1'000'000;

// After so many of the kernel's ticks without an event between them, none is expected any more: the
// program has closed it, or this kernel's task clock sends none.
constexpr uint32_t kSilentTicks = 8;

uint64_t During(uint64_t intervals, uint64_t interval_ns, uint64_t least_ns) {
  return intervals * interval_ns > least_ns ? intervals * interval_ns : least_ns;
}

// What the thread has used since the last reading, and no event has counted; negative: less.
int64_t ReadCpuClock(TickState* state) {
  const uint64_t cpu = CountedCpuNs(*state);
  // A handler that a pause overtook has read it later than the pause did.
  const auto used_ns = static_cast<int64_t>(cpu - state->last_cpu_ns);
  const int64_t uncounted_ns = used_ns - static_cast<int64_t>(state->perf.counted_ns);
  state->perf.counted_ns = 0;
  state->last_cpu_ns = cpu;
  return uncounted_ns;
}

// Whether events sample what the thread does in its own code.
bool HasEvents(TickState* state, bool has_come, int64_t uncounted_ns, uint64_t interval_ns) {
  PerfState& perf = state->perf;
  if (state->perf_event.load(std::memory_order_relaxed) < 0) return false;
  if (has_come) {
    perf.silent_ticks = 0;
  } else if (perf.silent_ticks < kSilentTicks &&
             uncounted_ns >= static_cast<int64_t>(2 * interval_ns)) {
    perf.silent_ticks++;
  }
  return perf.silent_ticks < kSilentTicks;
}

// Of time that no event has counted, what is more (or less) than may have passed since the last
// event.
int64_t TakeMissed(PerfState* perf, int64_t uncounted_ns, uint64_t at_most_ns) {
  const auto most = static_cast<int64_t>(at_most_ns);
  const int64_t since_ns = perf->since_event_ns + uncounted_ns;
  perf->since_event_ns = since_ns < 0 ? 0 : since_ns > most ? most : since_ns;
  return since_ns - perf->since_event_ns;
}

// Time that no event has counted, by where the kernel's tick has met the thread.
void Share(PerfState* perf, int64_t missed_ns, bool is_of_call) {
  const int64_t given_ns = perf->calls.owed_ns < 0 ? -perf->calls.owed_ns : 0;
  const int64_t of_calls_ns = is_of_call || missed_ns < given_ns ? missed_ns : given_ns;
  if (is_of_call || missed_ns > 0) {
    perf->calls.owed_ns += of_calls_ns;
    perf->near.owed_ns += missed_ns - of_calls_ns;
  } else {
    perf->near.owed_ns += missed_ns;
  }
}

// At one of the kernel's ticks: counts what setting this thread's event has taken at the changes of
// threads since the last one. The kernel's tick meets a part of it, always at the end of the system
// call in which the thread has lost the CPU.
void CountSetting(const TickContext& context, PerfState* perf, bool is_first) {
  constexpr uint64_t kMostTicks = 2;  // so that a call later is not charged for a busy time before
  const int64_t switches = kernel::ThreadSwitches();
  const int64_t more = is_first || perf->switches == 0 ? 0 : switches - perf->switches;
  perf->switches = switches;
  perf->setting_ns += static_cast<uint64_t>(more) * context.perf_switch_ns;
  const uint64_t most_ns = kMostTicks * context.kernel_tick_ns;
  if (perf->setting_ns > most_ns) perf->setting_ns = most_ns;
}

// Whether a tick in a call stands for setting events instead.
bool IsOfSetting(PerfState* perf, uint64_t own_ns) {
  if (perf->setting_ns < own_ns) return false;
  perf->setting_ns -= own_ns;
  return true;
}

// What a tick in a call stands for, at most: calls are given one tick more than they are known to
// have used. A CPU whose host lets it wait has its tick, late, in the call that has waited for that
// CPU, so that ticks meet such calls more often than they take time.
uint64_t LimitAdvance(const PerfState& perf, uint64_t tick_ns) {
  if (perf.calls.owed_ns >= 0) return tick_ns;
  const auto ahead_ns = static_cast<uint64_t>(-perf.calls.owed_ns);
  return ahead_ns < tick_ns ? tick_ns - ahead_ns : 0;
}

// At one of the kernel's ticks: how much its sample stands for by itself; 0: it takes none.
uint64_t WeighKernelTick(const TickContext& context, TickState* state, uint64_t interval_ns,
                         bool is_rearmed, const ucontext_t& ucontext) {
  PerfState& perf = state->perf;
  const bool has_come = perf.counted_ns != 0;
  const int64_t uncounted_ns = ReadCpuClock(state);
  const bool is_in_call = EndsSystemCall(ucontext);
  const bool has_events = HasEvents(state, has_come, uncounted_ns, interval_ns);
  int64_t missed_ns = uncounted_ns;
  if (has_events) missed_ns = TakeMissed(&perf, uncounted_ns, interval_ns);
  Share(&perf, missed_ns, is_in_call && has_events);
  if (has_events && context.perf_switch_ns != 0) CountSetting(context, &perf, is_rearmed);
  const bool counts = is_in_call || is_rearmed || !has_events;
  if (!counts || (!is_rearmed && !IsDue(context, state, interval_ns))) return 0;
  const uint64_t tick_ns = context.kernel_tick_ns != 0 ? context.kernel_tick_ns : interval_ns;
  uint64_t own_ns = tick_ns;
  // A long call has begun half an interval after an event, on average.
  const int64_t call_ns = missed_ns + static_cast<int64_t>(interval_ns / 2);
  if (is_in_call && has_events && call_ns > static_cast<int64_t>(tick_ns)) {
    own_ns = static_cast<uint64_t>(call_ns);
  } else if (is_in_call && has_events && !is_rearmed) {
    if (IsOfSetting(&perf, tick_ns)) return 0;
    own_ns = LimitAdvance(perf, tick_ns);
    if (own_ns == 0) return 0;
  }
  own_ns = ForAllTicks(context, own_ns, interval_ns);
  Balance& payer = is_in_call && has_events ? perf.calls : perf.near;
  payer.owed_ns -= static_cast<int64_t>(own_ns);
  return own_ns;
}

}  // namespace

Tick BeginPerfTick(const TickContext& context, TickState* state, TickSource source,
                   uint64_t interval_ns, bool is_rearmed, const ucontext_t& ucontext) {
  PerfState& perf = state->perf;
  Tick tick;
  uint64_t own_ns = interval_ns;
  if (source != TickSource::kNoValue) {
    own_ns = WeighKernelTick(context, state, interval_ns, is_rearmed, ucontext);
    if (own_ns > interval_ns && !IsThinned(context, interval_ns))
      tick.overruns = static_cast<uint32_t>(own_ns / interval_ns) - 1;
  } else {
    perf.counted_ns += interval_ns;
    perf.silent_ticks = 0;
    if (is_rearmed || perf.counted_ns >= kClockNs)
      Share(&perf, TakeMissed(&perf, ReadCpuClock(state), 0), false);
  }
  tick.begin_cpu_ns = state->last_cpu_ns + perf.counted_ns;
  tick.is_due = own_ns != 0;
  if (is_rearmed) {  // what is left over from before a pause or another interval is this sample's
    perf.near.Plan(own_ns);
    perf.calls.Plan(own_ns);
  } else {
    if (perf.near.paying_ns <= 0) perf.near.Plan(During(kNearIntervals, interval_ns, kNearNs));
    if (perf.calls.paying_ns <= 0) perf.calls.Plan(During(kCallsIntervals, interval_ns, kCallsNs));
  }
  if (!tick.is_due) return tick;
  const auto own = static_cast<int64_t>(own_ns);
  const int64_t weight = own + perf.near.Pay(own) + perf.calls.Pay(own);
  // Less than nothing cannot be: the rest is the next sample's.
  if (weight < 1) perf.near.owed_ns += weight - 1;
  tick.cpu_ns = weight < 1 ? 1 : static_cast<uint64_t>(weight);
  return tick;
}

}  // namespace spprof
