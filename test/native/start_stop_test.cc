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

struct Outcome {
  uint64_t written = 0;
  uint64_t given_up =
      0;  // no room on the stack, no signals, no ring: a sample was due and is not there
};

// One recording with a second thread in it; every other one has its region in a file.
void Record(TimerEngine engine, const test::TemporaryFolder& folder, bool is_in_file,
            Outcome* outcome) {
  const std::string region = folder / "region", log_path = folder / "log";
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
    outcome->written += totals.written;
    for (DropReason reason : {DropReason::kIndexFull, DropReason::kDetailFull, DropReason::kBusy,
                              DropReason::kSignalsBlocked, DropReason::kNoStack})
      outcome->given_up += totals.dropped[static_cast<size_t>(reason)];
  }
  std::filesystem::remove(region);
  std::filesystem::remove(log_path);
}

TEST(StartStop, AThousandTimesLeavesNothing) {
  test::TemporaryFolder folder;
  const int rounds = Rounds();
  Outcome outcome;
  test::Holdings before{};
  for (int round = 0; round < rounds; round++) {
    if (round == std::min(10, rounds / 2))
      before = test::CountHoldings();  // libc has its thread stacks and buffers by now
    Record(round % 2 == 0 ? TimerEngine::kTick : TimerEngine::kHires, folder, round % 4 < 2,
           &outcome);
  }
  const test::Holdings after = test::CountHoldings();
  std::printf(
      "%d rounds, %llu samples, %llu given up; timers %zu -> %zu, fds %zu -> %zu, mappings %zu -> "
      "%zu\n",
      rounds, static_cast<unsigned long long>(outcome.written),
      static_cast<unsigned long long>(outcome.given_up), before.timers, after.timers, before.fds,
      after.fds, before.mappings, after.mappings);
  EXPECT_GT(outcome.written, 0u);
  EXPECT_LT(outcome.given_up, outcome.written) << "samples are due, and are not taken";
  EXPECT_EQ(after.timers, before.timers);
  EXPECT_EQ(after.fds, before.fds);
  if (!test::kSanitized && std::getenv("LD_PRELOAD") ==
                               nullptr) {  // whose allocators map as they go, as valgrind's does
    EXPECT_LE(after.mappings, before.mappings + 4);
  }
}

}  // namespace
}  // namespace spprof
