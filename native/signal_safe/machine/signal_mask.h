// Which signals wait while a handler of ours runs.
//
// All of them, except those that the processor or the kernel raises for what the handler itself
// does: a guarded load faults (SIGSEGV, SIGBUS), a debugger or a sandbox steps in (SIGTRAP,
// SIGSYS), and an instruction that cannot be carried out (SIGILL, SIGFPE); the kernel kills a
// process that raises one of these while it is blocked. So no handler of the program's runs above
// ours and leaves it for good (siglongjmp), and neither does pthread_cancel, whose signal glibc
// keeps to itself (32): sigfillset() leaves it and 33 out, which is why masks are made here by
// bits.
//
// Context: any.
#pragma once

#include <signal.h>
#include <sys/syscall.h>

#include <cstdint>
#include <cstring>

#include "signal_safe/machine/kernel.h"

namespace spprof {

constexpr uint64_t SignalBit(int signal) { return uint64_t{1} << (signal - 1); }

// Raised for what the thread itself does, not sent by others.
inline constexpr uint64_t kFaultSignals = SignalBit(SIGSEGV) | SignalBit(SIGBUS) |
                                          SignalBit(SIGTRAP) | SignalBit(SIGSYS) |
                                          SignalBit(SIGILL) | SignalBit(SIGFPE);
inline constexpr uint64_t kHandlerMask = ~kFaultSignals;

// The kernel's 64 signals, signal n at bit n - 1, as libc's type.
inline sigset_t SignalSet(uint64_t bits) {
  sigset_t set;
  std::memset(&set, 0, sizeof(set));
  std::memcpy(&set, &bits, sizeof(set) < sizeof(bits) ? sizeof(set) : sizeof(bits));
  return set;
}
inline uint64_t SignalBits(const sigset_t& set) {
  uint64_t bits = 0;
  std::memcpy(&bits, &set, sizeof(set) < sizeof(bits) ? sizeof(set) : sizeof(bits));
  return bits;
}

// Of the calling thread; libc's functions would leave out its own signals.
inline void SetSignalMask(uint64_t bits) {
#if defined(__linux__)
  kernel::Call(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<int64_t>(&bits), 0, sizeof(bits));
#else
  const sigset_t set = SignalSet(bits);
  sigprocmask(SIG_SETMASK, &set, nullptr);
#endif
}

}  // namespace spprof
