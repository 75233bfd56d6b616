// How much stack the handler may use. A program's signal stack (sigaltstack) may hold little more
// than the kernel's own frame, and what lies below it is other memory of the program.
//
// Context: signal.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>

namespace spprof {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr size_t kStackScale = 16;  // red zones, and no frame is shared
#elif defined(__OPTIMIZE__)
inline constexpr size_t kStackScale = 1;
#else
inline constexpr size_t kStackScale = 4;
#endif

// What the handler needs with all that it calls (stack_room_test measures it), and what the fault
// handler needs to send a guarded load on its way, apart from the kernel's frame.
inline constexpr size_t kHandlerStackBytes = 4096 * kStackScale;
inline constexpr size_t kFaultStackBytes = 1024 * kStackScale;

enum class StackRoom {
  kEnough,
  kNoFaults,  // enough for the handler, not for a fault in a guarded load: the kernel must copy
  kNone,
};

inline constexpr uint32_t kAutoDisarm = 1u
                                        << 31;  // SS_AUTODISARM of Linux, which glibc does not name

// The thread's signal stack as it was last seen armed, if it is one that the kernel takes away
// while a handler of the program's runs on it (SS_AUTODISARM): a signal that comes meanwhile is
// told of none.
struct DisarmedStack {
  uintptr_t low;
  size_t size;  // 0: there is none
};

inline bool IsArmed(const stack_t& stack) {
  return stack.ss_size != 0 && (stack.ss_flags & SS_DISABLE) == 0;
}

// The signal stack that the handler runs on or could be interrupted to: the one that the kernel has
// told of, or the disarmed one that `here` is on.
inline stack_t KnownSignalStack(const stack_t& told, uintptr_t here, DisarmedStack* seen) {
  if (IsArmed(told)) {
    const bool is_disarmed_in_use = (static_cast<uint32_t>(told.ss_flags) & kAutoDisarm) != 0;
    *seen = {reinterpret_cast<uintptr_t>(told.ss_sp), is_disarmed_in_use ? told.ss_size : 0};
  } else if (here - seen->low < seen->size) {
    return {reinterpret_cast<void*>(seen->low), SS_ONSTACK, seen->size};
  }
  return told;
}

// `here`: an address in the handler's frame; `frame_bytes`: what the kernel takes to deliver a
// signal (AT_MINSIGSTKSZ).
inline StackRoom FindStackRoom(const stack_t& signal_stack, uintptr_t here, size_t frame_bytes) {
  // A fault is delivered on the signal stack, too: below this handler, or from its top.
  const size_t fault_bytes = frame_bytes + kFaultStackBytes;
  if (!IsArmed(signal_stack)) return StackRoom::kEnough;
  const uintptr_t room = here - reinterpret_cast<uintptr_t>(signal_stack.ss_sp);
  const bool is_on_it = room < signal_stack.ss_size;
  if (!is_on_it)
    return signal_stack.ss_size >= fault_bytes ? StackRoom::kEnough : StackRoom::kNoFaults;
  if (room < kHandlerStackBytes) return StackRoom::kNone;
  return room >= kHandlerStackBytes + fault_bytes ? StackRoom::kEnough : StackRoom::kNoFaults;
}

}  // namespace spprof
