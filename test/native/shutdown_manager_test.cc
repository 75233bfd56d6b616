// The phases of a shutdown, apart from what they do.
#include "session/shutdown_manager.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "core_support.h"
#include "platform/threads.h"

namespace spprof {
namespace {

class ShutdownManagerTest : public testing::Test {
 protected:
  bool IsWoken() const { return waker_.IsDue(); }
  // Every step does `step`.
  static ShutdownSteps StepsOf(const std::function<bool(uint64_t)>& step,
                               uint64_t budget_ns = 1'000'000'000) {
    ShutdownSteps steps;
    steps.fill({budget_ns, step});
    return steps;
  }

  Word requested_{0};
  Waker waker_;
  ShutdownManager manager_{&requested_, &waker_};
};

TEST_F(ShutdownManagerTest, RunsUntilItIsAsked) {
  EXPECT_EQ(manager_.phase(), ShutdownPhase::kRunning);
  EXPECT_EQ(requested_.load(), 0u);
  EXPECT_FALSE(IsWoken());
  EXPECT_FALSE(manager_.WaitUntilDone(1'000'000));
}

TEST_F(ShutdownManagerTest, ARequestSetsTheWordAndWakesTheDrain) {
  EXPECT_TRUE(manager_.Request(ShutdownReason::kExit));
  EXPECT_EQ(requested_.load(), static_cast<uint32_t>(ShutdownReason::kExit));
  EXPECT_TRUE(IsWoken());
}

TEST_F(ShutdownManagerTest, OfManyRequestsAtOnceOneIsTheFirst) {
  constexpr int kThreads = 16;
  std::atomic<int> ready{0}, first{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] {
      ready++;
      while (ready < kThreads) std::this_thread::yield();
      first += manager_.Request(static_cast<ShutdownReason>(1 + i % 4)) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first, 1);
}

TEST_F(ShutdownManagerTest, PhasesRunInOrderAndOnce) {
  std::vector<ShutdownPhase> seen;
  ASSERT_TRUE(manager_.Request(ShutdownReason::kStop));
  ShutdownReport report;
  manager_.Execute(StepsOf([&](uint64_t) {
                     seen.push_back(manager_.phase());
                     return true;
                   }),
                   [&](const ShutdownReport& each) {
                     EXPECT_NE(manager_.phase(), ShutdownPhase::kDone);
                     report = each;
                   });
  ASSERT_EQ(seen.size(), kShutdownPhaseCount);
  for (size_t i = 0; i < seen.size(); i++) EXPECT_EQ(seen[i], static_cast<ShutdownPhase>(i + 1));
  EXPECT_EQ(manager_.phase(), ShutdownPhase::kDone);
  EXPECT_EQ(report.reason, ShutdownReason::kStop);
  EXPECT_TRUE(manager_.WaitUntilDone(0));
  EXPECT_FALSE(manager_.Request(ShutdownReason::kSignal));
}

TEST_F(ShutdownManagerTest, TheReportBeginsWithTheRequest) {
  const ShutdownSteps steps = StepsOf([](uint64_t) { return true; });
  constexpr uint64_t kWaitNs = 2'000'000;
  ShutdownReport report;
  const auto keep = [&](const ShutdownReport& each) { report = each; };
  const auto expect = [&](uint64_t at_least_ns) {
    EXPECT_GE(report.wait_ns, at_least_ns);
    uint64_t sum = report.wait_ns;
    for (const auto& phase : report.phases) sum += phase.took_ns;
    EXPECT_EQ(report.total_ns, sum);
  };
  manager_.Execute(steps, keep);
  EXPECT_EQ(report.wait_ns, 0u) << "there was no request";
  expect(0);
  manager_.Request(ShutdownReason::kStop);
  const uint64_t end_ns = MonotonicNow() + kWaitNs;
  while (MonotonicNow() < end_ns) {
  }
  manager_.Request(ShutdownReason::kExit);  // is not the first
  manager_.Execute(steps, keep);
  expect(kWaitNs);
  manager_.NoteRequest(MonotonicNow() - 2 * kWaitNs);
  manager_.Execute(steps, keep);
  expect(2 * kWaitNs);
}

TEST_F(ShutdownManagerTest, APhaseThatPassesItsDeadlineIsCutShortAndTheNextOneBegins) {
  constexpr uint64_t kBudgetNs = 5'000'000;
  ShutdownSteps steps = StepsOf([](uint64_t) { return true; });
  steps[2] = {kBudgetNs, [](uint64_t deadline_ns) {
                while (MonotonicNow() < deadline_ns) std::this_thread::yield();
                return false;
              }};
  bool next_ran = false;
  steps[3].run = [&next_ran](uint64_t) { return next_ran = true; };
  ShutdownReport report;
  manager_.Execute(steps, [&](const ShutdownReport& each) { report = each; });
  EXPECT_TRUE(next_ran);
  for (size_t i = 0; i < kShutdownPhaseCount; i++)
    EXPECT_EQ(report.phases[i].is_cut_short, i == 2) << ShutdownPhaseName(i);
  EXPECT_GE(report.phases[2].took_ns, kBudgetNs);
  EXPECT_GE(report.total_ns, report.phases[2].took_ns);
}

TEST_F(ShutdownManagerTest, WhoeverWaitsSeesAllThatThePhasesHaveDone) {
  int work = 0;  // not atomic: the phases' order is what makes it visible, as TSan knows
  std::vector<std::thread> waiters;
  std::atomic<int> seen{0};
  for (int i = 0; i < 4; i++) {
    waiters.emplace_back([&] {
      EXPECT_TRUE(manager_.WaitUntilDone(30'000'000'000));
      seen += work == static_cast<int>(kShutdownPhaseCount) ? 1 : 0;
    });
  }
  std::thread drain([&] {
    manager_.Execute(StepsOf([&](uint64_t) {
                       work++;
                       return true;
                     }),
                     [](const ShutdownReport&) {});
  });
  for (std::thread& waiter : waiters) waiter.join();
  drain.join();
  EXPECT_EQ(seen, 4);
}

}  // namespace
}  // namespace spprof
