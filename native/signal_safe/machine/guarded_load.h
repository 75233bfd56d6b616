// Loads from addresses that may not be readable: V8's heap, other people's stacks, mapped files
// that may shrink. Each goes through one instruction of guarded_load.S; when it faults, the
// SIGSEGV/SIGBUS handler (platform/fault_handler.h) sets the program counter to
// GuardedResumeAddress() and the load reports failure. Where somebody else's handler would get the
// fault (CheckLoadGuard), the kernel is asked to copy instead, which takes a third of a
// microsecond and faults nowhere.
//
// Context: signal | any thread. Never blocks, never touches errno. SIGSEGV and SIGBUS must not be
// blocked in the calling thread: the kernel kills a process that faults with the signal blocked, so
// a handler that uses these loads must not have either in its sa_mask.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace spprof {

// Sees whether the handlers of SIGSEGV and SIGBUS are those that GuardLoadsBy has told; the loads
// that follow, on any thread, go by what it has found. To be made before loads that the program is
// to survive. A system call, and every 10 ms (`now_ns`: CLOCK_MONOTONIC) another one: for a SIGBUS
// somebody must have cut off a file that is mapped, too, where V8's moving heap makes a SIGSEGV
// every thousand stacks.
void CheckLoadGuard(uint64_t now_ns);
// While it lives, loads on all threads go through the kernel: this one's stack has no room for the
// frame of a fault.
class LoadsWithoutFaults {
 public:
  explicit LoadsWithoutFaults(bool is_needed);
  ~LoadsWithoutFaults();
  LoadsWithoutFaults(const LoadsWithoutFaults&) = delete;
  LoadsWithoutFaults& operator=(const LoadsWithoutFaults&) = delete;

 private:
  const bool is_needed_;
};

// For whoever installs such a handler; 0: it is gone.
void GuardLoadsBy(int signal, uintptr_t handler);

namespace internal {

// Relaxed: a load that is under way on another thread is a matter of luck either way.
// Hidden: the handler goes through no offset table.
// Bit 0: another handler than ours would get a fault. The bits above it count the walks whose stack
// has no room for one.
__attribute__((visibility("hidden"))) extern std::atomic<uint32_t> g_loads_by_kernel;
inline constexpr uint32_t kForeignHandler = 1;
inline constexpr uint32_t kNoRoomForFaults = 2;
size_t CopyByKernel(void* to, uintptr_t from, size_t size);
template <typename T>
bool LoadByKernel(uintptr_t address, T* out) {
  T value;
  if (CopyByKernel(&value, address, sizeof(T)) != sizeof(T)) return false;
  *out = value;
  return true;
}
inline bool LoadsByKernel() {
  return __builtin_expect(g_loads_by_kernel.load(std::memory_order_relaxed), 0) != 0;
}

// Two integer registers (rax:rdx, x0:x1) on both ABIs: no memory is touched to return it.
struct GuardedWord {
  uint64_t value;
  uint64_t is_valid;
};

extern "C" {
// Hidden, so that calls and addresses are pc-relative: no PLT, no lazy binding inside a signal
// handler.
#pragma GCC visibility push(hidden)
GuardedWord spprof_guarded_load64(uintptr_t address) noexcept;
GuardedWord spprof_guarded_load32(uintptr_t address) noexcept;
GuardedWord spprof_guarded_load16(uintptr_t address) noexcept;
size_t spprof_guarded_copy(void* to, uintptr_t from, size_t size) noexcept;
extern const char spprof_guarded_load64_at[];
extern const char spprof_guarded_load32_at[];
extern const char spprof_guarded_load16_at[];
extern const char spprof_guarded_load_failed[];
extern const char spprof_guarded_copy_word_at[];
extern const char spprof_guarded_copy_bytes[];
extern const char spprof_guarded_copy_byte_at[];
extern const char spprof_guarded_copy_done[];
#pragma GCC visibility pop
}

}  // namespace internal

// Reads an aligned or unaligned word at `address`; false, and `*out` untouched, if it cannot be
// read.
inline bool GuardedLoad64(uintptr_t address, uint64_t* out) {
  if (internal::LoadsByKernel()) return internal::LoadByKernel(address, out);
  const internal::GuardedWord word = internal::spprof_guarded_load64(address);
  if (!word.is_valid) return false;
  *out = word.value;
  return true;
}

inline bool GuardedLoad32(uintptr_t address, uint32_t* out) {
  if (internal::LoadsByKernel()) return internal::LoadByKernel(address, out);
  const internal::GuardedWord word = internal::spprof_guarded_load32(address);
  if (!word.is_valid) return false;
  *out = static_cast<uint32_t>(word.value);
  return true;
}

inline bool GuardedLoad16(uintptr_t address, uint16_t* out) {
  if (internal::LoadsByKernel()) return internal::LoadByKernel(address, out);
  const internal::GuardedWord word = internal::spprof_guarded_load16(address);
  if (!word.is_valid) return false;
  *out = static_cast<uint16_t>(word.value);
  return true;
}

// Copies up to `size` bytes; returns how many there were before the first unreadable one. Only the
// source is guarded.
inline size_t GuardedCopy(void* to, uintptr_t from, size_t size) {
  if (internal::LoadsByKernel()) return internal::CopyByKernel(to, from, size);
  return internal::spprof_guarded_copy(to, from, size);
}

// Whether CheckLoadGuard has found somebody else's handler in the place of ours. After the end
// there is none of ours, and loads that are made then go through the kernel, too.
bool IsFaultHandlerReplaced();

// For the fault handler: the address at which to resume if `pc` is a guarded instruction, else 0.
// The assembly keeps nothing in a register that the failing load would have changed, so setting the
// program counter is all that needs doing.
inline uintptr_t GuardedResumeAddress(uintptr_t pc) {
  using namespace internal;
  const auto is_at = [pc](const char* label) { return pc == reinterpret_cast<uintptr_t>(label); };
  if (is_at(spprof_guarded_load64_at) || is_at(spprof_guarded_load32_at) ||
      is_at(spprof_guarded_load16_at)) {
    return reinterpret_cast<uintptr_t>(spprof_guarded_load_failed);
  }
  // A word that straddles the edge of a readable page: go on byte by byte.
  if (is_at(spprof_guarded_copy_word_at))
    return reinterpret_cast<uintptr_t>(spprof_guarded_copy_bytes);
  if (is_at(spprof_guarded_copy_byte_at))
    return reinterpret_cast<uintptr_t>(spprof_guarded_copy_done);
  return 0;
}

}  // namespace spprof
