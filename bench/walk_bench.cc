// One walk of a native stack of 30 to 40 frames, warm: by the handler (TakeSample: clocks, walk,
// records), and by the walker alone. Targets: p50 <= 1 us, p99 <= 10 us; first sight
// of a frame <= 5 us.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "../test/native/handler_support.h"
#include "../test/native/v8_heap_support.h"
#include "signal_safe/machine/kernel.h"
#include "signal_safe/walk/definitions.h"
#include "signal_safe/walk/walker.h"

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
        ucontext_t here{};
        getcontext(&here);
        sigemptyset(&here.uc_sigmask);
        TakeSample(&setup->harness.context(), setup->slot, TickSource::kCpuTimer, 0, here);
        setup->first_stacks = setup->harness.TakeStacks(setup->slot);
        uint32_t turns = 0;
        Percentiles(*setup->state, [&] {
          TakeSample(&setup->harness.context(), setup->slot, TickSource::kCpuTimer, 0, here);
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
  Definitions definitions{setup.harness.Slot(setup.slot), setup.harness.region()->base(),
                          &state->walk, reader};
  uint32_t Walk(const Registers& registers) {
    HandlerContext& context = setup.harness.context();
    Walker walker(*context.modules.load(), context.v8, reader, &state->walk, &definitions,
                  context.walk);
    return walker.Walk(registers).frame_count;
  }
};

void WalkerAloneWarm(benchmark::State& state) {
  WalkerParts parts;
  parts.setup.state = &state;
  Descend<kDepth>(
      [](void* data) {
        auto* parts = static_cast<WalkerParts*>(data);
        ucontext_t here{};
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
        ucontext_t here{};
        getcontext(&here);
        const Registers registers = Registers::FromContext(here);
        uint32_t frames = 0;
        uint64_t total_ns = 0, count = 0;
        for (auto _ : *parts->setup.state) {
          for (RuleCacheEntry& entry : parts->state->walk.rules) entry = RuleCacheEntry{};
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

// Frames of JavaScript on a stack and a heap of our own: each second one optimized with one
// function inlined, the others interpreted. `table_entries`: length of each position table, where
// the place is its last entry.
class JavaScriptStack {
 public:
  static constexpr int kFrames = 24;  // and 12 inlined

  explicit JavaScriptStack(int table_entries) : heap_(test::LayoutOfNode22()) {
    table_ = {&builtins_, 1};
    const uint64_t script = heap_.Script(5, 0, 0);
    const uint64_t context = heap_.FixedArray({});
    std::vector<uint8_t> positions;
    for (int i = 0; i < table_entries; i++) {
      const bool is_last = i == table_entries - 1;
      const uint64_t word = is_last ? test::Position(90, 1) - 8 * (table_entries - 1) : 8;
      positions.push_back(0);
      for (uint64_t rest = word << 1;; rest >>= 7) {
        positions.push_back(static_cast<uint8_t>(rest >= 0x80 ? rest | 0x80 : rest));
        if (rest < 0x80) break;
      }
    }
    positions[0] = 2;  // from offset 0 on
    uint64_t return_address = 0;
    for (int i = kFrames; i > 0; i--) {
      const size_t at = static_cast<size_t>(i) * 10;
      const uint64_t inlined = heap_.Shared(heap_.OneByte("f"), script, 2 * i);
      const uint64_t shared = heap_.Shared(heap_.OneByte("g"), script, 2 * i + 1);
      stack_[at] = i == kFrames ? 0 : reinterpret_cast<uint64_t>(&stack_[at + 10]);
      stack_[at + 1] = return_address;
      stack_[at - 1] = context;
      stack_[at - 2] = heap_.Function(shared);
      if (i % 2 == 0) {
        return_address = 20 + heap_.Code(heap_.v8.kind_turbofan, 100, shared,
                                         {{inlined}, {{test::Position(50, 0), 0}}, positions});
      } else {
        stack_[at - 4] = heap_.BytecodeArray(std::vector<uint8_t>(20), positions);
        stack_[at - 5] = test::V8Heap::Smi(63 + 12);
        return_address = builtin_begin_ + 16;
      }
    }
    registers_.pc = return_address;
    registers_.fp = reinterpret_cast<uint64_t>(&stack_[10]);
    registers_.sp = reinterpret_cast<uint64_t>(&stack_[1]);
    State()->walk.gc_epoch = State()->walk.code_epoch = 1;
  }

  ThreadState* State() { return harness_.State(slot_); }
  uint32_t Walk() {
    Walker walker(table_, heap_.v8, reader_, &State()->walk, &definitions_, options_);
    return walker.Walk(registers_).frame_count;
  }

 private:
  // Readable, as builtins are: the leaf's instructions are looked at.
  inline static const uint8_t builtin_code_[64] = {};
  const uint64_t builtin_begin_ = reinterpret_cast<uint64_t>(builtin_code_);
  test::HandlerHarness harness_;
  uint32_t slot_ = harness_.AddThread();
  test::V8Heap heap_;
  KnownMaps maps_;
  V8Reader reader_{heap_.v8, &maps_};
  Definitions definitions_{harness_.Slot(slot_), harness_.region()->base(), &State()->walk,
                           reader_};
  WalkOptions options_;
  ModuleRange builtins_{builtin_begin_, builtin_begin_ + 64, CodeKind::kBuiltinsCopy};
  ModuleTable table_;
  std::vector<uint64_t> stack_ = std::vector<uint64_t>(300);
  Registers registers_{};
};

void JavaScriptWarm(benchmark::State& state) {
  JavaScriptStack stack(10);
  Percentiles(state, [&] { benchmark::DoNotOptimize(stack.Walk()); });
  state.counters["frames"] = stack.Walk();
}
BENCHMARK(JavaScriptWarm)->MinWarmUpTime(0.1);

// The functions are defined, but nothing is remembered by address: as after a collection.
void JavaScriptAfterACollection(benchmark::State& state) {
  JavaScriptStack stack(static_cast<int>(state.range(0)));
  uint32_t frames = stack.Walk();
  uint64_t total_ns = 0, count = 0;
  for (auto _ : state) {
    stack.State()->walk.gc_epoch++;
    stack.State()->walk.code_epoch++;
    const uint64_t begin = kernel::MonotonicNs();
    frames = stack.Walk();
    const uint64_t took = kernel::MonotonicNs() - begin;
    state.SetIterationTime(static_cast<double>(took) / 1e9);
    total_ns += took;
    count++;
  }
  state.counters["frames"] = frames;
  state.counters["ns_a_frame"] =
      static_cast<double>(total_ns) / static_cast<double>(count * frames);
}
BENCHMARK(JavaScriptAfterACollection)->UseManualTime()->Arg(10)->Arg(1000);

}  // namespace
}  // namespace spprof
