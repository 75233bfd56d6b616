// What a block costs in native code. Targets: a pair <= 20 ns (two readings of the
// clock included, which no pair can do without: BM_TwoReadings).
#include <benchmark/benchmark.h>

#include "blocks/block_stats.h"
#include "blocks/thread_blocks.h"
#include "blocks/tick_clock.h"

namespace spprof {
namespace {

void BM_BlockPair(benchmark::State& state) {
  const Block& block = *BlockTables::Get().Register("bench", "track", "block");
  ThreadBlocks& own = *ThreadBlocks::Current();
  for (auto _ : state) {
    own.Start(block);
    own.Stop(block);
  }
}
BENCHMARK(BM_BlockPair);

void BM_TwoReadings(benchmark::State& state) {
  TickClock::Prepare();
  for (auto _ : state) {
    const uint64_t begin = TickClock::Now();
    benchmark::DoNotOptimize(TickClock::Now() - begin);
  }
}
BENCHMARK(BM_TwoReadings);

void BM_Hit(benchmark::State& state) {
  BlockStats stats;
  uint64_t ticks = 0;
  for (auto _ : state) stats.Add(ticks = (ticks + 77) & 0xfff, 1);
}
BENCHMARK(BM_Hit);

void BM_CopyOfAThreadsBlock(benchmark::State& state) {
  BlockStats stats;
  stats.Add(1000, 1);
  for (auto _ : state) benchmark::DoNotOptimize(stats.Copy(1).hits);
}
BENCHMARK(BM_CopyOfAThreadsBlock);

}  // namespace
}  // namespace spprof
