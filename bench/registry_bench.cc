// What a thread costs to register, with 1, 64 and 4,096 threads there, and what the handler does
// before it walks. Targets: <= 1 us to register, the same from 1 to 4,096; <= 10 ns
// for the fast path in the handler.
#include <benchmark/benchmark.h>

#include "../test/native/handler_support.h"

namespace spprof {
namespace {

// Claim and Activate of the last of `threads` threads; its Retire and Release are not timed here.
void Register(benchmark::State& state) {
  test::HandlerHarness harness(8192);
  for (int64_t i = 1; i < state.range(0); i++) harness.AddThread();
  constexpr int kBatch = 64;
  uint32_t slots[kBatch];
  const std::string name = "worker";
  pid_t tid = 1'000'000;
  for (auto _ : state) {
    for (uint32_t& slot : slots) {
      slot = harness.registry().Claim(tid++, ThreadKind::kNative, name, 1);
      harness.registry().Activate(slot);
    }
    state.PauseTiming();
    for (uint32_t slot : slots) {
      harness.registry().Retire(slot);
      harness.registry().Release(slot);
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(Register)->Arg(1)->Arg(64)->Arg(4096);

void ClaimActivateRetireRelease(benchmark::State& state) {
  test::HandlerHarness harness(8192);
  for (int64_t i = 1; i < state.range(0); i++) harness.AddThread();
  const std::string name = "worker";
  pid_t tid = 1'000'000;
  for (auto _ : state) {
    const uint32_t slot = harness.registry().Claim(tid++, ThreadKind::kNative, name, 1);
    harness.registry().Activate(slot);
    harness.registry().Retire(slot);
    harness.registry().Release(slot);
  }
}
BENCHMARK(ClaimActivateRetireRelease)->Arg(1)->Arg(64)->Arg(4096);

// Slots that nobody has had before, which the drain has made ready meanwhile (not timed).
void RegisterInPreparedSlots(benchmark::State& state) {
  const std::string name = "worker";
  for (auto _ : state) {
    state.PauseTiming();
    {
      auto harness = std::make_unique<test::HandlerHarness>(4096);
      for (pid_t tid = 1; tid <= 4096;) {
        harness->registry().PrepareSlots();
        state.ResumeTiming();
        for (int i = 0; i < 16; i++, tid++) {
          harness->registry().Activate(
              harness->registry().Claim(tid, ThreadKind::kNative, name, 1));
        }
        state.PauseTiming();
      }
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(RegisterInPreparedSlots);

// And which nobody has made ready: each has the kernel find, clear and map a page, and every 64 a
// block.
void RegisterInAFreshRegion(benchmark::State& state) {
  const std::string name = "worker";
  for (auto _ : state) {
    state.PauseTiming();
    {
      auto harness = std::make_unique<test::HandlerHarness>(4096);
      state.ResumeTiming();
      for (pid_t tid = 1; tid <= 4096; tid++) {
        harness->registry().Activate(harness->registry().Claim(tid, ThreadKind::kNative, name, 1));
      }
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(RegisterInAFreshRegion);

// By the thread itself, which remembers it.
void FindOwnSlot(benchmark::State& state) {
  test::HandlerHarness harness(8192);
  for (int64_t i = 1; i < state.range(0); i++) harness.AddThread();
  ThreadRegistry& registry = harness.registry();
  registry.Activate(registry.Claim(gettid(), ThreadKind::kNative, "worker", 1));
  for (auto _ : state) benchmark::DoNotOptimize(registry.FindOwn());
  if (registry.FindOwn() == kNoSlot) state.SkipWithError("not found");
}
BENCHMARK(FindOwnSlot)->Arg(1)->Arg(4096);

// Ours? which slot? which generation? am I on?
void HandlerFastPath(benchmark::State& state) {
  test::HandlerHarness harness;
  const uint32_t slot = harness.AddThread();
  harness.region()->header()->accepting_samples.store(0);
  siginfo_t info = harness.Tick(slot);
  ucontext_t here{};
  getcontext(&here);
  for (auto _ : state) HandleProfilingSignal(SIGPROF, &info, &here);
  if (harness.Slot(slot)->counters.dropped[0].load() == 0) state.SkipWithError("not the fast path");
}
BENCHMARK(HandlerFastPath);

void HandlerFastPathOfAStaleSignal(benchmark::State& state) {
  test::HandlerHarness harness;
  const uint32_t slot = harness.AddThread();
  siginfo_t info = harness.Tick(slot);
  harness.Slot(slot)->generation.fetch_add(1);
  ucontext_t here{};
  getcontext(&here);
  for (auto _ : state) HandleProfilingSignal(SIGPROF, &info, &here);
}
BENCHMARK(HandlerFastPathOfAStaleSignal);

}  // namespace
}  // namespace spprof
