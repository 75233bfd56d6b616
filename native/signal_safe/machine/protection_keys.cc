#include "signal_safe/machine/protection_keys.h"

#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace spprof {

namespace {

constinit std::atomic<bool> g_has_keys{false};

#if defined(__x86_64__)
uint32_t ReadPkru() {
  uint32_t pkru;
  uint32_t high;
  __asm__ volatile("rdpkru" : "=a"(pkru), "=d"(high) : "c"(0));
  return pkru;
}

void WritePkru(uint32_t pkru) {
  __asm__ volatile("wrpkru" : : "a"(pkru), "c"(0), "d"(0) : "memory");
}
#else
uint32_t ReadPkru() { return 0; }
void WritePkru(uint32_t) {}
#endif

}  // namespace

void FindProtectionKeys() {
#if defined(__x86_64__)
  // OSPKE: the kernel has turned protection keys on (Intel SDM, CPUID leaf 7).
  constexpr uint32_t kOspke = 1u << 4;
  uint32_t eax;
  uint32_t ebx;
  uint32_t ecx = 0;
  uint32_t edx;
  const bool is_known = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0;
  g_has_keys.store(is_known && (ecx & kOspke) != 0, std::memory_order_relaxed);
#endif
}

bool HasProtectionKeys() { return g_has_keys.load(std::memory_order_relaxed); }

ReadableKeys::ReadableKeys() {
  if (!HasProtectionKeys()) return;
  saved_ = ReadPkru();
  const uint32_t readable = ReadablePkru(saved_);
  if (readable == saved_) return;
  WritePkru(readable);
  is_open_ = true;
}

ReadableKeys::~ReadableKeys() {
  if (is_open_) WritePkru(saved_);
}

}  // namespace spprof
