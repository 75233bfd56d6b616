// Threads that block the profiling signal, and take signals with sigwait, a signalfd or
// sigpending, as daemons' signal threads do with every signal in the set: none of ours is there.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "platform/thread_signals.h"
#include "platform/thread_sleep.h"
#include "sampler_support.h"
#include "signal_safe/machine/signal_mask.h"

namespace spprof {
namespace {

using test::BurnCpu;
using test::SamplerHarness;
using test::WaitUntil;

sigset_t Everything() {
  sigset_t all;
  sigfillset(&all);
  return all;
}

// A thread that works until it is ended; it blocks every signal, or none.
class Worker {
 public:
  explicit Worker(bool is_blocking) : wants_blocked_(is_blocking) {
    thread_ = std::thread([this] {
      tid_ = CurrentThreadId();
      while (!is_over_) {
        const sigset_t all = Everything();
        pthread_sigmask(wants_blocked_ ? SIG_BLOCK : SIG_UNBLOCK, &all, nullptr);
        BurnCpu(1'000'000);
        turns_++;
      }
    });
    EXPECT_TRUE(WaitUntil([this] { return turns_ > 0; }));
  }
  ~Worker() {
    is_over_ = true;
    thread_.join();
  }
  void SetBlocking(bool is_blocking) { wants_blocked_ = is_blocking; }
  pid_t tid() const { return tid_; }
  int turns() const { return turns_; }

 private:
  std::atomic<bool> wants_blocked_;
  std::atomic<bool> is_over_{false};
  std::atomic<pid_t> tid_{0};
  std::atomic<int> turns_{0};
  std::thread thread_;
};

class BlockingThreads : public testing::TestWithParam<TimerEngine> {};

TEST_P(BlockingThreads, NoneOfOurSignalsWaitsForThem) {
  Worker worker(true);
  SamplerHarness harness(GetParam());
  ASSERT_TRUE(harness.sampler().Start().ok());
  const uint64_t signal = SignalBit(harness.sampler().signal());
  const int turns = worker.turns();
  int looks = 0;
  EXPECT_TRUE(WaitUntil([&] {
    harness.sampler().ScanThreads();
    const std::optional<ThreadSignals> signals = SignalsOf(worker.tid());
    EXPECT_TRUE(signals && (signals->pending & signal) == 0);
    return ++looks >= 10 && worker.turns() > turns + 30;  // several ticks of any kernel
  }));
  harness.sampler().Stop();
}

TEST_P(BlockingThreads, AreSampledWhenTheyDoNotBlockAnyMore) {
  Worker worker(true);
  SamplerHarness harness(GetParam());
  ASSERT_TRUE(harness.sampler().Start().ok());
  const uint32_t slot = harness.SlotOf(worker.tid());
  ASSERT_NE(slot, kNoSlot);
  EXPECT_EQ(harness.CountersOf(slot).signals.load(), 0u);
  worker.SetBlocking(false);
  EXPECT_TRUE(WaitUntil([&] {
    harness.sampler().ScanThreads();
    return harness.CountersOf(slot).signals.load() > 3;
  }));
  // And none is left waiting, once that has been noticed, when they block again.
  worker.SetBlocking(true);
  uint64_t seen = 0;
  int turns = worker.turns();
  EXPECT_TRUE(WaitUntil([&] {
    harness.sampler().ScanThreads();
    const uint64_t signals = harness.CountersOf(slot).signals.load();
    if (signals != std::exchange(seen, signals)) turns = worker.turns();
    const std::optional<ThreadSignals> now = SignalsOf(worker.tid());
    return worker.turns() > turns + 30 && now &&
           (now->pending & SignalBit(harness.sampler().signal())) == 0;
  }));
  harness.sampler().Stop();
}

INSTANTIATE_TEST_SUITE_P(Engines, BlockingThreads,
                         testing::Values(TimerEngine::kTick, TimerEngine::kHires),
                         test::EngineName);

// The kernel unblocks what sigwait() waits for, for as long as it sleeps there.
TEST(ThreadSignals, WhatIsWaitedForCountsAsBlocked) {
  std::atomic<pid_t> tid{0};
  std::thread waiting([&tid] {
    const sigset_t all = Everything();
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMIN + 2);
    tid = CurrentThreadId();
    int signal;
    EXPECT_EQ(sigwait(&one, &signal), 0);
  });
  SleepingCall call;
  EXPECT_TRUE(
      WaitUntil([&] { return tid != 0 && ReadSleepingCall(tid, &call) == SleepState::kAsleep; }));
  const std::optional<ThreadSignals> signals = SignalsOf(tid);
  EXPECT_TRUE(signals && (signals->blocked & SignalBit(SIGRTMIN + 2)) != 0);
  EXPECT_EQ(pthread_kill(waiting.native_handle(), SIGRTMIN + 2), 0);
  waiting.join();
}

}  // namespace
}  // namespace spprof
