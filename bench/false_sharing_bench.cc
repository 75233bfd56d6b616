// What the 128 bytes between words of different threads are for: two threads write as fast as they
// can, each its own words, which lie in lanes of neighbouring slots; or 128, 64 or 8 bytes from
// each other. And the queue, whose two indices would lie on one line if they were not kept apart.
#include <benchmark/benchmark.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "platform/region_map.h"
#include "region/lane.h"
#include "region/records.h"
#include "region/spsc_queue.h"
#include "registry/thread_registry.h"

namespace spprof {
namespace {

// So that the two run at once, as far as others let them.
void PinToCore(int index) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(index) % std::max(1u, std::thread::hardware_concurrency()), &cores);
  sched_setaffinity(0, sizeof(cores), &cores);
}

// The threads' counters, `range` bytes apart. Items: additions of both.
void CountersApart(benchmark::State& state) {
  PinToCore(state.thread_index());
  alignas(4096) static uint8_t page[4096];
  auto* counter = reinterpret_cast<Sequence*>(page + state.thread_index() * state.range(0));
  for (auto _ : state) AddOwned(*counter, 1);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(CountersApart)
    ->ArgName("bytes")
    ->Arg(8)
    ->Arg(64)
    ->Arg(128)
    ->Arg(4096 / 2)
    ->Threads(2)
    ->UseRealTime();
BENCHMARK(CountersApart)->ArgName("bytes")->Arg(128)->Threads(1)->UseRealTime();

// What a sample changes in its slot: two counters and a record in the index lane; the thread
// empties its lane itself.
void LanesOfNeighbouringSlots(benchmark::State& state) {
  static std::unique_ptr<RegionMap> region;
  if (state.thread_index() == 0) {
    if (!RegionMap::Create("", 64, {}, &region).ok()) std::abort();
    region->header()->accepting_registrations.store(1);
    ThreadRegistry registry(region.get());
    for (pid_t tid = 1; tid <= 2; tid++)
      registry.Activate(registry.Claim(tid, ThreadKind::kNative, "bench", 0));
  }
  PinToCore(state.thread_index());
  SampleRecord sample{};
  uint8_t copy[16 * 1024];
  for (auto _ : state) {
    ThreadLaneSet* lanes = region->Slot(static_cast<uint32_t>(state.thread_index()));
    AddOwned(lanes->counters.signals, 1);
    LaneWriter writer(&lanes->index, region->base());
    bool swapped = false;
    if (!writer.Reserve(sizeof(sample), &swapped)) {
      LaneReader(&lanes->index, region->base())
          .Drain(UINT64_MAX,
                 [&](uint64_t, RingReader& ring, uint64_t length) { ring.Copy(copy, length); });
      writer.Reserve(sizeof(sample), &swapped);
    }
    writer.Write(&sample, sizeof(sample));
    AddOwned(lanes->counters.written, 1);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LanesOfNeighbouringSlots)->Threads(1)->UseRealTime();
BENCHMARK(LanesOfNeighbouringSlots)->Threads(2)->UseRealTime();

// The words that a sample changes (two counters, the ring's head and, by the reader, its tail),
// with nothing else: both threads' on one line, or each thread's on lines of its own.
struct RingWords {
  Sequence signals, head, tail, written;
};
void RingWordsApart(benchmark::State& state) {
  PinToCore(state.thread_index());
  alignas(4096) static uint8_t page[4096];
  auto& words = *reinterpret_cast<RingWords*>(page + state.thread_index() * state.range(0));
  for (auto _ : state) {
    AddOwned(words.signals, 1);
    const uint64_t head = words.head.load(std::memory_order_relaxed);
    if (head - words.tail.load(std::memory_order_acquire) >= 16 * 1024) {
      words.tail.store(head, std::memory_order_release);
    }
    words.head.store(head + sizeof(SampleRecord), std::memory_order_release);
    AddOwned(words.written, 1);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RingWordsApart)->ArgName("bytes")->Arg(128)->Threads(1)->UseRealTime();
BENCHMARK(RingWordsApart)
    ->ArgName("bytes")
    ->Arg(sizeof(RingWords))
    ->Arg(64)
    ->Arg(128)
    ->Threads(2)
    ->UseRealTime();

// SpscQueue, and the same with both indices on one line.
struct PackedQueue {
  static constexpr uint32_t kCapacity = 1024;
  Sequence head, tail;
  Word entries[kCapacity];
  void Reset() { head = tail = 0; }
  bool Push(uint32_t value) {
    const uint64_t at = head.load(std::memory_order_relaxed);
    if (at - tail.load(std::memory_order_acquire) >= kCapacity) return false;
    entries[at & (kCapacity - 1)].store(value, std::memory_order_relaxed);
    head.store(at + 1, std::memory_order_release);
    return true;
  }
  bool Pop(uint32_t* value) {
    const uint64_t at = tail.load(std::memory_order_relaxed);
    if (at == head.load(std::memory_order_acquire)) return false;
    *value = entries[at & (kCapacity - 1)].load(std::memory_order_relaxed);
    tail.store(at + 1, std::memory_order_release);
    return true;
  }
};

template <typename Queue>
void QueueOf(benchmark::State& state) {
  auto queue = std::make_unique<Queue>();
  queue->Reset();
  std::atomic<bool> stop{false};
  PinToCore(0);
  std::thread consumer([&] {
    PinToCore(1);
    uint32_t value = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      while (queue->Pop(&value)) benchmark::DoNotOptimize(value);
    }
  });
  constexpr uint32_t kBatch = 1 << 18;
  for (auto _ : state) {
    for (uint32_t i = 0; i < kBatch; i++) {
      while (!queue->Push(i)) {
      }
    }
  }
  stop.store(true);
  consumer.join();
  state.SetItemsProcessed(state.iterations() * 2 * kBatch);
}
BENCHMARK(QueueOf<SpscQueue<1024>>)->UseRealTime();
BENCHMARK(QueueOf<PackedQueue>)->UseRealTime();

}  // namespace
}  // namespace spprof
