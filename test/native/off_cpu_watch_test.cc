// Wall mode: where threads sleep, how long, and that they are left to.
#include "drain/off_cpu_watch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <semaphore.h>

#include <map>

#include "drain/control_records.h"
#include "drain/drain.h"
#include "profile/recording_builder.h"
#include "sampler_support.h"

namespace spprof {
namespace {

using test::SamplerHarness;

constexpr uint64_t kMs = 1'000'000;

SamplerOptions WallOptions(TimerEngine engine = TimerEngine::kTick) {
  SamplerOptions options;
  options.engine = engine;
  options.wall = true;
  return options;
}

// A recording in wall mode, from its start to its log.
class WallRecording {
 public:
  explicit WallRecording(const SamplerOptions& options = WallOptions()) : harness_(options) {
    if (!log_.CreateUnnamed().ok()) std::abort();
    SessionRecord session{};
    session.start_monotonic_ns = MonotonicNow();
    session.mode = 1;
    log_.AddControl(session, RecordType::kSession, "");
    for (const LoadedModule& module : harness_.sampler().RefreshModules())
      AddModuleRecord(module, &log_);
    drain_ = std::make_unique<Drain>(&harness_.sampler(), &log_, harness_.waker());
    begin_ns_ = test::ClockNs(CLOCK_MONOTONIC);
    if (!harness_.sampler().Start().ok() || !drain_->Start().ok()) std::abort();
  }

  SamplerHarness& harness() { return harness_; }
  Sampler& sampler() { return harness_.sampler(); }
  Counters& CountersOf(pid_t tid) { return harness_.CountersOf(harness_.SlotOf(tid)); }

  // Ends it; what its samples say.
  const Recording& Stop() {
    drain_->Stop();
    wall_ns_ = test::ClockNs(CLOCK_MONOTONIC) - begin_ns_;
    EXPECT_TRUE(ReadLog(log_.file(), &recording_).ok());
    return recording_;
  }
  uint64_t wall_ns() const { return wall_ns_; }
  const RecordingThread* Find(pid_t tid) const {
    for (const RecordingThread& thread : recording_.threads) {
      if (thread.tid == static_cast<uint32_t>(tid)) return &thread;
    }
    return nullptr;
  }
  // Wall time of a thread's samples off the CPU whose stack has such a function.
  uint64_t OffCpuIn(pid_t tid, const std::string& function) const {
    const RecordingThread* thread = Find(tid);
    uint64_t sum = 0;
    for (size_t i = 0; thread != nullptr && i < recording_.sample_times.size(); i++) {
      if (recording_.sample_threads[i] != thread->id ||
          (recording_.sample_states[i] & kSampleOffCpu) == 0) {
        continue;
      }
      for (uint32_t node = recording_.sample_stacks[i]; node != 0;
           node = recording_.stack_parents[node]) {
        const std::string& name = recording_.frames[recording_.stack_frames[node]].function_name;
        if (name.find(function) == std::string::npos) continue;
        sum += static_cast<uint64_t>(recording_.sample_wall_ns[i]);
        break;
      }
    }
    return sum;
  }

 private:
  SamplerHarness harness_;
  LogWriter log_;
  std::unique_ptr<Drain> drain_;
  Recording recording_;
  uint64_t begin_ns_ = 0;
  uint64_t wall_ns_ = 0;
};

[[gnu::noinline]] void SleepHere(test::Gate* gate) {
  gate->Wait();
  asm volatile("");  // not a tail call
}
[[gnu::noinline]] void PollThere(int ms) {
  const uint64_t end = test::ClockNs(CLOCK_MONOTONIC) + static_cast<uint64_t>(ms) * kMs;
  for (uint64_t now; (now = test::ClockNs(CLOCK_MONOTONIC)) < end;)
    poll(nullptr, 0, static_cast<int>((end - now) / kMs) + 1);
}

TEST(OffCpuWatch, ASleepingThreadGetsNoSignalAndAllOfItsTime) {
  WallRecording recording;
  test::Gate gate;
  std::atomic<pid_t> tid{0};
  std::thread sleeper([&] {
    recording.sampler().RegisterCurrentThread(ThreadKind::kNative, "sleeper");
    tid.store(CurrentThreadId());
    SleepHere(&gate);
  });
  ASSERT_TRUE(test::WaitUntil([&] { return tid.load() != 0; }));
  const uint64_t slept_from = test::ClockNs(CLOCK_MONOTONIC);
  PollThere(1500);
  if (!test::kUnderTsan) {
    // One of the engine's, where a tick of the kernel's has met it before it slept.
    EXPECT_LE(recording.CountersOf(tid.load()).signals.load(), 1u);
  }
  const uint64_t slept_ns = test::ClockNs(CLOCK_MONOTONIC) - slept_from;
  recording.Stop();
  gate.Open();
  sleeper.join();
  const RecordingThread* thread = recording.Find(tid.load());
  ASSERT_NE(thread, nullptr);
  EXPECT_LE(thread->cpu_ns, 5 * kMs);
  EXPECT_NEAR(static_cast<double>(thread->wall_ns) / static_cast<double>(slept_ns), 1.0, 0.03);
  if (!test::kUnderTsan) {
    EXPECT_GE(recording.OffCpuIn(tid.load(), "SleepHere"), slept_ns * 95 / 100);
  }
}

class OffCpuEngines : public testing::TestWithParam<TimerEngine> {};
INSTANTIATE_TEST_SUITE_P(All, OffCpuEngines, testing::ValuesIn(test::kEngines), test::EngineName);

TEST_P(OffCpuEngines, WorkAndSleepTogetherAreTheWallTime) {
  SKIP_WHERE_FORBIDDEN(GetParam());
  if (test::kUnderTsan) GTEST_SKIP() << "signals are merged";
  WallRecording recording(WallOptions(GetParam()));
  const pid_t tid = CurrentThreadId();
  for (int turn = 0; turn < 4; turn++) {
    test::BurnCpu(100 * kMs);
    PollThere(200);
  }
  recording.Stop();
  const RecordingThread* thread = recording.Find(tid);
  ASSERT_NE(thread, nullptr);
  const auto wall = static_cast<double>(recording.wall_ns());
  std::printf("%.4f of the wall time; %.1f ms of CPU time\n",
              static_cast<double>(thread->wall_ns) / wall,
              static_cast<double>(thread->cpu_ns) / 1e6);
  EXPECT_NEAR(static_cast<double>(thread->wall_ns) / wall, 1.0, 0.03);
  EXPECT_NEAR(static_cast<double>(thread->cpu_ns) / (400 * kMs), 1.0, 0.1);
  EXPECT_GE(recording.OffCpuIn(tid, "PollThere"), 700 * kMs);
}

// Waits of a millisecond, one after the other: the clock never stands still for long.
TEST(OffCpuWatch, ShortWaitsAreSeenToo) {
  if (test::kUnderTsan) GTEST_SKIP() << "signals are merged";
  WallRecording recording;
  const pid_t tid = CurrentThreadId();
  for (int turn = 0; turn < 600; turn++) PollThere(1);
  recording.Stop();
  const RecordingThread* thread = recording.Find(tid);
  ASSERT_NE(thread, nullptr);
  EXPECT_NEAR(static_cast<double>(thread->wall_ns) / static_cast<double>(recording.wall_ns()), 1.0,
              0.05);
  EXPECT_GE(recording.OffCpuIn(tid, "PollThere"), thread->wall_ns / 2);
}

TEST(OffCpuWatch, APauseIsNobodysTime) {
  WallRecording recording;
  const pid_t tid = CurrentThreadId();
  PollThere(200);
  recording.sampler().Pause();
  PollThere(500);
  recording.sampler().Resume();
  PollThere(200);
  recording.Stop();
  const RecordingThread* thread = recording.Find(tid);
  ASSERT_NE(thread, nullptr);
  const double counted = static_cast<double>(recording.wall_ns() - 500 * kMs);
  EXPECT_NEAR(static_cast<double>(thread->wall_ns) / counted, 1.0, 0.1);
}

TEST(OffCpuWatch, AThreadThatBlocksAllSignalsIsSeenToo) {
  WallRecording recording;
  test::Gate gate;
  std::atomic<pid_t> tid{0};
  std::thread sleeper([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    recording.sampler().RegisterCurrentThread(ThreadKind::kNative, "deaf");
    tid.store(CurrentThreadId());
    SleepHere(&gate);
  });
  ASSERT_TRUE(test::WaitUntil([&] { return tid.load() != 0; }));
  PollThere(300);
  recording.Stop();
  gate.Open();
  sleeper.join();
  const RecordingThread* thread = recording.Find(tid.load());
  ASSERT_NE(thread, nullptr);
  EXPECT_EQ(thread->sample_count, 0u);
  EXPECT_GE(thread->wall_ns, 250 * kMs);
  if (!test::kUnderTsan) {
    EXPECT_GE(recording.OffCpuIn(tid.load(), "SleepHere"), 250 * kMs);
  }
}

// The engine perf sends its signals to threads that run, so that none of the calls may end early.
TEST(OffCpuWatch, NoCallOfASleepingThreadEndsEarly) {
  SKIP_WHERE_FORBIDDEN(TimerEngine::kPerf);
  SamplerOptions options = WallOptions(TimerEngine::kPerf);
  options.interval_ns = kMs / 10;
  WallRecording recording(options);
  int interrupted = 0;
  sem_t nobody;
  ASSERT_EQ(sem_init(&nobody, 0, 0), 0);
  for (int turn = 0; turn < 200; turn++) {
    const struct timespec pause = {0, 3'000'000};
    interrupted += clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr) != 0;
    interrupted += poll(nullptr, 0, 3) != 0;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += 3'000'000;
    end.tv_sec += end.tv_nsec / 1'000'000'000;
    end.tv_nsec %= 1'000'000'000;
    interrupted += sem_timedwait(&nobody, &end) == 0 || errno != ETIMEDOUT;
  }
  EXPECT_EQ(interrupted, 0);
  recording.Stop();
}

}  // namespace
}  // namespace spprof
