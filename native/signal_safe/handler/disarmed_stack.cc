#include "signal_safe/handler/disarmed_stack.h"

#include "signal_safe/handler/stack_room.h"
#include "signal_safe/machine/kernel.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPPROF_READS_ANY_STACK __attribute__((no_sanitize("address", "thread")))
#else
#define SPPROF_READS_ANY_STACK
#endif

namespace spprof {

namespace {

// How much a handler of the program's may have used of such a stack, however large that is, and is
// still found on it. On a stack of another kind (a thread's own, a coroutine's) all of this is
// looked at, in 10 µs.
constexpr uintptr_t kReach = 64 * 1024 * kStackScale;
constexpr uintptr_t kPage = 4096;

// Above `here`, the kernel's frame of the program's handler holds the stack that it has taken away
// (uc_stack): a stack_t with `here` in it. Says how far it has looked if there is none.
SPPROF_READS_ANY_STACK bool FindInFrames(uintptr_t here, DisarmedStack* found, uintptr_t* end) {
  const uintptr_t begin = here & ~uintptr_t{7};
  uintptr_t readable = (begin & ~(kPage - 1)) + kPage;
  for (uintptr_t at = begin; at < begin + kReach; at += sizeof(uint64_t)) {
    if (at + sizeof(stack_t) > readable) {
      if (!kernel::IsReadable(readable)) {
        *end = readable;
        return false;
      }
      readable += kPage;
    }
    const auto* stack = reinterpret_cast<const stack_t*>(at);
    const auto low = reinterpret_cast<uintptr_t>(stack->ss_sp);
    const bool is_on_it = here - low < stack->ss_size;
    if (is_on_it && static_cast<uint32_t>(stack->ss_flags) == kAutoDisarm) {
      found->low = low;
      found->size = stack->ss_size;
      return true;
    }
  }
  *end = begin + kReach;
  return false;
}

void AddPlain(uintptr_t low, uintptr_t high, DisarmedStack* seen) {
  const bool joins = low <= seen->plain_high && high >= seen->plain_low;
  seen->plain_low = joins && seen->plain_low < low ? seen->plain_low : low;
  seen->plain_high = joins && seen->plain_high > high ? seen->plain_high : high;
}

}  // namespace

stack_t KnownSignalStack(const stack_t& told, uintptr_t here, DisarmedStack* seen) {
  if (IsArmed(told)) {
    const bool is_disarmed_in_use = (static_cast<uint32_t>(told.ss_flags) & kAutoDisarm) != 0;
    seen->low = reinterpret_cast<uintptr_t>(told.ss_sp);
    seen->size = is_disarmed_in_use ? told.ss_size : 0;
    return told;
  }
  if (here - seen->low >= seen->size) {
    if (here - seen->plain_low < seen->plain_high - seen->plain_low) return told;
    uintptr_t end = here;
    if (!FindInFrames(here, seen, &end)) {
      AddPlain(here & ~(kPage - 1), end, seen);
      return told;
    }
  }
  return {reinterpret_cast<void*>(seen->low), SS_ONSTACK, seen->size};
}

}  // namespace spprof
