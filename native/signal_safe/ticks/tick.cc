#include "signal_safe/ticks/tick.h"

#include <cerrno>

#include "signal_safe/machine/guarded_load.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/ticks/random.h"

namespace spprof {

namespace {

// A tick that takes so long may have been preempted, and is measured by the CPU clock, too. Few
// take so long by themselves, which that would make longer.
constexpr uint64_t kPreemptedNs = 200'000;

#if defined(__x86_64__)
constexpr uint16_t kSyscall = 0x050f;  // the instruction
#endif

}  // namespace

uint64_t CountedCpuNs(const TickState& state) {
  return kernel::ThreadCpuNs() - state.paused_cpu_ns.load(std::memory_order_relaxed);
}

uint64_t CostNs(const TickState& state, const Tick& tick) {
  const uint64_t passed = kernel::MonotonicNs() - tick.begin_ns;
  if (passed < kPreemptedNs) return passed;
  // It may have begun with less, and a pause may have ended meanwhile.
  const uint64_t cpu = CountedCpuNs(state);
  const uint64_t used = cpu > tick.begin_cpu_ns ? cpu - tick.begin_cpu_ns : kPreemptedNs;
  return used < passed ? used : passed;
}

bool IsThinned(const TickContext& context, uint64_t interval_ns) {
  return context.kernel_tick_ns != 0 && interval_ns > context.kernel_tick_ns;
}

bool IsDue(const TickContext& context, TickState* state, uint64_t interval_ns) {
  return !IsThinned(context, interval_ns) ||
         NextRandom(&state->random) % interval_ns < context.kernel_tick_ns;
}

uint64_t ForAllTicks(const TickContext& context, uint64_t ns, uint64_t interval_ns) {
  if (!IsThinned(context, interval_ns)) return ns;
  return static_cast<uint64_t>(static_cast<double>(ns) * static_cast<double>(interval_ns) /
                               static_cast<double>(context.kernel_tick_ns));
}

bool EndsSystemCall(const ucontext_t& ucontext) {
#if defined(__x86_64__)
  const auto pc = static_cast<uintptr_t>(ucontext.uc_mcontext.gregs[REG_RIP]);
  uint16_t before, at;
  return (GuardedLoad16(pc - 2, &before) && before == kSyscall) ||
         (GuardedLoad16(pc, &at) && at == kSyscall);
#else
  static_cast<void>(ucontext);
  return false;
#endif
}

bool WasBlocked(const ucontext_t& ucontext) {
#if defined(__x86_64__)
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

}  // namespace spprof
