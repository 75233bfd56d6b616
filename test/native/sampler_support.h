// A sampler with a region and no drain, threads that burn CPU time to measure, and what the kernel
// says is left over.
//
// Context: tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core_support.h"
#include "handler_support.h"
#include "platform/perf_event.h"
#include "platform/threads.h"
#include "sampling/sampler.h"

namespace spprof::test {

inline uint64_t OwnCpuNs() { return ClockNs(CLOCK_THREAD_CPUTIME_ID); }

// Uses `ns` of the calling thread's CPU time.
inline void BurnCpu(uint64_t ns) {
  const uint64_t end = OwnCpuNs() + ns;
  volatile uint64_t sink = 0;
  while (OwnCpuNs() < end) {
    for (int i = 0; i < 2000; i++) sink = sink + static_cast<uint64_t>(i);
  }
}

// A futex that threads sleep on until it is opened.
class Gate {
 public:
  void Open() {
    open_.store(true);
    open_.notify_all();
  }
  void Wait() { open_.wait(false); }

 private:
  std::atomic<bool> open_{false};
};

inline const TimerEngine kEngines[] = {TimerEngine::kTick, TimerEngine::kHires, TimerEngine::kPerf,
                                       TimerEngine::kItimer};

inline std::string EngineName(const testing::TestParamInfo<TimerEngine>& info) {
  static const char* const kNames[] = {"Tick", "Hires", "Perf", "Itimer"};
  return kNames[static_cast<size_t>(info.param)];
}

// Skips what needs perf events where the kernel does not permit them.
#define SKIP_WHERE_FORBIDDEN(engine)                             \
  if ((engine) == TimerEngine::kPerf && !CheckPerfEvents().ok()) \
  GTEST_SKIP() << CheckPerfEvents().message()

// TSan starts a thread of its own along with the program's first one: tests that count have it
// there before they begin.
inline void StartToolsThreads() {
  std::thread([] {}).join();
}

class SamplerHarness {
 public:
  explicit SamplerHarness(TimerEngine engine, uint64_t interval_ns = 1'000'000,
                          const std::string& region_path = {}, uint32_t max_threads = 256)
      : SamplerHarness(Options(engine, interval_ns), region_path, max_threads) {}
  explicit SamplerHarness(const SamplerOptions& options, const std::string& region_path = {},
                          uint32_t max_threads = 256) {
    if (!RegionMap::Create(region_path, max_threads, {}, &region_).ok()) std::abort();
    sampler_ = std::make_unique<Sampler>(options, region_.get(), V8Layout{}, 0, &waker_);
  }

  Sampler& sampler() { return *sampler_; }
  RegionMap* region() { return region_.get(); }
  Waker* waker() { return &waker_; }

  // The slot in use of thread `tid`; kNoSlot: none.
  uint32_t SlotOf(pid_t tid) const {
    for (uint32_t slot = 0; slot < region_->slot_count(); slot++) {
      const ThreadLaneSet* lanes = region_->Slot(slot);
      if (lanes->state.load() == static_cast<uint32_t>(SlotState::kActive) &&
          lanes->tid == static_cast<uint32_t>(tid)) {
        return slot;
      }
    }
    return kNoSlot;
  }
  Counters& CountersOf(uint32_t slot) { return region_->Slot(slot)->counters; }
  // Empties the slot's index lane.
  std::vector<SampleRecord> TakeSamples(uint32_t slot) {
    std::vector<SampleRecord> samples;
    LaneReader(&region_->Slot(slot)->index, region_->base())
        .Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
          const size_t at = samples.size();
          samples.resize(at + length / sizeof(SampleRecord));
          ring.Copy(reinterpret_cast<uint8_t*>(&samples[at]), length);
        });
    return samples;
  }

 private:
  static SamplerOptions Options(TimerEngine engine, uint64_t interval_ns) {
    SamplerOptions options;
    options.engine = engine;
    options.interval_ns = interval_ns;
    return options;
  }

  Waker waker_;
  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<Sampler> sampler_;
};

// What this process holds of the kernel.
struct Holdings {
  size_t timers, fds, mappings;
};

inline Holdings CountHoldings() {
  const auto lines = [](const std::string& path, const std::string& start) {
    size_t count = 0;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) count += line.rfind(start, 0) == 0;
    return count;
  };
  size_t fds = 0;
  for ([[maybe_unused]] const auto& fd : std::filesystem::directory_iterator("/proc/self/fd"))
    fds++;
  return {lines("/proc/self/timers", "ID:"), fds, lines("/proc/self/maps", "")};
}

}  // namespace spprof::test
