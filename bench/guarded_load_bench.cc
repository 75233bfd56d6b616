// A guarded load against a plain one, warm, and what a fault costs.
#include <benchmark/benchmark.h>

#include "platform/fault_handler.h"
#include "signal_safe/machine/guarded_load.h"

namespace spprof {
namespace {

uint64_t g_words[64];

void PlainLoad64(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) {
    uint64_t word = *reinterpret_cast<volatile uint64_t*>(&g_words[i++ & 63]);
    benchmark::DoNotOptimize(word);
  }
}
BENCHMARK(PlainLoad64);

void GuardedLoad64Warm(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) {
    uint64_t word = 0;
    benchmark::DoNotOptimize(GuardedLoad64(reinterpret_cast<uintptr_t>(&g_words[i++ & 63]), &word));
    benchmark::DoNotOptimize(word);
  }
}
BENCHMARK(GuardedLoad64Warm);

// Each address comes from the last load: latency instead of throughput.
void GuardedLoad64Dependent(benchmark::State& state) {
  for (size_t i = 0; i < 64; ++i) g_words[i] = reinterpret_cast<uintptr_t>(&g_words[(i + 7) & 63]);
  uint64_t address = reinterpret_cast<uintptr_t>(&g_words[0]);
  for (auto _ : state) {
    if (!GuardedLoad64(address, &address)) state.SkipWithError("unreadable");
  }
  benchmark::DoNotOptimize(address);
}
BENCHMARK(GuardedLoad64Dependent);

void GuardedCopy64Bytes(benchmark::State& state) {
  char to[64];
  for (auto _ : state) {
    benchmark::DoNotOptimize(GuardedCopy(to, reinterpret_cast<uintptr_t>(g_words), sizeof to));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(GuardedCopy64Bytes);

void GuardedLoad64Faulting(benchmark::State& state) {
  if (!InstallFaultHandler().ok()) return state.SkipWithError("no fault handler");
  uint64_t word;
  for (auto _ : state) benchmark::DoNotOptimize(GuardedLoad64(16, &word));
  UninstallFaultHandler();
}
BENCHMARK(GuardedLoad64Faulting);

}  // namespace
}  // namespace spprof
