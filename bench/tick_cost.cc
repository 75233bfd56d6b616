// What a tick costs the thread that it interrupts, seen by the thread itself: a loop that reads the
// clock all the time adds up the gaps in its own running. The same timers with an empty handler,
// and with ours, in short interleaved slices; gaps of scheduling (over 200 us) are left out.
// Overhead = cost of a tick x ticks per second. Not a Google Benchmark, because the figure is a
// difference of gaps, not a time per iteration.
//
//   build/bench/tick_cost [slices]
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "platform/posix_timer.h"
#include "platform/threads.h"
#include "sampling/sampler.h"
#include "signal_safe/kernel.h"

namespace spprof {
namespace {

constexpr uint64_t kSliceNs = 400'000'000;
constexpr uint64_t kWarmUpNs = 100'000'000;  // first touches are a matter of starting
constexpr uint64_t kShortestGapNs = 400;
constexpr uint64_t kLongestGapNs = 200'000;
constexpr int kDepth = 30;

volatile uint64_t g_ticks;

void EmptyHandler(int) { g_ticks = g_ticks + 1; }

struct Slice {
  double gap_ns_per_s = 0;
};

// Spins at the end of a stack of `depth` frames.
[[gnu::noinline]] Slice SpinFor(int depth, uint64_t duration_ns) {
  if (depth > 0) {
    Slice slice = SpinFor(depth - 1, duration_ns);
    asm volatile("");  // a real frame, not a tail call
    return slice;
  }
  uint64_t gaps = 0, left_out = 0;
  const uint64_t begin = MonotonicNow();
  uint64_t last = begin;
  while (last - begin < duration_ns) {
    const uint64_t now = kernel::MonotonicNs();
    const uint64_t gap = now - last;
    if (gap > kLongestGapNs) {
      left_out += gap;
    } else if (gap > kShortestGapNs) {
      gaps += gap;
    }
    last = now;
  }
  return {static_cast<double>(gaps) * 1e9 / static_cast<double>(last - begin - left_out)};
}

Slice Spin(int depth) {
  SpinFor(depth, kWarmUpNs);
  return SpinFor(depth, kSliceNs);
}

Slice WithoutTimer() { return Spin(kDepth); }

Slice WithEmptyHandler(clockid_t clock, uint64_t interval_ns) {
  struct sigaction action {
  }, before{};
  action.sa_handler = EmptyHandler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGPROF, &action, &before);
  int32_t timer;
  if (!CreateThreadTimer(clock, CurrentThreadId(), SIGPROF, 0, &timer).ok()) std::abort();
  kernel::SetTimer(timer, interval_ns, interval_ns, false);
  const Slice slice = Spin(kDepth);
  DeleteTimer(timer);
  sigaction(SIGPROF, &before, nullptr);
  return slice;
}

Slice WithSampler(TimerEngine engine, uint64_t interval_ns) {
  std::unique_ptr<RegionMap> region;
  RegionGeometry geometry;
  geometry.index_ring_size = 1 << 20;  // nobody drains here
  if (!RegionMap::Create("", 64, geometry, &region).ok()) std::abort();
  SamplerOptions options;
  options.engine = engine;
  options.interval_ns = interval_ns;
  const int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  Slice slice;
  {
    Sampler sampler(options, region.get(), V8Layout{}, 0, wake_fd);
    if (!sampler.Start().ok()) std::abort();
    slice = Spin(kDepth);
    sampler.Stop();
  }
  close(wake_fd);
  return slice;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

struct Case {
  const char* name;
  clockid_t clock;
  TimerEngine engine;
  uint64_t interval_ns;
  double target_points;
  std::vector<double> floor, ours;
};

void Run(int slices) {
  std::vector<double> none;
  std::vector<Case> cases = {
      {"tick, 1 ms asked",
       ThreadCpuClock(CurrentThreadId()),
       TimerEngine::kTick,
       1'000'000,
       0.3,
       {},
       {}},
      {"hires, 1 kHz", CLOCK_MONOTONIC, TimerEngine::kHires, 1'000'000, 0.5, {}, {}},
      {"hires, 10 kHz", CLOCK_MONOTONIC, TimerEngine::kHires, 100'000, 3.0, {}, {}},
  };
  for (int i = 0; i < slices; i++) {
    none.push_back(WithoutTimer().gap_ns_per_s);
    for (Case& one : cases) {
      one.floor.push_back(WithEmptyHandler(one.clock, one.interval_ns).gap_ns_per_s);
      one.ours.push_back(WithSampler(one.engine, one.interval_ns).gap_ns_per_s);
    }
  }
  const double base = Median(none);
  std::printf("share of a busy thread's time, medians of %d slices of 400 ms, %d frames deep\n",
              slices, kDepth);
  std::printf("%-18s %14s %10s %22s %8s\n", "", "empty handler", "spprof", "spprof above floor",
              "target");
  for (const Case& one : cases) {
    const double floor = (Median(one.floor) - base) / 1e7, ours = (Median(one.ours) - base) / 1e7;
    const bool is_absolute = one.engine == TimerEngine::kTick;
    std::printf("%-18s %12.3f %% %8.3f %% %15.3f points %6.1f %s\n", one.name, floor, ours,
                ours - floor, one.target_points, is_absolute ? "% in all" : "points");
  }
}

}  // namespace
}  // namespace spprof

int main(int argc, char** argv) {
  spprof::Run(argc > 1 ? std::atoi(argv[1]) : 15);
  return 0;
}
