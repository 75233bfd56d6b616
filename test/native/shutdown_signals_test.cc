// SIGINT and SIGTERM: what the handler notes, what it leaves alone, and when it ends the process.
#include "session/shutdown_signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core_support.h"
#include "region/layout.h"
#include "sampling/fork_guard.h"

namespace spprof {
namespace {

constexpr uint64_t kLongNs = 60'000'000'000;

std::atomic<int> g_program_got{0};
void ProgramHandler(int) { g_program_got++; }

struct sigaction ActionOf(int signal) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action;
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

class ShutdownSignalsTest : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    g_program_got = 0;
    for (int signal : kShutdownSignals) Handle(signal, ProgramHandler);
  }
  void TearDown() override {
    for (int signal : kShutdownSignals) Handle(signal, SIG_DFL);
  }
  bool IsWoken() const { return waker_.IsDue(); }
  // And has asked for nothing.
  void ExpectDied(pid_t child, int signal) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_EQ(requested_.load(), 0u);
  }

  Word requested_{0};
  Waker waker_;
};

TEST_F(ShutdownSignalsTest, AreInstalledToRestartCallsAndToHoldEachOtherBack) {
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  for (int signal : kShutdownSignals) {
    const struct sigaction action = ActionOf(signal);
    EXPECT_EQ(action.sa_sigaction, HandleShutdownSignal);
    EXPECT_EQ(action.sa_flags & (SA_RESTART | SA_SIGINFO), SA_RESTART | SA_SIGINFO);
    EXPECT_EQ(sigismember(&action.sa_mask, SIGINT), 1);
    EXPECT_EQ(sigismember(&action.sa_mask, SIGTERM), 1);
    EXPECT_EQ(sigismember(&action.sa_mask, SIGPROF), 1);
  }
}

TEST_F(ShutdownSignalsTest, GiveTheFormerHandlersBack) {
  {
    ShutdownSignals signals(&requested_, &waker_, kLongNs);
    ASSERT_TRUE(signals.Install().ok());
    EXPECT_EQ(signals.Uninstall(), 0);
    EXPECT_EQ(ActionOf(SIGINT).sa_handler, ProgramHandler);
  }
  EXPECT_EQ(ActionOf(SIGTERM).sa_handler, ProgramHandler);
}

TEST_F(ShutdownSignalsTest, LeaveAnIgnoredSignalIgnored) {
  Handle(SIGINT, SIG_IGN);
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  EXPECT_EQ(ActionOf(SIGINT).sa_handler, SIG_IGN);
  EXPECT_EQ(ActionOf(SIGTERM).sa_sigaction, HandleShutdownSignal);
}

TEST_F(ShutdownSignalsTest, LeaveAHandlerThatTheProgramInstalledLaterInPlace) {
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  Handle(SIGINT, ProgramHandler);
  raise(SIGINT);
  EXPECT_EQ(g_program_got, 1);
  EXPECT_EQ(requested_.load(), 0u);
  signals.Uninstall();
  EXPECT_EQ(ActionOf(SIGINT).sa_handler, ProgramHandler);
}

TEST_F(ShutdownSignalsTest, TheFirstSignalAsksForTheEndAndWakesTheDrain) {
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  raise(SIGTERM);
  EXPECT_EQ(requested_.load(), static_cast<uint32_t>(ShutdownReason::kSignal));
  EXPECT_TRUE(IsWoken());
  EXPECT_EQ(g_program_got, 0);
  EXPECT_EQ(signals.Uninstall(), SIGTERM);
}

TEST_F(ShutdownSignalsTest, ASecondSignalChangesNothing) {
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  raise(SIGINT);
  ASSERT_TRUE(waker_.Wait(0));
  raise(SIGTERM);
  EXPECT_FALSE(IsWoken());
  EXPECT_EQ(g_program_got, 0);
  EXPECT_EQ(signals.Uninstall(), SIGINT);
}

TEST_F(ShutdownSignalsTest, AThirdWithinTwoSecondsGoesToTheProgramAtOnce) {
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  for (int i = 0; i < 3; i++) raise(SIGINT);
  EXPECT_EQ(g_program_got, 1);
  EXPECT_EQ(ActionOf(SIGINT).sa_handler, ProgramHandler);
}

TEST_F(ShutdownSignalsTest, AThirdEndsAProgramWithoutAHandler) {
  EXPECT_EXIT(
      {
        Handle(SIGINT, SIG_DFL);
        ShutdownSignals signals(&requested_, &waker_, kLongNs);
        if (!signals.Install().ok()) _exit(1);
        for (int i = 0; i < 3; i++) raise(SIGINT);
        _exit(2);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST_F(ShutdownSignalsTest, TheWatchdogEndsAProgramWhoseShutdownHangs) {
  EXPECT_EXIT(
      {
        Handle(SIGTERM, SIG_DFL);
        ShutdownSignals signals(&requested_, &waker_, 20'000'000);
        if (!signals.Install().ok()) _exit(1);
        raise(SIGTERM);
        test::WaitUntil([] { return false; });  // a drain that never comes
        _exit(2);
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST_F(ShutdownSignalsTest, SignalsFromManyThreadsAreOneRequest) {
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; i++) threads.emplace_back([i] { raise(i % 2 == 0 ? SIGINT : SIGTERM); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(requested_.load(), static_cast<uint32_t>(ShutdownReason::kSignal));
  EXPECT_TRUE(waker_.Wait(0));
  EXPECT_FALSE(waker_.IsDue());  // woken once
}

TEST_F(ShutdownSignalsTest, ABlockedReadIsNotInterrupted) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan holds a signal back until the call has returned";
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ssize_t got = -2;
  std::atomic<pid_t> reader{0};
  std::thread thread([&] {
    reader = gettid();
    char byte;
    got = read(ends[0], &byte, 1);
  });
  const auto is_blocked = [&] {
    std::ifstream file("/proc/self/task/" + std::to_string(reader.load()) + "/syscall");
    std::string call;
    return static_cast<bool>(file >> call) && call == std::to_string(SYS_read);
  };
  ASSERT_TRUE(test::WaitUntil([&] { return reader != 0 && is_blocked(); }));
  pthread_kill(thread.native_handle(), SIGTERM);
  ASSERT_TRUE(test::WaitUntil([&] { return requested_.load() != 0; }));
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  thread.join();
  EXPECT_EQ(got, 1);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ShutdownSignalsTest, AForkedChildTakesThemAsWithoutUs) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan does not let a process with threads fork";
  InstallForkGuard(SIGPROF);
  Handle(SIGTERM, SIG_DFL);
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  const pid_t child = fork();
  if (child == 0) {
    kill(getpid(), SIGTERM);
    _exit(3);
  }
  ExpectDied(child, SIGTERM);
  EXPECT_EQ(ActionOf(SIGTERM).sa_sigaction, HandleShutdownSignal);
}

TEST_F(ShutdownSignalsTest, AChildAfterVforkTakesThemAsWithoutUs) {
  if (test::kUnderTsan) GTEST_SKIP() << "TSan makes vfork a fork";
  Handle(SIGTERM, SIG_DFL);
  ShutdownSignals signals(&requested_, &waker_, kLongNs);
  ASSERT_TRUE(signals.Install().ok());
  const pid_t child = vfork();
  if (child == 0) {
    kill(getpid(), SIGTERM);
    _exit(3);
  }
  ExpectDied(child, SIGTERM);
  EXPECT_EQ(ActionOf(SIGTERM).sa_sigaction, HandleShutdownSignal);
}

}  // namespace
}  // namespace spprof
