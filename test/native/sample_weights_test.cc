// What samples stand for, against a program whose share is known: bursts of work of two functions,
// in step with the kernel's tick and not.
#include "profile/sample_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <tuple>

#include "core_support.h"
#include "profile/thread_stacks.h"

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr double kTickMs = 4;
constexpr uint32_t kFirst = 1, kSecond = 2;

constexpr Weighing kShared{true, 4 * kMs}, kAsRecorded{};

std::vector<uint64_t> Weigh(const RecordedThread& thread, const Weighing& weighing = kShared,
                            uint64_t previous_ns = 0) {
  return WeighSamples(thread, OrderByTime(thread.samples), weighing, previous_ns);
}

uint64_t Sum(const std::vector<uint64_t>& weights) {
  return std::accumulate(weights.begin(), weights.end(), uint64_t{0});
}

SampleRecord SampleAt(double time_ms, double cpu_ms, uint32_t stack_id = kFirst) {
  SampleRecord sample{};
  sample.time_ns = static_cast<uint64_t>(time_ms * 1e6);
  sample.cpu_ns = static_cast<uint64_t>(cpu_ms * 1e6);
  sample.stack_id = stack_id;
  return sample;
}

// Work that begins `pause_ms` after the last has ended: so long of one function, so long of
// another.
struct Bursts {
  double first_ms, second_ms, pause_ms;
};

// The samples that a tick every `tick_ms` takes of 1,000 rounds, each with what has been used since
// the last one.
RecordedThread SamplesOf(const Bursts& bursts, uint64_t seed, double tick_ms) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> late_ms(1 / 0.05);  // a timer is
  std::normal_distribution<double> uneven(1, 0.01);
  RecordedThread thread(0, 0, 1);
  double now_ms = std::uniform_real_distribution<double>(0, tick_ms)(random);
  double cpu_ms = 0, sampled_ms = 0;
  for (int round = 0; round < 1000; round++) {
    for (const auto& [id, mean_ms] :
         {std::pair(kFirst, bursts.first_ms), std::pair(kSecond, bursts.second_ms)}) {
      const double begin_ms = now_ms;
      now_ms += mean_ms * uneven(random);
      for (double tick = std::ceil(begin_ms / tick_ms) * tick_ms; tick < now_ms; tick += tick_ms) {
        const double used_ms = cpu_ms + tick - begin_ms;
        thread.samples.push_back(SampleAt(tick, used_ms - sampled_ms, id));
        sampled_ms = used_ms;
      }
      cpu_ms += now_ms - begin_ms;
    }
    now_ms += bursts.pause_ms + late_ms(random);
  }
  return thread;
}

double ShareOfFirst(const RecordedThread& thread, const std::vector<uint64_t>& weights) {
  uint64_t first = 0;
  for (size_t i = 0; i < weights.size(); i++)
    if (thread.samples[i].stack_id == kFirst) first += weights[i];
  return static_cast<double>(first) / static_cast<double>(Sum(weights));
}

// Of kernels with HZ = 1000, 300, 250 and 100. The first of the bursts is bench/peers/timers.js.
class SampleWeightsOfTick : public testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(Kernels, SampleWeightsOfTick, testing::Values(1, 10.0 / 3, 4, 10));

TEST_P(SampleWeightsOfTick, BurstsInStepWithTheTickHaveTheirShares) {
  const double tick_ms = GetParam();
  const Weighing shared{true, static_cast<uint64_t>(tick_ms * 1e6)};
  const uint64_t seed = test::TestSeed();
  for (const Bursts bursts : {Bursts{1, 1.5, 10}, Bursts{1, 1, 10}, Bursts{0.5, 0.5, 7},
                              Bursts{1, 1.5, 9.5}, Bursts{2, 3, 3}, Bursts{3, 2, 20}}) {
    const double truth = bursts.first_ms / (bursts.first_ms + bursts.second_ms);
    double error = 0, raw_error = 0;
    // Some 200 samples a run where they are fewest: the mean's standard deviation is below half a
    // point.
    constexpr int kRuns = 100;
    for (uint64_t run = 0; run < kRuns; run++) {
      const RecordedThread thread = SamplesOf(bursts, seed + run, tick_ms);
      const std::vector<uint64_t> weights = Weigh(thread, shared);
      const std::vector<uint64_t> raw = Weigh(thread, kAsRecorded);
      EXPECT_EQ(Sum(weights), Sum(raw));
      error += (ShareOfFirst(thread, weights) - truth) / kRuns;
      raw_error += (ShareOfFirst(thread, raw) - truth) / kRuns;
    }
    std::printf("%g + %g ms, then %g: off by %+.1f points, as recorded %+.1f\n", bursts.first_ms,
                bursts.second_ms, bursts.pause_ms, error * 100, raw_error * 100);
    // A tick of 10 ms is longer than whole rounds, so less of their rhythm is seen.
    EXPECT_NEAR(error, 0, tick_ms > 4 ? 0.03 : 0.02);
  }
}

// Signals wait while their thread is in a system call.
TEST(SampleWeights, WhatHasNotLeftTheCpuStandsForItself) {
  RecordedThread thread(0, 0, 1);
  thread.samples = {SampleAt(4, 4), SampleAt(8, 4), SampleAt(20, 12), SampleAt(24, 4)};
  EXPECT_EQ(Weigh(thread), (std::vector<uint64_t>{4 * kMs, 4 * kMs, 12 * kMs, 4 * kMs}));
}

TEST(SampleWeights, WhatHasLeftTheCpuSharesWithItsLike) {
  RecordedThread thread(0, 0, 1);
  // The third has not slept.
  thread.samples = {SampleAt(10, 1.5), SampleAt(20, 6), SampleAt(24, 4), SampleAt(40, 1.5)};
  EXPECT_EQ(Weigh(thread), (std::vector<uint64_t>{3 * kMs, 3 * kMs, 4 * kMs, 3 * kMs}));
  EXPECT_EQ(Weigh(thread, {true, 0}), Weigh(thread)) << "of a tick that is not known";
  // The first, too, has been seen on the CPU before.
  EXPECT_EQ(Weigh(thread, kShared, 9 * kMs),
            (std::vector<uint64_t>{1'500'000, 3'750'000, 4 * kMs, 3'750'000}));
}

// Calls of 8 ms and JavaScript of 3 ms in turn, without a sleep: a tick that comes in a call waits
// for its end. Where it is not known when ticks come, the work that follows a call has what is left
// of the tick's time, not a tick.
TEST(SampleWeights, SystemCallsDoNotTakeTheTimeOfTheNextTick) {
  std::mt19937_64 random(test::TestSeed());
  std::normal_distribution<double> uneven(1, 0.1);
  RecordedThread thread(0, 0, 1);
  double now_ms = 1, sampled_ms = 0, calls_ms = 0;
  const auto sample = [&](double time_ms, uint32_t id) {
    thread.samples.push_back(SampleAt(time_ms, time_ms - sampled_ms, id));
    sampled_ms = time_ms;
  };
  for (int round = 0; round < 20'000; round++) {
    const double call_ms = 8 * uneven(random), begin_ms = now_ms;
    now_ms += call_ms;
    calls_ms += call_ms;
    if (std::floor(now_ms / kTickMs) > std::floor(begin_ms / kTickMs)) sample(now_ms, kFirst);
    const double after_ms = now_ms;
    now_ms += 3 * uneven(random);
    const double tick_ms = std::ceil(after_ms / kTickMs) * kTickMs;
    if (tick_ms < now_ms) sample(tick_ms, kSecond);
  }
  Weighing weighing = kShared;
  weighing.kernel_tick_ns = 4 * kMs;
  const double truth = calls_ms / now_ms;
  const double unknown = ShareOfFirst(thread, Weigh(thread, weighing));
  weighing.phase_ns = 0;
  const std::vector<uint64_t> weights = Weigh(thread, weighing);
  const double shown = ShareOfFirst(thread, weights);
  std::printf("%.3f of %.3f; without the tick's phase %.3f\n", shown, truth, unknown);
  EXPECT_EQ(Sum(weights), Sum(Weigh(thread, kAsRecorded)));
  EXPECT_NEAR(shown, truth, 0.015);
  EXPECT_GT(unknown, truth + 0.1);
}

TEST(SampleWeights, WhatRunsAfterTheTickIsTheNextTicks) {
  RecordedThread thread(0, 0, 1);
  // The second has waited for 2 ms, the last one for 1 ms.
  thread.samples = {SampleAt(4, 4), SampleAt(14, 10), SampleAt(16, 2), SampleAt(40, 4),
                    SampleAt(45, 5)};
  Weighing weighing{true, 4 * kMs, 4 * kMs, 0};
  EXPECT_EQ(Weigh(thread, weighing),
            (std::vector<uint64_t>{4 * kMs, 8 * kMs, 4 * kMs, 4 * kMs, 5 * kMs}));
}

// After a sleep, too: a system call of 12 ms makes one signal, at its end, where work of the same
// length in short pieces makes three.
TEST(SampleWeights, LongSystemCallsKeepTheirTime) {
  std::mt19937_64 random(test::TestSeed());
  RecordedThread thread(0, 0, 1);
  double now_ms = 0, cpu_ms = 0, sampled_ms = 0, calls_ms = 0;
  const auto sample = [&](double time_ms, double used_ms, uint32_t id) {
    thread.samples.push_back(SampleAt(time_ms, used_ms - sampled_ms, id));
    sampled_ms = used_ms;
  };
  for (int round = 0; round < 20'000; round++) {
    const bool is_call = random() % 2 == 0;
    const double begin_ms = now_ms;
    now_ms += is_call ? 12 : 4;
    for (double tick = std::ceil(begin_ms / kTickMs) * kTickMs; tick < now_ms; tick += kTickMs) {
      if (!is_call) sample(tick, cpu_ms + tick - begin_ms, kSecond);
    }
    cpu_ms += now_ms - begin_ms;
    if (is_call) {
      sample(now_ms, cpu_ms, kFirst);
      calls_ms += 12;
    }
    now_ms += 20 + std::uniform_real_distribution<double>(0, 10)(random);
  }
  const double truth = calls_ms / cpu_ms, shown = ShareOfFirst(thread, Weigh(thread));
  std::printf("%.3f of %.3f, as recorded %.3f\n", shown, truth,
              ShareOfFirst(thread, Weigh(thread, kAsRecorded)));
  EXPECT_NEAR(shown, truth, 0.04);
}

TEST(SampleWeights, NoneStandsForMuchMoreThanTheTimeSinceTheOneBefore) {
  RecordedThread thread(0, 0, 1);
  thread.samples = {SampleAt(100, 1), SampleAt(108, 1), SampleAt(200, 30), SampleAt(300, 28)};
  const Weighing weighing{true, 100 * kMs};  // of 100 ms of interval
  EXPECT_EQ(Weigh(thread, weighing),
            (std::vector<uint64_t>{15 * kMs, 9 * kMs, 21 * kMs, 15 * kMs}));
}

TEST(SampleWeights, SharingBeginsAnewWhenTimersHaveBeenSetAnew) {
  RecordedThread thread(0, 0, 1);
  thread.samples = {SampleAt(10, 1), SampleAt(20, 3), SampleAt(100, 40), SampleAt(200, 60)};
  thread.samples[2].state = kStateRearmed;
  EXPECT_EQ(Weigh(thread, {true, 0}),
            (std::vector<uint64_t>{2 * kMs, 2 * kMs, 50 * kMs, 50 * kMs}));
}

TEST(SampleWeights, TimeOffTheCpuIsNotShared) {
  RecordedThread thread(0, 0, 1);
  thread.samples = {SampleAt(10, 1), SampleAt(900, 800), SampleAt(910, 3)};
  thread.samples[1].state = kStateOffCpu;
  EXPECT_EQ(Weigh(thread), (std::vector<uint64_t>{2 * kMs, 800 * kMs, 2 * kMs}));
}

TEST(SampleWeights, WhatHasBeenWeighedKeepsItsWeight) {
  RecordedThread thread(0, 0, 1);
  thread.samples = {SampleAt(10, 5), SampleAt(20, 1), SampleAt(30, 3)};
  thread.weighed_samples = 1;
  EXPECT_EQ(Weigh(thread), (std::vector<uint64_t>{5 * kMs, 2 * kMs, 2 * kMs}));
}

// Hostile times and sums, too, which wrap around.
TEST(SampleWeights, NothingIsLostOrAdded) {
  std::mt19937_64 random(test::TestSeed());
  for (int turn = 0; turn < 200; turn++) {
    RecordedThread thread(0, 0, 1);
    const bool is_hostile = turn % 4 == 0;
    for (uint64_t i = random() % 1000; i > 0; i--) {
      SampleRecord sample{};
      sample.time_ns = is_hostile ? random() : random() % (10'000 * kMs);
      sample.cpu_ns = is_hostile ? random() : random() % (20 * kMs);
      sample.state = random() % 10 == 0 ? kStateOffCpu : random() % 10 == 0 ? kStateRearmed : 0;
      thread.samples.push_back(sample);
    }
    EXPECT_EQ(Sum(Weigh(thread)), Sum(Weigh(thread, kAsRecorded)));
    EXPECT_EQ(Sum(Weigh(thread, {true, 0})), Sum(Weigh(thread, kAsRecorded)));
    if (turn % 3 == 0) thread.weighed_samples = thread.samples.size() / 2;
    constexpr uint64_t kOdd[] = {1, 2, 15, 127, UINT64_MAX};
    const uint64_t tick_ns = is_hostile ? (turn % 8 == 0 ? kOdd[random() % 5] : random()) : 4 * kMs;
    const uint64_t phase_ns = random();
    EXPECT_EQ(Sum(Weigh(thread, {true, tick_ns, tick_ns, phase_ns})),
              Sum(Weigh(thread, kAsRecorded)));
  }
}

}  // namespace
}  // namespace spprof
