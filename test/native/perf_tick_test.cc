// The engine perf: which of its signals take a sample, what for, and whose its events are.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handler_support.h"
#include "platform/perf_event.h"
#include "platform/threads.h"
#include "sampler_support.h"

namespace spprof {
namespace {

using test::HandlerHarness;
using test::SamplerHarness;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kTickNs = 4 * kMs;
constexpr int kEvent = 900;  // the number of an event that does not exist

class PerfTick : public testing::Test {
 protected:
  void SetUp() override {
    harness_.context().ticks.engine = TimerEngine::kPerf;
    harness_.context().ticks.kernel_tick_ns = kTickNs;
    harness_.context().ticks.interval_ns = kMs;
    harness_.context().threads = ThreadTable(words_, std::size(words_));
    slot_ = harness_.AddThread();
    state()->ticks.perf_event = kEvent;
    state()->ticks.last_cpu_ns = kernel::ThreadCpuNs();
    harness_.context().threads.Insert(static_cast<uint32_t>(CurrentThreadId()), slot_);
  }
  ThreadState* state() { return harness_.State(slot_); }
  uint64_t NotDue() {
    return harness_.Slot(slot_)->counters.dropped[static_cast<size_t>(DropReason::kNotDue)].load();
  }
  // Their samples' time; 0: there is none.
  uint64_t Event() {
    siginfo_t info{};
    info.si_signo = SIGPROF;
    info.si_code = POLL_IN;
    info.si_fd = kEvent;
    HandlerHarness::Deliver(info);
    return Taken();
  }
  uint64_t KernelTick(bool is_in_call) {
    static const uint8_t kCall[] = {0x0f, 0x05, 0xc3};  // syscall; ret
    siginfo_t info = harness_.Tick(slot_);
    ucontext_t here{};
    getcontext(&here);
    sigemptyset(&here.uc_sigmask);
    if (is_in_call) here.uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(kCall + 2);
    HandleProfilingSignal(info.si_signo, &info, &here);
    return Taken();
  }
  // As long as `events` events count it.
  void WorkForEvents(int events) {
    for (int i = 0; i < events; i++) {
      test::BurnCpu(kMs);
      Event();
    }
  }
  uint64_t Taken() {
    uint64_t cpu_ns = 0;
    for (const SampleRecord& sample : harness_.TakeSamples(slot_)) cpu_ns += sample.cpu_ns;
    return cpu_ns;
  }

  HandlerHarness harness_;
  Sequence words_[16] = {};
  uint32_t slot_ = 0;
};

TEST_F(PerfTick, AnEventStandsForAnIntervalAndAKernelTickOnlyForSystemCalls) {
  test::BurnCpu(kMs);
  EXPECT_NEAR(static_cast<double>(Event()), kMs, 0.5 * kMs);
  EXPECT_EQ(KernelTick(false), 0u);
  EXPECT_EQ(NotDue(), 1u);
  EXPECT_NEAR(static_cast<double>(KernelTick(true)), kTickNs, 0.5 * kMs);
}

TEST_F(PerfTick, ALongSystemCallHasItsTime) {
  Event();
  test::BurnCpu(20 * kMs);  // and no event comes meanwhile
  EXPECT_NEAR(static_cast<double>(KernelTick(true)), 20 * kMs, 1.5 * kMs);
}

TEST_F(PerfTick, WhatTheProgramsOwnCodeDoesInTheKernelIsPaidByTheNextSamples) {
  for (int i = 0; i < 10; i++) {
    test::BurnCpu(kMs);
    Event();
  }
  test::BurnCpu(5 * kMs);
  uint64_t paid_ns = 0;
  for (int i = 0; i < 10; i++) {
    paid_ns += Event();
    test::BurnCpu(kMs);
  }
  EXPECT_NEAR(static_cast<double>(paid_ns), 14 * kMs, 2.5 * kMs);
}

TEST_F(PerfTick, EveryTickCountsWhereEventsDoNotCome) {
  int before = 0;
  while (KernelTick(false) == 0 && before < 100) {
    before++;
    test::BurnCpu(3 * kMs);
  }
  EXPECT_EQ(before, 8);
  Event();
  EXPECT_EQ(KernelTick(false), 0u) << "they come again";
  state()->ticks.perf_event = kNoPerfEvent;
  EXPECT_GT(KernelTick(false), 0u);
}

TEST_F(PerfTick, CallsAreGivenOneTickMoreThanTheyHaveUsed) {
  WorkForEvents(3);
  EXPECT_GT(KernelTick(true), 3 * kMs);
  WorkForEvents(3);
  EXPECT_LT(KernelTick(true), 2 * kMs) << "events have counted nearly all of the time since";
  const uint64_t left_out = NotDue();
  for (int i = 0; i < 8; i++) KernelTick(true);
  EXPECT_GT(NotDue(), left_out) << "counted";
  WorkForEvents(80);
  EXPECT_GT(KernelTick(true), 3 * kMs) << "it has been paid back meanwhile";
}

TEST_F(PerfTick, WhatSettingEventsTakesAtAChangeOfThreadsIsNotTheSystemCalls) {
  harness_.context().ticks.perf_switch_ns = kTickNs;
  const auto lose_the_cpu = [] {
    const struct timespec shortly = {0, 1000};
    nanosleep(&shortly, nullptr);
  };
  const auto tick = [&] {
    WorkForEvents(40);  // which pay back what the call before has been given in advance
    return KernelTick(true);
  };
  EXPECT_GT(tick(), 0u) << "the first one only reads how often the thread has lost the CPU";
  lose_the_cpu();
  uint64_t left_out = NotDue();
  EXPECT_EQ(tick(), 0u);
  EXPECT_EQ(NotDue(), left_out + 1) << "counted";
  for (int i = 0; i < 20; i++) lose_the_cpu();
  left_out = NotDue();
  EXPECT_EQ(tick(), 0u);
  harness_.context().ticks.perf_switch_ns =
      0;  // else, what the test loses by chance would count as well
  for (int i = 0; i < 10; i++) tick();
  EXPECT_EQ(NotDue(), left_out + 2) << "calls afterwards do not pay for all of a busy time";
  harness_.context().ticks.perf_switch_ns = kTickNs;
  // A long call is told from that.
  lose_the_cpu();
  test::BurnCpu(20 * kMs);
  EXPECT_GT(KernelTick(true), 10 * kMs);
}

TEST(PerfEvents, SettingOneTakesLessThanATick) {
  SKIP_WHERE_FORBIDDEN(TimerEngine::kPerf);
  const uint64_t ns = MeasurePerfEventSetting(kMs / 10);
  EXPECT_GT(ns, 0u);
  EXPECT_LT(ns, kMs);
}

// The numbers of all perf events that this process has open.
std::vector<int> OpenEvents() {
  std::vector<int> events;
  for (int fd = 0; fd < 2048; fd++) {
    char target[64] = {};
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    if (readlink(path.c_str(), target, sizeof(target) - 1) > 0 &&
        std::string(target).find("perf_event") != std::string::npos)
      events.push_back(fd);
  }
  return events;
}

TEST(PerfEvents, TheirNumbersAreHighAndTheProgramsFilesUnderThemAreLeftAlone) {
  SKIP_WHERE_FORBIDDEN(TimerEngine::kPerf);
  PerfEvent event;
  ASSERT_TRUE(OpenPerfEvent(CurrentThreadId(), SIGURG, kMs, &event).ok());
  EXPECT_GT(event.fd, 100);
  EXPECT_EQ(fcntl(event.fd, F_GETFD), FD_CLOEXEC);
  EXPECT_TRUE(IsOpen(event));
  const int theirs = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(dup2(theirs, event.fd), event.fd);
  EXPECT_FALSE(IsOpen(event));
  EnablePerfEvent(event);
  ClosePerfEvent(event);
  EXPECT_EQ(close(event.fd), 0) << "still the program's";
  close(theirs);
}

TEST(PerfEvents, AForkedChildHasNone) {
  SKIP_WHERE_FORBIDDEN(TimerEngine::kPerf);
  SamplerHarness harness(TimerEngine::kPerf);
  ASSERT_TRUE(harness.sampler().Start().ok());
  const uint32_t slot = harness.SlotOf(CurrentThreadId());
  ASSERT_NE(slot, kNoSlot);
  const std::vector<int> events = OpenEvents();
  EXPECT_FALSE(events.empty());
  const pid_t child = fork();
  if (child == 0) {
    int open = 0;
    for (int fd : events) open += fcntl(fd, F_GETFD) >= 0;
    _exit(open);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const uint64_t before = harness.CountersOf(slot).written.load();
  EXPECT_TRUE(test::WaitUntil([&] {
    test::BurnCpu(kMs);
    return harness.CountersOf(slot).written.load() > before + 10;
  })) << "the parent's go on";
  harness.sampler().Stop();
}

TEST(PerfEvents, AProgramThatClosesThemHasSamplesAtTheKernelsTick) {
  SKIP_WHERE_FORBIDDEN(TimerEngine::kPerf);
  SamplerHarness harness(TimerEngine::kPerf);
  ASSERT_TRUE(harness.sampler().Start().ok());
  const uint32_t slot = harness.SlotOf(CurrentThreadId());
  ASSERT_NE(slot, kNoSlot);
  for (int fd : OpenEvents()) close(fd);
  const uint64_t before = harness.CountersOf(slot).written.load();
  EXPECT_TRUE(test::WaitUntil([&] {
    test::BurnCpu(kMs);
    return harness.CountersOf(slot).written.load() > before + 5;
  }));
  std::string warnings;
  EXPECT_TRUE(test::WaitUntil([&] {
    harness.sampler().ScanThreads();
    for (const std::string& warning : harness.sampler().TakeWarnings()) warnings += warning;
    return warnings.find("closed file descriptors") != std::string::npos;
  })) << warnings;
  harness.sampler().Stop();
}

}  // namespace
}  // namespace spprof
