// pause(), resume() and another interval while sampling goes on: what samples stand for, and what
// happens to timers.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>

#include "sampler_support.h"

namespace spprof {
namespace {

using test::SamplerHarness;

constexpr uint64_t kMs = 1'000'000;

class PauseEngines : public testing::TestWithParam<TimerEngine> {};
INSTANTIATE_TEST_SUITE_P(All, PauseEngines, testing::ValuesIn(test::kEngines), test::EngineName);

// The calling thread, sampled.
class Self {
 public:
  explicit Self(SamplerHarness* harness) : harness_(harness) {
    harness->sampler().RegisterCurrentThread(ThreadKind::kNative, "self");
    slot_ = harness->SlotOf(CurrentThreadId());
  }
  uint64_t written() { return harness_->CountersOf(slot_).written.load(); }
  uint64_t signals() { return harness_->CountersOf(slot_).signals.load(); }
  // CPU time that its samples since the last call stand for.
  uint64_t TakeCpuNs() {
    uint64_t sum = 0;
    for (const SampleRecord& sample : harness_->TakeSamples(slot_)) sum += sample.cpu_ns;
    return sum;
  }

 private:
  SamplerHarness* harness_;
  uint32_t slot_ = kNoSlot;
};

void ExpectLaw(const RegionMap& region) {
  const Totals totals = SumTotals(region);
  EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals));
}

TEST_P(PauseEngines, NoTickComesInAPause) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  SamplerHarness harness(GetParam());
  ASSERT_TRUE(harness.sampler().Start().ok());
  Self self(&harness);
  test::BurnCpu(20 * kMs);
  EXPECT_TRUE(harness.sampler().Pause());
  test::BurnCpu(10 * kMs);  // what was on its way has arrived
  const uint64_t before = self.signals();
  test::BurnCpu(100 * kMs);
  EXPECT_EQ(self.signals(), before);
  EXPECT_TRUE(harness.sampler().Resume());
  if (!test::kUnderTsan) {
    EXPECT_TRUE(test::WaitUntil([&] {
      test::BurnCpu(kMs);
      return self.signals() > before + 3;
    }));
  }
  harness.sampler().Stop();
  ExpectLaw(*harness.region());
}

TEST_P(PauseEngines, CpuTimeOfPausesIsNoSamplesAndAllOtherIs) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  if (test::kUnderTsan) GTEST_SKIP() << "signals are merged";
  SamplerHarness harness(GetParam());
  ASSERT_TRUE(harness.sampler().Start().ok());
  Self self(&harness);
  test::BurnCpu(10 * kMs);
  self.TakeCpuNs();
  uint64_t sampled = 0, used = 0;
  for (int turn = 0; turn < 60; turn++) {
    const uint64_t begin = test::OwnCpuNs();
    test::BurnCpu(15 * kMs);
    used += test::OwnCpuNs() - begin;
    harness.sampler().Pause();
    test::BurnCpu(15 * kMs);
    harness.sampler().Resume();
    sampled += self.TakeCpuNs();
  }
  harness.sampler().Stop();
  sampled += self.TakeCpuNs();
  const double share = static_cast<double>(sampled) / static_cast<double>(used);
  std::printf("%.4f of the CPU time outside of pauses\n", share);
  EXPECT_NEAR(share, 1.0, 0.02);
  ExpectLaw(*harness.region());
}

TEST_P(PauseEngines, PauseAndResumeAreIdempotent) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  SamplerHarness harness(GetParam());
  EXPECT_FALSE(harness.sampler().Pause()) << "nothing is sampled yet";
  ASSERT_TRUE(harness.sampler().Start().ok());
  EXPECT_FALSE(harness.sampler().Resume());
  EXPECT_TRUE(harness.sampler().Pause());
  EXPECT_FALSE(harness.sampler().Pause());
  EXPECT_TRUE(harness.sampler().IsPaused());
  EXPECT_TRUE(harness.sampler().Resume());
  EXPECT_FALSE(harness.sampler().Resume());
  EXPECT_FALSE(harness.sampler().IsPaused());
  harness.sampler().Stop();
  EXPECT_FALSE(harness.sampler().Pause());
}

TEST_P(PauseEngines, NoTimerIsCreatedAndEachThreadTakesAtMostTenMicroseconds) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  SamplerHarness harness(GetParam());
  ASSERT_TRUE(harness.sampler().Start().ok());
  constexpr size_t kThreads = 100;
  test::Gate gate;
  std::atomic<size_t> running{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; i++) {
    threads.emplace_back([&] {
      harness.sampler().RegisterCurrentThread(ThreadKind::kNative, "idle");
      running.fetch_add(1);
      gate.Wait();
    });
  }
  ASSERT_TRUE(test::WaitUntil([&] { return running.load() == kThreads; }));
  const std::string before = test::ReadFile("/proc/self/timers");
  uint64_t best_ns = UINT64_MAX;
  for (int turn = 0; turn < 50; turn++) {
    const uint64_t begin = test::ClockNs(CLOCK_MONOTONIC);
    harness.sampler().Pause();
    harness.sampler().Resume();
    best_ns = std::min(best_ns, test::ClockNs(CLOCK_MONOTONIC) - begin);
  }
  EXPECT_EQ(test::ReadFile("/proc/self/timers"), before);
  std::printf("pause and resume: %.2f us a thread\n",
              static_cast<double>(best_ns) / 1000 / static_cast<double>(kThreads));
  // A perf event is switched on the processor that its thread has last run on, by an interrupt.
  if (!test::kSanitized && GetParam() != TimerEngine::kPerf) {
    EXPECT_LE(best_ns, kThreads * 10'000 * 2);
  }
  harness.sampler().Stop();
  gate.Open();
  for (std::thread& thread : threads) thread.join();
}

TEST_P(PauseEngines, AThreadThatComesInAPauseIsSampledFromItsEndOn) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  SamplerHarness harness(GetParam());
  ASSERT_TRUE(harness.sampler().Start().ok());
  harness.sampler().Pause();
  uint64_t sampled = 0, used = 0, in_pause = 0;
  std::thread([&] {
    Self self(&harness);
    test::BurnCpu(100 * kMs);
    in_pause = self.signals();
    harness.sampler().Resume();
    const uint64_t begin = test::OwnCpuNs();
    test::BurnCpu(300 * kMs);
    used = test::OwnCpuNs() - begin;
    harness.sampler().Stop();
    sampled = self.TakeCpuNs();
  }).join();
  EXPECT_EQ(in_pause, 0u);
  if (!test::kUnderTsan) {
    EXPECT_NEAR(static_cast<double>(sampled) / static_cast<double>(used), 1.0, 0.05);
  }
  ExpectLaw(*harness.region());
}

// TSan sees what is shared without order; the counters say whether a tick was counted twice.
TEST_P(PauseEngines, AnyNumberOfTimesAgainstThreadsThatComeAndGoAndAStop) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  for (int turn = 0; turn < 5; turn++) {
    SamplerHarness harness(GetParam(), kMs / 5);
    ASSERT_TRUE(harness.sampler().Start().ok());
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
      threads.emplace_back([&] {
        while (!done.load(std::memory_order_relaxed)) {
          harness.sampler().Pause();
          harness.sampler().Resume();
          harness.sampler().SetInterval(kMs / 4);
        }
      });
    }
    threads.emplace_back([&] {
      while (!done.load(std::memory_order_relaxed)) {
        std::thread([] { test::BurnCpu(kMs); }).join();
        harness.sampler().ScanThreads();
      }
    });
    test::BurnCpu(20 * kMs);
    harness.sampler().Stop();
    done.store(true);
    for (std::thread& thread : threads) thread.join();
    ExpectLaw(*harness.region());
    EXPECT_EQ(test::CountHoldings().timers, 0u);
  }
}

struct sigaction g_below;
void PassOn(int signal, siginfo_t* info, void* context) {
  g_below.sa_sigaction(signal, info, context);
}

// Neither the silence of a pause nor that of a long interval (of hires and perf) is taken for a
// handler that keeps our signals.
TEST_P(PauseEngines, AHandlerAboveOursThatPassesThemOnIsNotSuspected) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  SamplerHarness harness(GetParam(), 300 * kMs);
  ASSERT_TRUE(harness.sampler().Start().ok());
  struct sigaction theirs {};
  theirs.sa_sigaction = PassOn;
  theirs.sa_flags = SA_SIGINFO | SA_RESTART;
  ASSERT_EQ(sigaction(SIGPROF, &theirs, &g_below), 0);
  const auto scan = [&] {
    for (int i = 0; i < 10; i++) harness.sampler().ScanThreads();
  };
  scan();
  for (int i = 0; i < 2; i++) {
    test::BurnCpu(150 * kMs);
    scan();
    harness.sampler().Pause();
    scan();
    test::BurnCpu(150 * kMs);
    scan();
    harness.sampler().Resume();
  }
  EXPECT_TRUE(harness.sampler().TakeWarnings().empty());
  harness.sampler().Stop();
  ASSERT_EQ(sigaction(SIGPROF, &g_below, nullptr), 0);
  signal(SIGPROF, SIG_DFL);
}

TEST_P(PauseEngines, AnotherIntervalHoldsFromNowOnWithTheSumRight) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  if (test::kUnderTsan) GTEST_SKIP() << "signals are merged";
  SamplerHarness harness(GetParam(), 10'000 * kMs);
  ASSERT_TRUE(harness.sampler().Start().ok());
  Self self(&harness);
  const uint64_t begin = test::OwnCpuNs();
  test::BurnCpu(50 * kMs);
  EXPECT_LE(self.written(), 1u) << "5 of 1,000 times one, of ticks that are taken at random";
  if (GetParam() == TimerEngine::kHires) {
    EXPECT_LE(self.signals(), 2u)
        << "the kernel's tick that finds it awake; 5 of 1,000 times one more";
  }
  for (uint64_t interval_ns : {5 * kMs, kMs, 20 * kMs, kMs / 2}) {
    harness.sampler().SetInterval(interval_ns);
    EXPECT_EQ(harness.sampler().Report().interval_ns, interval_ns);
    const uint64_t before = self.written(), from = test::OwnCpuNs();
    test::BurnCpu(200 * kMs);
    const double due =
        static_cast<double>(test::OwnCpuNs() - from) / static_cast<double>(interval_ns);
    const auto came = static_cast<double>(self.written() - before);
    // Waits between hires ticks are exponential: the count's standard deviation is its root.
    EXPECT_LE(came, 1.1 * due + 4 * std::sqrt(due) + 4);
    if (GetParam() == TimerEngine::kHires) {
      EXPECT_GE(came, 0.9 * due - 4 * std::sqrt(due));
    }
  }
  harness.sampler().Stop();
  const double share =
      static_cast<double>(self.TakeCpuNs()) / static_cast<double>(test::OwnCpuNs() - begin);
  EXPECT_NEAR(share, 1.0, 0.02);
}

TEST_P(PauseEngines, AnIntervalGivenInAPauseHoldsAfterIt) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  SamplerHarness harness(GetParam(), 10'000 * kMs);
  ASSERT_TRUE(harness.sampler().Start().ok());
  Self self(&harness);
  harness.sampler().Pause();
  harness.sampler().SetInterval(kMs);
  test::BurnCpu(30 * kMs);
  EXPECT_EQ(self.signals(), 0u);
  harness.sampler().Resume();
  if (!test::kUnderTsan) {
    EXPECT_TRUE(test::WaitUntil([&] {
      test::BurnCpu(kMs);
      return self.signals() > 3;
    }));
  }
  harness.sampler().Stop();
}

}  // namespace
}  // namespace spprof
