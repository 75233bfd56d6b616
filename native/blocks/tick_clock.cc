#include "blocks/tick_clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "platform/small_file.h"
#include "platform/threads.h"

namespace spprof {

namespace {

constexpr uint64_t kLongEnoughNs = 2'000'000;

// The kernel watches its own clock source, and leaves the counter when cores or virtual machines
// disagree about it.
bool IsCounterTrusted() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kInvariantCounter = 1u << 8;
  if (__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) == 0 || (edx & kInvariantCounter) == 0)
    return false;
  constexpr char kSource[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  return ReadFirstLine(kSource) == "tsc";
#elif defined(__aarch64__)
  return true;  // the architecture's generic timer has one rate on all cores
#else
  return false;
#endif
}

struct Reading {
  uint64_t ticks;
  uint64_t ns;
};

// Both clocks at one moment: of some tries, the one that took least.
Reading ReadBoth() {
  Reading best{};
  uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < 8; i++) {
    const uint64_t before = TickClock::Now();
    const uint64_t ns = MonotonicNow();
    const uint64_t took = TickClock::Now() - before;
    if (took >= shortest) continue;
    shortest = took;
    best = {before + took / 2, ns};
  }
  return best;
}

}  // namespace

bool TickClock::is_counter_ = false;
uint64_t TickClock::base_ticks_ = 0;
uint64_t TickClock::base_ns_ = 0;

void TickClock::Prepare() {
  if (base_ns_ != 0) return;
  is_counter_ = IsCounterTrusted();
  const Reading base = ReadBoth();
  base_ticks_ = base.ticks;
  base_ns_ = base.ns;
}

double TickClock::NsPerTick() {
  if (!is_counter_) return 1;
  Reading now = ReadBoth();
  while (now.ns - base_ns_ < kLongEnoughNs) now = ReadBoth();
  return static_cast<double>(now.ns - base_ns_) / static_cast<double>(now.ticks - base_ticks_);
}

}  // namespace spprof
