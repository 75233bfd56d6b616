#include "signal_safe/machine/lost_mapping.h"

#include <sys/mman.h>

#include <atomic>

#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

// One of the recording, and those of earlier ones whose last handlers are still at work.
constexpr size_t kMaxMappings = 16;
constinit std::atomic<LossyMapping*> g_mappings[kMaxMappings] = {};

bool Replace(uint64_t begin, uint64_t end) {
  const int64_t mapped = kernel::Call(
      SYS_mmap, static_cast<int64_t>(begin), static_cast<int64_t>(end - begin),
      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  return mapped == static_cast<int64_t>(begin);
}

void EndRecording(const LossyMapping& mapping) {
  auto* requested = reinterpret_cast<Word*>(mapping.shutdown_requested.load());
  auto* waker = reinterpret_cast<Waker*>(mapping.waker.load());
  if (requested != nullptr) RequestShutdown(requested, ShutdownReason::kLost);
  if (waker != nullptr) waker->Wake();
}

}  // namespace

bool ListMapping(LossyMapping* mapping) {
  for (auto& place : g_mappings) {
    LossyMapping* none = nullptr;
    if (place.compare_exchange_strong(none, mapping, std::memory_order_release)) return true;
  }
  return false;
}

void UnlistMapping(LossyMapping* mapping) {
  for (auto& place : g_mappings) {
    LossyMapping* expected = mapping;
    place.compare_exchange_strong(expected, nullptr, std::memory_order_release);
  }
}

bool ReplaceLostPage(uintptr_t address) {
  for (auto& place : g_mappings) {
    LossyMapping* mapping = place.load(std::memory_order_acquire);
    if (mapping == nullptr) continue;
    const uint64_t end = mapping->end.load(std::memory_order_acquire);
    const uint64_t base = mapping->base.load(std::memory_order_acquire);
    if (address < base || address >= end) continue;
    // The first who meets it replaces everything; who meets it meanwhile, or in what has been
    // mapped since, the page.
    if (mapping->is_lost.exchange(1, std::memory_order_seq_cst) != 0) {
      const uint64_t page = address & ~uint64_t{kRegionPage - 1};
      return Replace(page, page + kRegionPage);
    }
    if (!Replace(base, end)) return false;
    EndRecording(*mapping);
    return true;
  }
  return false;
}

}  // namespace spprof
