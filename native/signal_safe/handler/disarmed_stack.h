// Signal stacks that the kernel takes away while a handler of the program's runs on them
// (SS_AUTODISARM, sigaltstack(2)): a signal that comes meanwhile runs on that stack, too, and is
// told of none.
//
// Context: signal.
#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>

namespace spprof {

inline constexpr uint32_t kAutoDisarm = 1u << 31;  // SS_AUTODISARM, which glibc does not name

// What is known of the stacks that a thread is on while it has no signal stack armed.
struct DisarmedStack {
  uintptr_t low;  // of the signal stack that has been disarmed, as it was last seen
  size_t size;    // 0: there is none
  // Where the thread has been on another stack, its own for example: it need not be looked at
  // again.
  uintptr_t plain_low;
  uintptr_t plain_high;
};

// The signal stack that the handler runs on or could be interrupted to: the one that the kernel has
// told of, or the disarmed one that `here`, an address in the handler's frame, is on.
stack_t KnownSignalStack(const stack_t& told, uintptr_t here, DisarmedStack* seen);

}  // namespace spprof
