// What a rule costs to decode when its pc is first seen, and to apply once it is kept.
#include <benchmark/benchmark.h>
#include <ucontext.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "../test/native/cfi_test_support.h"
#include "signal_safe/cfi/cfi.h"

namespace spprof {
namespace {

std::vector<uintptr_t> RandomPcs(const CfiModule& module, size_t count) {
  std::mt19937 random(1);
  const auto ranges = test::RangesOf(module);
  std::vector<uintptr_t> pcs;
  while (pcs.size() < count) {
    const test::CodeRange range = ranges[random() % ranges.size()];
    if (range.end > range.begin) pcs.push_back(range.begin + random() % (range.end - range.begin));
  }
  return pcs;
}

// `pcs` different pcs in turn: many are cold (the table of node has 600 kB, the section 3 MB), few
// are warm.
void Decode(benchmark::State& state, const std::string& path) {
  const auto elf = test::MappedElf::Open(path);
  if (elf == nullptr) return state.SkipWithError("no such file");
  const auto pcs = RandomPcs(elf->module(), static_cast<size_t>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(DecodeRule(elf->module(), pcs[i]));
    if (++i == pcs.size()) i = 0;
  }
  // The spread, one by one; the clock's own 20 to 30 ns are in it.
  std::vector<double> times;
  for (size_t n = 0; n < 20000; ++n) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(DecodeRule(elf->module(), pcs[n % pcs.size()]));
    times.push_back(
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  state.counters["p50_ns"] = times[times.size() / 2];
  state.counters["p99_ns"] = times[times.size() * 99 / 100];
  state.counters["p99.9_ns"] = times[times.size() * 999 / 1000];
}

// Every step of this thread's stack with rules that are kept already; per frame.
__attribute__((noinline)) void WalkWithKeptRules(benchmark::State& state) {
  std::vector<CfiModule> modules = test::ModulesOfThisProcess();
  ucontext_t context;
  getcontext(&context);
  const Registers start = Registers::FromContext(context);
  constexpr uintptr_t kStackBytes = 8 << 20;
  struct Kept {
    const CfiModule* module;
    UnwindRule rule;
    uintptr_t lookup;
  };
  std::vector<Kept> kept;
  Registers registers = start;
  for (;;) {
    const uintptr_t lookup = registers.pc - 1;
    const CfiModule* module = test::FindModule(modules, lookup);
    if (module == nullptr) break;
    kept.push_back({module, DecodeRule(*module, lookup), lookup});
    if (ApplyRule(*module, kept.back().rule, lookup, start.sp + kStackBytes, &registers) !=
        StepResult::kOk)
      break;
  }
  for (auto _ : state) {
    registers = start;
    for (const Kept& step : kept) {
      benchmark::DoNotOptimize(
          ApplyRule(*step.module, step.rule, step.lookup, start.sp + kStackBytes, &registers));
    }
    benchmark::ClobberMemory();
  }
  state.counters["frames"] = static_cast<double>(kept.size());
  state.counters["per_frame"] = benchmark::Counter(
      static_cast<double>(kept.size()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(WalkWithKeptRules);

// The PLT's rule: interpreted and evaluated each time.
void ApplyExpression(benchmark::State& state) {
  const auto elf = test::MappedElf::Open("/lib/x86_64-linux-gnu/libc.so.6");
  if (elf == nullptr) return state.SkipWithError("no such file");
  for (const test::CodeRange& range : test::RangesOf(elf->module())) {
    const uintptr_t pc = range.begin + 0x10;
    const UnwindRule rule = DecodeRule(elf->module(), pc);
    if (rule.kind != RuleKind::kExpression || rule.is_signal_frame) continue;
    uint64_t stack[32];
    for (uint64_t& word : stack) word = pc;
    Registers start{};
    start.pc = pc;
    start.sp = reinterpret_cast<uintptr_t>(&stack[16]);
    for (auto _ : state) {
      Registers registers = start;
      benchmark::DoNotOptimize(
          ApplyRule(elf->module(), rule, pc, reinterpret_cast<uintptr_t>(stack + 32), &registers));
    }
    return;
  }
  state.SkipWithError("no expression");
}
BENCHMARK(ApplyExpression);

const bool g_registered = [] {
  for (const std::string& path : test::InterestingFiles()) {
    benchmark::RegisterBenchmark(("Decode/" + path.substr(path.rfind('/') + 1)).c_str(),
                                 [path](benchmark::State& state) { Decode(state, path); })
        ->Arg(64)
        ->Arg(100000);
  }
  return true;
}();

}  // namespace
}  // namespace spprof
