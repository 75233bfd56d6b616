#include "signal_safe/handler/in_flight.h"

#include "signal_safe/machine/kernel.h"

namespace spprof {

namespace {

// Of each shard: handlers that have been given up (AbandonHandlers).
constinit Word g_abandoned[kInFlightShards];

}  // namespace

bool IsHandlerQuiet(uint32_t slot) {
  const uint32_t shard = slot % kInFlightShards;
  return g_in_flight[shard].count.load(std::memory_order_seq_cst) ==
         g_abandoned[shard].load(std::memory_order_relaxed);
}

void AbandonHandlers() {
  for (uint32_t shard = 0; shard < kInFlightShards; shard++) {
    g_abandoned[shard].store(g_in_flight[shard].count.load(std::memory_order_seq_cst),
                             std::memory_order_relaxed);
  }
}

bool AreHandlersQuiet() {
  for (uint32_t shard = 0; shard < kInFlightShards; shard++) {
    if (!IsHandlerQuiet(shard)) return false;
  }
  return true;
}

bool WaitForHandlers(uint64_t deadline_ns) {
  // Not sched_yield: with many threads at work, the turn comes back when all have had theirs.
  constexpr struct timespec kPause = {0, 50'000};
  for (uint32_t shard = 0; shard < kInFlightShards; shard++) {
    while (!IsHandlerQuiet(shard)) {
      if (kernel::MonotonicNs() >= deadline_ns) return false;
      kernel::Call(SYS_nanosleep, reinterpret_cast<int64_t>(&kPause));
    }
  }
  return true;
}

void SeeHandlersOf(uint32_t slot) {
  // Every decrement is a release and part of one chain of read-modify-writes.
  static_cast<void>(g_in_flight[slot % kInFlightShards].count.load(std::memory_order_acquire));
}

void ForgetHandlers() {
  for (InFlight& shard : g_in_flight)
    shard.count.store(0, std::memory_order_relaxed);  // one thread
  for (Word& abandoned : g_abandoned) abandoned.store(0, std::memory_order_relaxed);
}

}  // namespace spprof
