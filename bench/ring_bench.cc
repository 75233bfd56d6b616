// Queue, ring and lane. Targets: SPSC queue >= 100 million operations/s between two
// cores; events through lanes and drain >= 1 million/s with none dropped, the drain >= 500 MB/s.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "drain/lane_drainer.h"
#include "platform/region_map.h"
#include "region/lane.h"
#include "region/records.h"
#include "region/spsc_queue.h"
#include "registry/thread_registry.h"

namespace spprof {
namespace {

constexpr uint32_t kBatch = 1 << 20;

// A push and a pop are two operations, as rigtorp's queue counts them.
template <uint32_t kCapacity>
void QueueBetweenTwoThreads(benchmark::State& state) {
  auto queue = std::make_unique<SpscQueue<kCapacity>>();
  queue->Reset();
  std::atomic<bool> stop{false};
  std::thread consumer([&] {
    uint32_t value = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      while (queue->Pop(&value)) benchmark::DoNotOptimize(value);
    }
  });
  for (auto _ : state) {
    for (uint32_t i = 0; i < kBatch; i++) {
      while (!queue->Push(i)) {
      }
    }
  }
  stop.store(true);
  consumer.join();
  state.counters["operations"] = benchmark::Counter(
      2.0 * kBatch * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(QueueBetweenTwoThreads<4>)->UseRealTime();
BENCHMARK(QueueBetweenTwoThreads<1024>)->UseRealTime();
BENCHMARK(QueueBetweenTwoThreads<65536>)->UseRealTime();

void QueueOnOneThread(benchmark::State& state) {
  auto queue = std::make_unique<SpscQueue<4>>();
  queue->Reset();
  uint32_t value = 0;
  for (auto _ : state) {
    queue->Push(value);
    queue->Pop(&value);
    benchmark::DoNotOptimize(value);
  }
  state.counters["operations"] = benchmark::Counter(2.0 * static_cast<double>(state.iterations()),
                                                    benchmark::Counter::kIsRate);
}
BENCHMARK(QueueOnOneThread);

void RingWriteAndReadOfASample(benchmark::State& state) {
  static uint8_t bytes[16 * 1024];
  RingHeader header;
  header.Reset();
  SampleRecord sample{};
  uint8_t copy[sizeof(bytes)];
  for (auto _ : state) {
    RingWriter writer(&header, bytes, sizeof(bytes));
    if (writer.Free() < sizeof(sample)) {
      RingReader reader(&header, bytes, sizeof(bytes));
      reader.Copy(copy, reader.Readable());
      reader.Release();
    }
    writer.Append(&sample, sizeof(sample));
    writer.Publish();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof(sample)));
}
BENCHMARK(RingWriteAndReadOfASample);

struct Lanes {
  std::unique_ptr<RegionMap> region;
  std::unique_ptr<ThreadRegistry> registry;
  uint32_t slot = 0;
  Lanes() {
    if (!RegionMap::Create("", 64, {}, &region).ok()) std::abort();
    region->header()->accepting_registrations.store(1);
    registry = std::make_unique<ThreadRegistry>(region.get());
    slot = registry->Claim(1, ThreadKind::kNative, "bench", 0);
    registry->Activate(slot);
  }
  Lane* index() { return &region->Slot(slot)->index; }
  bool Write(const SampleRecord& sample) {
    bool swapped = false;
    LaneWriter writer(index(), region->base());
    if (!writer.Reserve(sizeof(sample), &swapped)) return false;
    writer.Write(&sample, sizeof(sample));
    return true;
  }
};

void LaneWriteAndCopyOut(benchmark::State& state) {
  Lanes lanes;
  SampleRecord sample{};
  static uint8_t copy[16 * 1024];
  for (auto _ : state) {
    if (lanes.Write(sample)) continue;
    LaneReader(lanes.index(), lanes.region->base())
        .Drain(UINT64_MAX,
               [](uint64_t, RingReader& ring, uint64_t length) { ring.Copy(copy, length); });
    lanes.Write(sample);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sizeof(sample)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LaneWriteAndCopyOut);

class LogFile {
 public:
  LogFile() {
    if (!log.CreateUnnamed().ok()) std::abort();
  }
  // A long run must not fill the disk.
  void Trim() {
    if (log.bytes_written() - trimmed_ < (64u << 20)) return;
    trimmed_ = log.bytes_written();
    if (ftruncate(log.file()->Get(), sizeof(LogHeader)) != 0) std::abort();
  }
  LogWriter log;

 private:
  uint64_t trimmed_ = 0;
};

// The drain alone, rings full at the start: copy, checksum, write to the log.
void DrainOfFullRings(benchmark::State& state) {
  Lanes lanes;
  LogFile file;
  LaneDrainer drainer(lanes.region.get(), &file.log);
  SampleRecord sample{};
  uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    while (lanes.Write(sample)) {
    }
    file.Trim();
    state.ResumeTiming();
    bytes += drainer.DrainSlot(lanes.slot);
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(DrainOfFullRings);

// One thread writes samples, another drains them into a log; the writer waits for room, so that
// nothing is dropped.
void EventsThroughLaneAndDrain(benchmark::State& state) {
  Lanes lanes;
  LogFile file;
  LaneDrainer drainer(lanes.region.get(), &file.log);
  std::atomic<bool> stop{false};
  std::thread drain([&] {
    while (!stop.load(std::memory_order_acquire)) {
      if (drainer.DrainSlot(lanes.slot) == 0) std::this_thread::yield();
      file.Trim();
    }
    while (drainer.DrainSlot(lanes.slot) != 0) {
    }
  });
  SampleRecord sample{};
  constexpr uint32_t kEvents = 100'000;
  for (auto _ : state) {
    for (uint32_t i = 0; i < kEvents; i++) {
      while (!lanes.Write(sample)) std::this_thread::yield();
    }
  }
  stop.store(true, std::memory_order_release);
  drain.join();
  const uint64_t written = lanes.index()->events_written.load();
  if (drainer.samples() != written) state.SkipWithError("samples were lost");
  state.SetItemsProcessed(static_cast<int64_t>(written));
  state.SetBytesProcessed(static_cast<int64_t>(written * sizeof(sample)));
}
BENCHMARK(EventsThroughLaneAndDrain)->UseRealTime();

}  // namespace
}  // namespace spprof
