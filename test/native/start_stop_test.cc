// Sampler, drain, region and log, started and stopped a thousand times, a few milliseconds each:
// nothing is left, valgrind finds nothing lost (npm run sanitize), and samples are taken at all.
//
// SPPROF_TEST_ROUNDS: how many (300; 1000 for the proof). The CPU time of a round is enough for a
// tick or two of the kernel; more would make it slow under valgrind.
#include <gtest/gtest.h>

#include "drain/drain.h"
#include "sampler_support.h"

namespace spprof {
namespace {

int Rounds() {
  const char* given = std::getenv("SPPROF_TEST_ROUNDS");
  return given != nullptr ? std::atoi(given) : test::kSanitized ? 100 : 300;
}

// One recording with a second thread in it; every other one has its region in a file. Samples
// written.
uint64_t Record(TimerEngine engine, const test::TemporaryFolder& folder, bool is_in_file) {
  const std::string region = folder / "region", log_path = folder / "log";
  uint64_t written = 0;
  {
    test::SamplerHarness harness(engine, 1'000'000, is_in_file ? region : std::string());
    LogWriter log;
    EXPECT_TRUE((is_in_file ? log.Create(log_path) : log.CreateUnnamed()).ok());
    Drain drain(&harness.sampler(), &log, harness.waker());
    EXPECT_TRUE(harness.sampler().Start().ok());
    EXPECT_TRUE(drain.Start().ok());
    std::thread worker([&] {
      EXPECT_TRUE(harness.sampler().RegisterCurrentThread(ThreadKind::kWorker, "worker"));
      test::BurnCpu(1'000'000);
    });
    test::BurnCpu(5'000'000);
    worker.join();
    harness.sampler().Stop();
    drain.Stop();
    const Totals totals = SumTotals(*harness.region());
    EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals));
    EXPECT_EQ(totals.written, drain.Stats().samples_drained);
    written = totals.written;
  }
  std::filesystem::remove(region);
  std::filesystem::remove(log_path);
  return written;
}

TEST(StartStop, AThousandTimesLeavesNothing) {
  test::TemporaryFolder folder;
  const int rounds = Rounds();
  uint64_t written = 0;
  test::Holdings before{};
  for (int round = 0; round < rounds; round++) {
    if (round == std::min(10, rounds / 2))
      before = test::CountHoldings();  // libc has its thread stacks and buffers by now
    written +=
        Record(round % 2 == 0 ? TimerEngine::kTick : TimerEngine::kHires, folder, round % 4 < 2);
  }
  const test::Holdings after = test::CountHoldings();
  std::printf("%d rounds, %llu samples; timers %zu -> %zu, fds %zu -> %zu, mappings %zu -> %zu\n",
              rounds, static_cast<unsigned long long>(written), before.timers, after.timers,
              before.fds, after.fds, before.mappings, after.mappings);
  EXPECT_GT(written, 0u) << "every sample was given up";
  EXPECT_EQ(after.timers, before.timers);
  EXPECT_EQ(after.fds, before.fds);
  if (!test::kSanitized && std::getenv("LD_PRELOAD") ==
                               nullptr) {  // whose allocators map as they go, as valgrind's does
    EXPECT_LE(after.mappings, before.mappings + 4);
  }
}

}  // namespace
}  // namespace spprof
