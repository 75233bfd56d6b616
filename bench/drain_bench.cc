// Lanes and drain as in a session: eight threads write at a given rate for ten seconds, and as fast
// as the drain goes, into a log in memory and on disk; and what a lane does on more cores. Targets:
// >= 1 million events/s from 8 producers for 10 s with nothing dropped at
// four times the default ring sizes; >= 500 MB/s through the drain to a file.
//
// SPPROF_BENCH_SECONDS: how long (10). SPPROF_BENCH_FOLDER: where the log on disk lies (/tmp).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "drain/drain.h"
#include "region/records.h"
#include "registry/thread_registry.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {
namespace {

double Seconds() {
  const char* given = std::getenv("SPPROF_BENCH_SECONDS");
  return given != nullptr ? std::atof(given) : 10;
}

uint64_t NowNs() { return kernel::MonotonicNs(); }

RegionGeometry Scaled(uint32_t factor) {
  RegionGeometry geometry;
  geometry.index_ring_size *= factor;
  geometry.detail_ring_size *= factor;
  return geometry;
}

// A region, slots, and a drain thread as a session has it; but nobody is sampled: the benchmark's
// threads write the records.
class DrainedRegion {
 public:
  DrainedRegion(uint32_t scale, const std::string& folder, uint32_t producers)
      : log_path_(folder + "/spprof_drain_bench.log") {
    if (!RegionMap::Create("", 64, Scaled(scale), &region_).ok()) std::abort();
    sampler_ = std::make_unique<Sampler>(SamplerOptions{}, region_.get(), V8Layout{}, 0, &waker_);
    unlink(log_path_.c_str());
    if (!log_.Create(log_path_).ok()) std::abort();
    region_->header()->accepting_registrations.store(1);
    registry_ = std::make_unique<ThreadRegistry>(region_.get());
    for (uint32_t i = 0; i < producers; i++) {
      registry_->Activate(
          registry_->Claim(static_cast<pid_t>(1 + i), ThreadKind::kNative, "producer", 0));
    }
    drain_ = std::make_unique<Drain>(sampler_.get(), &log_, &waker_);
    if (!drain_->Start().ok()) std::abort();
  }
  ~DrainedRegion() {
    Stop();
    unlink(log_path_.c_str());
  }
  void Stop() { drain_->Stop(); }
  // As the handler: reserves, writes, wakes the drain when a ring is full. False: no room.
  bool Write(uint32_t slot, const SampleRecord& sample) {
    bool swapped = false;
    LaneWriter writer(&region_->Slot(slot)->index, region_->base());
    if (!writer.Reserve(sizeof(sample), &swapped)) {
      waker_.Wake();
      return false;
    }
    writer.Write(&sample, sizeof(sample));
    if (swapped) waker_.Wake();
    return true;
  }
  uint64_t drained() const { return drain_->Stats().samples_drained; }
  uint64_t lag_ns() const { return drain_->Stats().lag_ns; }
  uint64_t log_bytes() const { return log_.bytes_written(); }
  // Frees the room of what has been written; the log goes on behind it.
  void Trim() {
    if (truncate(log_path_.c_str(), sizeof(LogHeader)) != 0) std::abort();
  }

 private:
  const std::string log_path_;
  Waker waker_;
  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<ThreadRegistry> registry_;
  LogWriter log_;
  std::unique_ptr<Drain> drain_;
};

// Each producer keeps to its rate over the whole time: late by a time slice, it makes up for it at
// once.
void EventsAtARate(benchmark::State& state) {
  const auto per_second = static_cast<double>(state.range(0));
  const auto scale = static_cast<uint32_t>(state.range(1));
  constexpr uint32_t kProducers = 8;
  for (auto _ : state) {
    DrainedRegion region(scale, "/dev/shm", kProducers);
    std::atomic<uint64_t> written{0}, dropped{0}, longest_lag_ns{0};
    const uint64_t begin = NowNs();
    const auto length_ns = static_cast<uint64_t>(Seconds() * 1e9);
    std::vector<std::thread> producers;
    for (uint32_t slot = 0; slot < kProducers; slot++) {
      producers.emplace_back([&, slot] {
        SampleRecord sample{};
        sample.header = {RecordType::kSample, 0, sizeof(sample)};
        uint64_t own = 0, lost = 0;
        for (uint64_t now = begin; now - begin < length_ns; now = NowNs()) {
          const auto due = static_cast<uint64_t>(static_cast<double>(now - begin) * per_second /
                                                 kProducers / 1e9);
          while (own + lost < due) {
            sample.time_ns = now;
            region.Write(slot, sample) ? own++ : lost++;
          }
          const timespec pause = {0, 1'000'000};
          nanosleep(&pause, nullptr);
        }
        written += own;
        dropped += lost;
      });
    }
    uint64_t trimmed = 0;
    while (NowNs() - begin < length_ns) {
      const timespec pause = {0, 10'000'000};
      nanosleep(&pause, nullptr);
      longest_lag_ns = std::max(longest_lag_ns.load(), region.lag_ns());
      if (region.drained() * sizeof(SampleRecord) > trimmed + (1u << 30)) {
        trimmed += 1u << 30;
        region.Trim();
      }
    }
    for (std::thread& producer : producers) producer.join();
    const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
    region.Stop();
    state.SetIterationTime(seconds);
    if (region.drained() != written.load()) state.SkipWithError("written is not drained");
    state.counters["events_per_s (target 1M)"] = static_cast<double>(written.load()) / seconds;
    state.counters["dropped (target 0)"] = static_cast<double>(dropped.load());
    state.counters["longest_lag_ms"] = static_cast<double>(longest_lag_ns.load()) / 1e6;
  }
}
BENCHMARK(EventsAtARate)
    ->ArgNames({"per_second", "ring_scale"})
    ->Args({1'100'000, 4})
    ->Args({1'100'000, 1})
    ->Args({4'000'000, 4})
    ->Iterations(1)
    ->UseManualTime();

// As fast as the drain goes: a producer that finds no room waits for it.
void EventsAsFastAsTheDrain(benchmark::State& state, const std::string& folder) {
  const auto scale = static_cast<uint32_t>(state.range(0));
  const auto count = static_cast<uint32_t>(state.range(1));
  for (auto _ : state) {
    DrainedRegion region(scale, folder, count);
    std::atomic<uint64_t> written{0};
    const uint64_t begin = NowNs();
    // On disk two seconds: it is the page cache that takes them, and then the disk has to.
    const auto length_ns = static_cast<uint64_t>(std::min(Seconds(), 2.0) * 1e9);
    std::vector<std::thread> producers;
    for (uint32_t slot = 0; slot < count; slot++) {
      producers.emplace_back([&, slot] {
        SampleRecord sample{};
        sample.header = {RecordType::kSample, 0, sizeof(sample)};
        uint64_t own = 0;
        while (NowNs() - begin < length_ns) {
          for (int i = 0; i < 256; i++) {
            while (!region.Write(slot, sample)) std::this_thread::yield();
            own++;
          }
        }
        written += own;
      });
    }
    for (std::thread& producer : producers) producer.join();
    region.Stop();
    const double seconds = static_cast<double>(NowNs() - begin) / 1e9;
    state.SetIterationTime(seconds);
    if (region.drained() != written.load()) state.SkipWithError("written is not drained");
    state.counters["events_per_s"] = static_cast<double>(written.load()) / seconds;
    state.counters["MB_per_s (target 500)"] =
        static_cast<double>(region.log_bytes()) / seconds / 1e6;
  }
}
void ToMemory(benchmark::State& state) { EventsAsFastAsTheDrain(state, "/dev/shm"); }
void ToDisk(benchmark::State& state) {
  const char* folder = std::getenv("SPPROF_BENCH_FOLDER");
  EventsAsFastAsTheDrain(state, folder != nullptr ? folder : "/tmp");
}
BENCHMARK(ToMemory)
    ->ArgNames({"ring_scale", "producers"})
    ->Args({1, 1})
    ->Args({4, 1})
    ->Args({4, 8})
    ->Iterations(1)
    ->UseManualTime();
BENCHMARK(ToDisk)
    ->ArgNames({"ring_scale", "producers"})
    ->Args({1, 1})
    ->Args({4, 1})
    ->Args({4, 8})
    ->Iterations(1)
    ->UseManualTime();

// Each thread writes into a lane of its own, and empties it itself: nothing is shared, so that it
// should go as many times faster as there are cores.
void LanesOnManyThreads(benchmark::State& state) {
  static std::unique_ptr<RegionMap> region;
  static std::unique_ptr<ThreadRegistry> registry;
  if (state.thread_index() == 0) {
    if (!RegionMap::Create("", 64, {}, &region).ok()) std::abort();
    region->header()->accepting_registrations.store(1);
    registry = std::make_unique<ThreadRegistry>(region.get());
    for (int i = 0; i < state.threads(); i++)
      registry->Activate(registry->Claim(1 + i, ThreadKind::kNative, "bench", 0));
  }
  std::vector<uint8_t> copy(16 * 1024);
  SampleRecord sample{};
  for (auto _ : state) {
    Lane* lane = &region->Slot(static_cast<uint32_t>(state.thread_index()))->index;
    LaneWriter writer(lane, region->base());
    bool swapped = false;
    if (!writer.Reserve(sizeof(sample), &swapped)) {
      LaneReader(lane, region->base())
          .Drain(UINT64_MAX, [&](uint64_t, RingReader& ring, uint64_t length) {
            ring.Copy(copy.data(), length);
          });
      writer.Reserve(sizeof(sample), &swapped);
    }
    writer.Write(&sample, sizeof(sample));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LanesOnManyThreads)
    ->ThreadRange(1, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())))
    ->UseRealTime();

}  // namespace
}  // namespace spprof
