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

inline bool IsArmed(const stack_t& stack) {
  return stack.ss_size != 0 && (stack.ss_flags & SS_DISABLE) == 0;
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
