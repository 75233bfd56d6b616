// What a tick costs the thread that it interrupts, seen by the thread itself: a loop that reads the
// clock all the time adds up the gaps in its own running; gaps of scheduling (over 200 us) are left
// out. The same timers with an empty handler and with ours take turns of 40 ms, and each pair of
// neighbours makes one difference: the machine's own changes take longer than that. A turn's gaps
// are divided by its ticks, as those of hires are random in number.
// Overhead = cost of a tick x ticks per second. Not a Google Benchmark, because the figure is a
// difference of gaps, not a time per iteration.
//
//   build/bench/tick_cost [rounds]
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "platform/kernel_tick_clock.h"
#include "platform/posix_timer.h"
#include "platform/threads.h"
#include "sampling/sampler.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {
namespace {

constexpr uint64_t kTurnNs = 40'000'000;
// First touches are a matter of starting; and hires knows only then that the thread does not sleep.
constexpr uint64_t kWarmUpNs = 40'000'000;
constexpr uint64_t kShortestGapNs = 400;
constexpr uint64_t kLongestGapNs = 200'000;
constexpr int kDepth = 30;
constexpr int kEmptySignal = SIGUSR1;

volatile uint64_t g_empty_ticks;

void EmptyHandler(int) { g_empty_ticks = g_empty_ticks + 1; }

struct Gaps {
  double ns = 0;
  double of_ns = 0;
};

// Spins at the end of a stack of `depth` frames.
[[gnu::noinline]] Gaps SpinFor(int depth, uint64_t duration_ns) {
  if (depth > 0) {
    const Gaps gaps = SpinFor(depth - 1, duration_ns);
    asm volatile("");  // a real frame, not a tail call
    return gaps;
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
  return {static_cast<double>(gaps), static_cast<double>(last - begin - left_out)};
}

// A way of ticking, off between its turns.
class Ticking {
 public:
  virtual ~Ticking() = default;
  // Of one turn, in ns a tick; `idle` is what the same time has in gaps without it (a share).
  double CostOfTick(double idle) {
    SetOn(true);
    SpinFor(kDepth, kWarmUpNs);
    Gaps gaps;
    uint64_t ticks = 0;
    while (ticks == 0) {  // once, unless this thread has no CPU
      const uint64_t before = Ticks();
      gaps = SpinFor(kDepth, kTurnNs);
      ticks = Ticks() - before;
    }
    SetOn(false);
    return (gaps.ns - idle * gaps.of_ns) / static_cast<double>(ticks);
  }

 private:
  virtual void SetOn(bool is_on) = 0;
  virtual uint64_t Ticks() const = 0;
};

class EmptyTicking : public Ticking {
 public:
  EmptyTicking(clockid_t clock, uint64_t interval_ns) : interval_ns_(interval_ns) {
    struct sigaction action {};
    action.sa_handler = EmptyHandler;
    action.sa_flags = SA_RESTART;
    sigaction(kEmptySignal, &action, nullptr);
    if (!CreateThreadTimer(clock, CurrentThreadId(), kEmptySignal, 0, &timer_).ok()) std::abort();
  }
  ~EmptyTicking() override { DeleteTimer(timer_); }

 private:
  void SetOn(bool is_on) override {
    kernel::SetTimer(timer_, is_on ? interval_ns_ : 0, is_on ? interval_ns_ : 0, false);
  }
  uint64_t Ticks() const override { return g_empty_ticks; }

  const uint64_t interval_ns_;
  int32_t timer_;
};

class SamplerTicking : public Ticking {
 public:
  SamplerTicking(TimerEngine engine, uint64_t interval_ns) {
    RegionGeometry geometry;
    geometry.index_ring_size = 1 << 23;  // nobody drains here
    if (!RegionMap::Create("", 64, geometry, &region_).ok()) std::abort();
    SamplerOptions options;
    options.engine = engine;
    options.interval_ns = interval_ns;
    sampler_ = std::make_unique<Sampler>(options, region_.get(), V8Layout{}, 0, &waker_);
    if (!sampler_->Start().ok()) std::abort();
    SetOn(false);
  }
  ~SamplerTicking() override {
    sampler_->Stop();
    sampler_.reset();
  }

 private:
  void SetOn(bool is_on) override {
    if (!(is_on ? sampler_->Resume() : sampler_->Pause())) std::abort();
  }
  uint64_t Ticks() const override {
    return region_->Slot(0)->counters.signals.load(std::memory_order_relaxed);
  }

  Waker waker_;
  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<Sampler> sampler_;
};

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

struct Case {
  const char* name;
  clockid_t clock;
  TimerEngine engine;
  uint64_t interval_ns;
  double ticks_per_s;
  double target_points;
};

void Run(const Case& one, int rounds) {
  EmptyTicking empty(one.clock, one.interval_ns);
  SamplerTicking ours(one.engine, one.interval_ns);
  std::vector<double> floor, full, above;
  for (int i = 0; i < rounds; i++) {
    const Gaps idle_gaps = SpinFor(kDepth, kTurnNs);
    const double idle = idle_gaps.ns / idle_gaps.of_ns;
    // Each goes first as often.
    const double first = (i % 2 == 0 ? static_cast<Ticking&>(empty) : ours).CostOfTick(idle);
    const double second = (i % 2 == 0 ? static_cast<Ticking&>(ours) : empty).CostOfTick(idle);
    floor.push_back(i % 2 == 0 ? first : second);
    full.push_back(i % 2 == 0 ? second : first);
    above.push_back(full.back() - floor.back());
  }
  const double points = one.ticks_per_s / 1e7;  // of a nanosecond a tick
  const bool is_absolute = one.engine == TimerEngine::kTick;
  std::printf("%-18s %12.3f %% %8.3f %% %15.3f points %6.1f %s\n", one.name, Median(floor) * points,
              Median(full) * points, Median(above) * points, one.target_points,
              is_absolute ? "% in all" : "points");
}

}  // namespace
}  // namespace spprof

int main(int argc, char** argv) {
  using namespace spprof;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 60;
  std::printf("share of a busy thread's time, medians of %d pairs of 40 ms, %d frames deep\n",
              rounds, kDepth);
  std::printf("%-18s %14s %10s %22s %8s\n", "", "empty handler", "spprof", "spprof above floor",
              "target");
  const double kernel_ticks = 1e9 / static_cast<double>(KernelTickNs());
  const clockid_t cpu_clock = ThreadCpuClock(CurrentThreadId());
  Run({"tick, 1 ms asked", cpu_clock, TimerEngine::kTick, 1'000'000, kernel_ticks, 0.3}, rounds);
  Run({"hires, 1 kHz", CLOCK_MONOTONIC, TimerEngine::kHires, 1'000'000, 1'000, 0.5}, rounds);
  Run({"hires, 10 kHz", CLOCK_MONOTONIC, TimerEngine::kHires, 100'000, 10'000, 3.0}, rounds);
  return 0;
}
