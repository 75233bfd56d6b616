// One walk of a native stack of 30 to 40 frames, warm: by the handler (TakeSample: clocks, walk,
// records), and by the walker alone. Targets (TARGETS.md): p50 <= 1 us, p99 <= 10 us; first sight
// of a frame <= 5 us.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "../test/native/handler_support.h"
#include "signal_safe/definitions.h"
#include "signal_safe/kernel.h"
#include "signal_safe/walker.h"

namespace spprof {
namespace {

// Each a function of its own, so that no two frames share a program counter (and with it a rule).
constexpr int kDepth = 24;

template <int kLeft>
__attribute__((noinline)) int Descend(void (*leaf)(void*), void* data) {
  if constexpr (kLeft == 0) {
    leaf(data);
    return 1;
  } else {
    volatile int below = Descend<kLeft - 1>(leaf, data);
    return below + kLeft;
  }
}

// Times each call on its own, for the percentiles; clock_ns is what the measuring adds to each.
template <typename Call>
void Percentiles(benchmark::State& state, const Call& call) {
  std::vector<uint32_t> times;
  times.reserve(1 << 20);
  const auto now = [] { return kernel::MonotonicNs(); };
  std::vector<uint64_t> clock;
  for (int i = 0; i < 1000; i++) {
    const uint64_t begin = now();
    clock.push_back(now() - begin);
  }
  std::nth_element(clock.begin(), clock.begin() + 500, clock.end());
  for (auto _ : state) {
    const uint64_t begin = now();
    call();
    const uint64_t took = now() - begin;
    if (times.size() < times.capacity()) times.push_back(static_cast<uint32_t>(took));
  }
  std::sort(times.begin(), times.end());
  state.counters["p50_ns"] = times[times.size() / 2];
  state.counters["p99_ns"] = times[times.size() * 99 / 100];
  state.counters["clock_ns"] = static_cast<double>(clock[500]);
}

struct Setup {
  test::HandlerHarness harness;
  uint32_t slot = harness.AddThread();
  benchmark::State* state = nullptr;
  std::map<uint32_t, std::vector<Frame>> first_stacks;
};

void EmptyLanes(Setup* setup) {
  for (Lane* lane :
       {&setup->harness.Slot(setup->slot)->index, &setup->harness.Slot(setup->slot)->detail}) {
    static uint8_t bytes[1 << 16];
    LaneReader(lane, setup->harness.region()->base())
        .Drain(UINT64_MAX,
               [](uint64_t, RingReader& ring, uint64_t length) { ring.Copy(bytes, length); });
  }
}

void TakeSampleWarm(benchmark::State& state) {
  Setup setup;
  setup.state = &state;
  Descend<kDepth>(
      [](void* data) {
        auto* setup = static_cast<Setup*>(data);
        ucontext_t here;
        getcontext(&here);
        sigemptyset(&here.uc_sigmask);
        TakeSample(&setup->harness.context(), setup->slot, false, 0, here);
        setup->first_stacks = setup->harness.TakeStacks(setup->slot);
        uint32_t turns = 0;
        Percentiles(*setup->state, [&] {
          TakeSample(&setup->harness.context(), setup->slot, false, 0, here);
          if ((++turns & 255) == 0) EmptyLanes(setup);
        });
      },
      &setup);
  const Counters& counters = setup.harness.Slot(setup.slot)->counters;
  for (const auto& [id, frames] : setup.first_stacks) {
    state.counters["frames"] = static_cast<double>(frames.size());
  }
  if (counters.written.load() != counters.signals.load())
    state.SkipWithError("samples were dropped");
}
BENCHMARK(TakeSampleWarm)->MinWarmUpTime(0.1);

struct WalkerParts {
  Setup setup;
  KnownMaps maps;
  V8Reader reader{setup.harness.context().v8, &maps};
  ThreadState* state = setup.harness.State(setup.slot);
  Definitions definitions{setup.harness.Slot(setup.slot), setup.harness.region()->base(), state,
                          reader};
  uint32_t Walk(const Registers& registers) {
    HandlerContext& context = setup.harness.context();
    Walker walker(*context.modules.load(), context.v8, reader, state, &definitions, context.walk);
    return walker.Walk(registers).frame_count;
  }
};

void WalkerAloneWarm(benchmark::State& state) {
  WalkerParts parts;
  parts.setup.state = &state;
  Descend<kDepth>(
      [](void* data) {
        auto* parts = static_cast<WalkerParts*>(data);
        ucontext_t here;
        getcontext(&here);
        const Registers registers = Registers::FromContext(here);
        Percentiles(*parts->setup.state, [&] { benchmark::DoNotOptimize(parts->Walk(registers)); });
        const uint32_t frames = parts->Walk(registers);
        parts->setup.state->counters["frames"] = frames;
      },
      &parts);
}
BENCHMARK(WalkerAloneWarm)->MinWarmUpTime(0.1);

// Every rule is decoded anew: what the first sample of a stack costs, by frame.
void WalkerAloneCold(benchmark::State& state) {
  WalkerParts parts;
  parts.setup.state = &state;
  Descend<kDepth>(
      [](void* data) {
        auto* parts = static_cast<WalkerParts*>(data);
        ucontext_t here;
        getcontext(&here);
        const Registers registers = Registers::FromContext(here);
        uint32_t frames = 0;
        uint64_t total_ns = 0, count = 0;
        for (auto _ : *parts->setup.state) {
          for (RuleCacheEntry& entry : parts->state->rules) entry = RuleCacheEntry{};
          const uint64_t begin = kernel::MonotonicNs();
          frames = parts->Walk(registers);
          const uint64_t took = kernel::MonotonicNs() - begin;
          parts->setup.state->SetIterationTime(static_cast<double>(took) / 1e9);
          total_ns += took;
          count++;
        }
        parts->setup.state->counters["frames"] = frames;
        parts->setup.state->counters["ns_a_frame"] =
            static_cast<double>(total_ns) / static_cast<double>(count * frames);
      },
      &parts);
}
BENCHMARK(WalkerAloneCold)->UseManualTime();

}  // namespace
}  // namespace spprof
