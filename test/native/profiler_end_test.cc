// How a recording ends, whoever ends it: whole sessions (Profiler) in this process, and in children
// that die.
//
// SPPROF_TEST_ROUNDS: of the storm of signals (20; under a sanitizer 6). SPPROF_TEST_SEED: of its
// moments.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <random>
#include <thread>

#include "log_contents.h"
#include "platform/threads.h"
#include "profile/recording_builder.h"
#include "sampler_support.h"
#include "session/profiler.h"

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;

std::atomic<int> g_program_got{0};
void ProgramHandler(int) { g_program_got++; }

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

ProfilerOptions OptionsIn(const test::TemporaryFolder& folder) {
  ProfilerOptions options;
  options.sampler.engine = TimerEngine::kHires;
  options.directory = folder / "";
  options.handle_signals = true;
  return options;
}

// The recording in a folder, after its process or without it.
Recording Recover(const test::TemporaryFolder& folder) {
  uint64_t bytes = 0;
  const Status recovered = RecoverRecording(folder / "", &bytes);
  EXPECT_TRUE(recovered.ok()) << recovered.message();
  Recording recording;
  const Status read = ReadLog(folder / "log", &recording);
  EXPECT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(recording.stats.written, recording.sample_times.size());
  return recording;
}

// Threads that work until they are told to stop.
class Workers {
 public:
  explicit Workers(int count) {
    for (int i = 0; i < count; i++) {
      threads_.emplace_back([this] {
        while (!stop_) test::BurnCpu(kMs);
      });
    }
  }
  ~Workers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

uint64_t Written() {
  ProfilerStats stats;
  return Profiler::Get().Stats(&stats).ok() ? stats.totals.written : 0;
}

class ProfilerEnd : public testing::Test {
 protected:
  void SetUp() override {
    g_program_got = 0;
    for (int signal : kShutdownSignals) Handle(signal, ProgramHandler);
  }
  void TearDown() override {
    for (int signal : kShutdownSignals) Handle(signal, SIG_DFL);
  }
  test::TemporaryFolder folder_;
};

TEST_F(ProfilerEnd, ByStopReportsEachPhase) {
  ASSERT_TRUE(Profiler::Get().Start(OptionsIn(folder_)).ok());
  test::BurnCpu(20 * kMs);
  FinishedRecording finished;
  ASSERT_TRUE(Profiler::Get().Stop(&finished).ok());
  const Recording recording = Recover(folder_);
  EXPECT_TRUE(recording.is_stopped_cleanly);
  EXPECT_EQ(recording.stats.shutdown.reason, "stop");
  ASSERT_EQ(recording.stats.shutdown.phases.size(), kShutdownPhaseCount);
  uint64_t sum = 0;
  for (size_t i = 0; i < kShutdownPhaseCount; i++) {
    EXPECT_EQ(recording.stats.shutdown.phases[i].name, ShutdownPhaseName(i));
    EXPECT_FALSE(recording.stats.shutdown.phases[i].is_cut_short);
    sum += recording.stats.shutdown.phases[i].took_ns;
  }
  EXPECT_EQ(sum + recording.stats.shutdown.wait_ns, recording.stats.shutdown.total_ns);
}

// What the statistics say begins with the request, and not when a thread gets to it: once 64
// threads that use up all CPUs kept stop() waiting for 0.1 s before the first phase, which no
// figure showed. How long it takes: bench/shutdown_bench.cc.
TEST_F(ProfilerEnd, OfSixtyFourBusyThreadsIsMeasuredFromTheRequestOn) {
  constexpr uint64_t kThreads = 64;
  ASSERT_TRUE(Profiler::Get().Start(OptionsIn(folder_)).ok());
  uint64_t took_ns = 0;
  {
    Workers workers(kThreads);
    ProfilerStats stats;
    ASSERT_TRUE(test::WaitUntil(
        [&] {
          return Profiler::Get().Stats(&stats).ok() && stats.threads_live > kThreads &&
                 stats.totals.written > kThreads;
        },
        std::chrono::seconds(60)));
    const uint64_t begin_ns = MonotonicNow();
    FinishedRecording finished;
    ASSERT_TRUE(Profiler::Get().Stop(&finished).ok());
    took_ns = MonotonicNow() - begin_ns;
    EXPECT_EQ(finished.warning, "");
  }
  const Recording recording = Recover(folder_);
  const RecordingShutdown& shutdown = recording.stats.shutdown;
  EXPECT_TRUE(recording.is_stopped_cleanly);
  ASSERT_EQ(shutdown.phases.size(), kShutdownPhaseCount);
  uint64_t sum = shutdown.wait_ns;
  for (const auto& phase : shutdown.phases) {
    sum += phase.took_ns;
    EXPECT_TRUE(!phase.is_cut_short || phase.name == "release") << phase.name;
  }
  std::printf("stop() %.1f ms, of them %.1f until the first phase\n",
              static_cast<double>(took_ns) / 1e6, static_cast<double>(shutdown.wait_ns) / 1e6);
  EXPECT_EQ(shutdown.total_ns, sum);
  EXPECT_GT(shutdown.wait_ns, 0u);
  EXPECT_LE(shutdown.total_ns, took_ns);
  EXPECT_LT(shutdown.total_ns, 3000 * kMs);
}

TEST_F(ProfilerEnd, ByStopDoesNotWaitForALongDuration) {
  ProfilerOptions options = OptionsIn(folder_);
  options.duration_ns = 3'600'000 * kMs;
  ASSERT_TRUE(Profiler::Get().Start(options).ok());
  FinishedRecording finished;
  ASSERT_TRUE(Profiler::Get().Stop(&finished).ok());
  EXPECT_EQ(finished.warning, "");
  EXPECT_EQ(Recover(folder_).stats.shutdown.reason, "stop");
}

TEST_F(ProfilerEnd, ByItsDurationGivesTheSignalsBack) {
  ProfilerOptions options = OptionsIn(folder_);
  options.duration_ns = 10 * kMs;
  ASSERT_TRUE(Profiler::Get().Start(options).ok());
  ASSERT_TRUE(test::WaitUntil([] {
    struct sigaction action {};
    sigaction(SIGTERM, nullptr, &action);
    return action.sa_handler == ProgramHandler;
  }));
  FinishedRecording finished;
  ASSERT_TRUE(Profiler::Get().Stop(&finished).ok());
  EXPECT_EQ(Recover(folder_).stats.shutdown.reason, "duration");
}

TEST_F(ProfilerEnd, ByASignalHandsItToTheProgramWhenTheLogIsSafe) {
  ASSERT_TRUE(Profiler::Get().Start(OptionsIn(folder_)).ok());
  test::BurnCpu(20 * kMs);
  kill(getpid(), SIGTERM);
  ASSERT_TRUE(test::WaitUntil([] { return g_program_got == 1; }));
  const test::LogContents contents = test::ReadContents(folder_ / "log");
  EXPECT_EQ(contents.stats.count("shutdown.reason.signal"), 1u);
  EXPECT_EQ(contents.samples, contents.stats.at("written"));
  FinishedRecording finished;
  ASSERT_TRUE(Profiler::Get().Stop(&finished).ok());
  EXPECT_EQ(g_program_got, 1);
}

// The duration's end, signals, and stop() meet in every order. The program has handlers, so it
// lives on and tells.
TEST_F(ProfilerEnd, AStormOfSignalsAtEveryPhaseEndsItOnce) {
  const char* given = std::getenv("SPPROF_TEST_ROUNDS");
  const int rounds = given != nullptr ? std::atoi(given) : test::kSanitized ? 6 : 20;
  const uint64_t seed = test::TestSeed();
  std::mt19937_64 random(seed);
  Workers workers(3);
  for (int round = 0; round < rounds; round++) {
    test::TemporaryFolder folder;
    for (int signal : kShutdownSignals) Handle(signal, ProgramHandler);
    g_program_got = 0;
    ProfilerOptions options = OptionsIn(folder);
    options.duration_ns = round % 4 == 0 ? random() % (5 * kMs) + 1 : 0;
    ASSERT_TRUE(Profiler::Get().Start(options).ok());
    // A signal of the last round may come as late as now.
    ASSERT_TRUE(options.duration_ns != 0 ||
                test::WaitUntil([] { return Written() > 5 || g_program_got > 0; }));
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; i++) {
      senders.emplace_back([delay = random() % 300'000, i] {
        test::BurnCpu(delay);
        kill(getpid(), i % 2 == 0 ? SIGINT : SIGTERM);
      });
    }
    test::BurnCpu(random() % 300'000);
    FinishedRecording finished;
    EXPECT_TRUE(Profiler::Get().Stop(&finished).ok());
    for (std::thread& sender : senders) sender.join();
    ASSERT_TRUE(test::WaitUntil([] { return g_program_got > 0; })) << "round " << round;
    const Recording recording = Recover(folder);
    EXPECT_TRUE(recording.is_stopped_cleanly) << "round " << round;
    uint64_t dropped = 0;
    for (const auto& [reason, count] : recording.stats.dropped) dropped += count;
    EXPECT_EQ(recording.stats.signals, recording.stats.written + dropped) << "round " << round;
    for (const auto& phase : recording.stats.shutdown.phases)
      EXPECT_TRUE(!phase.is_cut_short || phase.name == "release") << phase.name;
  }
}

// In a child, so that it can die.
template <typename Program>
int StatusOf(Program program) {
  const pid_t child = fork();
  if (child == 0) {
    program();
    _exit(99);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

TEST_F(ProfilerEnd, AProgramWithoutAHandlerDiesOfTheSignalAndItsLogIsConcluded) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan does not let a forked process start threads";
  for (int signal : kShutdownSignals) {
    test::TemporaryFolder folder;
    const int status = StatusOf([&] {
      Handle(signal, SIG_DFL);
      if (!Profiler::Get().Start(OptionsIn(folder)).ok()) _exit(1);
      test::BurnCpu(20 * kMs);
      kill(getpid(), signal);
      for (;;) test::BurnCpu(kMs);
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    const Recording recording = Recover(folder);
    EXPECT_TRUE(recording.is_stopped_cleanly);
    EXPECT_EQ(recording.stats.shutdown.reason, "signal");
    EXPECT_GT(recording.sample_times.size(), 0u);
  }
}

TEST_F(ProfilerEnd, ExitEndsItWithTheProgramsStatus) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan does not let a forked process start threads";
  const int status = StatusOf([&] {
    if (!Profiler::Get().Start(OptionsIn(folder_)).ok()) _exit(1);
    test::BurnCpu(20 * kMs);
    exit(7);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_EQ(Recover(folder_).stats.shutdown.reason, "exit");
}

TEST_F(ProfilerEnd, AForkedChildThatExitsLeavesTheParentsRecordingAlone) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan does not let a process with threads fork";
  ASSERT_TRUE(Profiler::Get().Start(OptionsIn(folder_)).ok());
  const int status = StatusOf([] { exit(5); });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << status;
  const uint64_t before = Written();
  EXPECT_TRUE(test::WaitUntil([&] {
    test::BurnCpu(kMs);
    return Written() > before + 3;
  }));
  FinishedRecording finished;
  ASSERT_TRUE(Profiler::Get().Stop(&finished).ok());
  EXPECT_EQ(Recover(folder_).stats.shutdown.reason, "stop");
}

}  // namespace
}  // namespace spprof
