#include "signal_safe/machine/guarded_load.h"

#include <signal.h>
#include <sys/uio.h>

#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace internal {
constinit std::atomic<uint32_t> g_loads_by_kernel{0};
}  // namespace internal

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS};
constexpr uintptr_t kPage = 4096;

constexpr uint64_t kBusCheckNs = 10'000'000;

constinit std::atomic<uintptr_t> g_guards[2] = {};  // of each signal, its handler
constinit std::atomic<uint64_t> g_bus_checked_ns{0};
constinit std::atomic<bool> g_bus_is_guarded{true};

// As the kernel has it, for both ABIs (asm-generic/signal.h).
struct KernelAction {
  uintptr_t handler;
  uint64_t flags;
  uintptr_t restorer;
  uint64_t mask;
};

bool IsGuard(int index) {
#ifdef __SANITIZE_THREAD__
  return true;  // its runtime's handler is in the kernel, for everybody's
#endif
  KernelAction action{};
  const int64_t result = kernel::Call(SYS_rt_sigaction, kSignals[index], 0,
                                      reinterpret_cast<int64_t>(&action), sizeof(action.mask));
  return result == 0 && action.handler == g_guards[index].load(std::memory_order_relaxed);
}

}  // namespace

void GuardLoadsBy(int signal, uintptr_t handler) {
  g_bus_checked_ns.store(0, std::memory_order_relaxed);
  g_guards[signal == SIGBUS].store(handler, std::memory_order_relaxed);
}

void CheckLoadGuard(uint64_t now_ns) {
  if (now_ns - g_bus_checked_ns.load(std::memory_order_relaxed) >= kBusCheckNs) {
    g_bus_checked_ns.store(now_ns, std::memory_order_relaxed);
    g_bus_is_guarded.store(IsGuard(1), std::memory_order_relaxed);
  }
  const bool is_foreign = !IsGuard(0) || !g_bus_is_guarded.load(std::memory_order_relaxed);
  std::atomic<uint32_t>& loads = internal::g_loads_by_kernel;
  const bool was_foreign = (loads.load(std::memory_order_relaxed) & internal::kForeignHandler) != 0;
  if (is_foreign == was_foreign) return;
  if (is_foreign) {
    loads.fetch_or(internal::kForeignHandler, std::memory_order_relaxed);
  } else {
    loads.fetch_and(~internal::kForeignHandler, std::memory_order_relaxed);
  }
}

bool IsFaultHandlerReplaced() {
  return g_guards[0].load(std::memory_order_relaxed) != 0 &&
         (internal::g_loads_by_kernel.load(std::memory_order_relaxed) &
          internal::kForeignHandler) != 0;
}

LoadsWithoutFaults::LoadsWithoutFaults(bool is_needed) : is_needed_(is_needed) {
  if (is_needed_)
    internal::g_loads_by_kernel.fetch_add(internal::kNoRoomForFaults, std::memory_order_relaxed);
}

LoadsWithoutFaults::~LoadsWithoutFaults() {
  if (is_needed_)
    internal::g_loads_by_kernel.fetch_sub(internal::kNoRoomForFaults, std::memory_order_relaxed);
}

// Page by page: the kernel copies all of a part or need not copy any.
size_t internal::CopyByKernel(void* to, uintptr_t from, size_t size) {
  const int64_t process = kernel::Call(SYS_getpid);
  size_t done = 0;
  while (done < size) {
    const size_t in_page = kPage - (from + done) % kPage;
    const size_t part = size - done < in_page ? size - done : in_page;
    const struct iovec here = {static_cast<uint8_t*>(to) + done, part};
    const struct iovec there = {reinterpret_cast<void*>(from + done), part};
    const int64_t copied =
        kernel::Call(SYS_process_vm_readv, process, reinterpret_cast<int64_t>(&here), 1,
                     reinterpret_cast<int64_t>(&there), 1, 0);
    if (copied != static_cast<int64_t>(part)) break;
    done += part;
  }
  return done;
}

}  // namespace spprof
