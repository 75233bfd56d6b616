// The program's signals are the program's: each one that is sent arrives once, in whichever way and
// to whichever thread, while the process is sampled and drained.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "drain/drain.h"
#include "log/log_writer.h"
#include "platform/signal_names.h"
#include "sampler_support.h"

namespace spprof {
namespace {

using test::SamplerHarness;

constexpr int kThreads = 3;
constexpr int kOfEachKind = 5000;  // five kinds, four engines: 100,000 signals in all

std::atomic<uint64_t> g_handled[65];

void Count(int signal) { g_handled[signal].fetch_add(1, std::memory_order_relaxed); }

// What a program may use: real-time signals from both ends of their range, and ordinary ones.
std::vector<int> RealTime() { return {SIGRTMIN, SIGRTMIN + 3, SIGRTMAX - 1, SIGRTMAX}; }
const int kOrdinary[] = {SIGUSR1, SIGUSR2, SIGWINCH};

std::vector<int> ProgramSignals() {
  std::vector<int> all = RealTime();
  all.insert(all.end(), std::begin(kOrdinary), std::end(kOrdinary));
  return all;
}

uint64_t Handled() {
  uint64_t sum = 0;
  for (const auto& count : g_handled) sum += count.load(std::memory_order_relaxed);
  return sum;
}

bool IsRealTime(int signal) { return signal >= SIGRTMIN; }

// Where all signals that this user may have pending are pending, until some have arrived.
template <typename Send>
void SendUntilTaken(Send send) {
  while (send() != 0) {
    ASSERT_EQ(errno, EAGAIN);
    std::this_thread::yield();
  }
}

// Threads that work, and take signals.
class Takers {
 public:
  Takers() {
    for (int i = 0; i < kThreads; i++) {
      threads_.emplace_back([this, i] {
        tids_[i].store(CurrentThreadId());
        while (!is_over_.load()) test::BurnCpu(100'000);
      });
    }
    for (const auto& tid : tids_) {
      EXPECT_TRUE(test::WaitUntil([&tid] { return tid.load() != 0; }));
    }
  }
  ~Takers() {
    is_over_.store(true);
    for (std::thread& thread : threads_) thread.join();
  }
  pid_t tid(int i) const { return tids_[i % kThreads].load(); }

 private:
  std::atomic<bool> is_over_{false};
  std::atomic<pid_t> tids_[kThreads]{};
  std::vector<std::thread> threads_;
};

// Sends one in the way that `i` says. An ordinary one waits until it has arrived: a second one that
// is sent before would be the same.
void SendOne(int i, const Takers& takers) {
  constexpr int kOrdinaryEvery = 50;  // as each takes a turn of the CPU
  const auto turn = static_cast<size_t>(i);
  const int signal = i % kOrdinaryEvery == 0 ? kOrdinary[turn / kOrdinaryEvery % 3]
                                             : RealTime()[turn % RealTime().size()];
  const uint64_t before = g_handled[signal].load();
  switch (i / 7 % 4) {
    case 0:
      SendUntilTaken([signal] { return kill(getpid(), signal); });
      break;
    case 1:
      SendUntilTaken([signal, i] {
        sigval value;
        value.sival_int = i;
        return sigqueue(getpid(), signal, value);
      });
      break;
    case 2:
      SendUntilTaken(
          [&] { return static_cast<int>(syscall(SYS_tgkill, getpid(), takers.tid(i), signal)); });
      break;
    default:
      SendUntilTaken([signal] { return raise(signal); });
  }
  if (IsRealTime(signal)) return;
  ASSERT_TRUE(test::WaitUntil([&] { return g_handled[signal].load() > before; }));
}

// Those of a timer: each expiry is a signal, or an overrun of one.
std::atomic<uint64_t> g_expiries{0};

void CountExpiries(int, siginfo_t* info, void*) {
  g_expiries.fetch_add(1 + static_cast<uint64_t>(info->si_overrun), std::memory_order_relaxed);
}

class SignalsOfTheProgram : public testing::TestWithParam<TimerEngine> {
 protected:
  void SetUp() override {
    SKIP_WHERE_FORBIDDEN(GetParam());
    for (auto& count : g_handled) count.store(0);
    struct sigaction action {};
    action.sa_handler = Count;
    action.sa_flags = SA_RESTART;
    for (const int signal : ProgramSignals())
      ASSERT_EQ(sigaction(signal, &action, &before_[signal]), 0);
    ASSERT_TRUE(log_.CreateUnnamed().ok());
    SamplerOptions options;
    options.engine = GetParam();
    options.signal = kAnySignal;
    harness_ = std::make_unique<SamplerHarness>(options);
    drain_ = std::make_unique<Drain>(&harness_->sampler(), &log_, harness_->waker());
    ASSERT_TRUE(harness_->sampler().Start().ok());
    ASSERT_TRUE(drain_->Start().ok());
  }
  void TearDown() override {
    if (harness_ == nullptr) return;
    harness_->sampler().Stop();
    drain_->Stop();
    for (const int signal : ProgramSignals()) sigaction(signal, &before_[signal], nullptr);
  }

  LogWriter log_;
  std::unique_ptr<SamplerHarness> harness_;
  std::unique_ptr<Drain> drain_;
  struct sigaction before_[65];
};
INSTANTIATE_TEST_SUITE_P(Engines, SignalsOfTheProgram, testing::ValuesIn(test::kEngines),
                         test::EngineName);

TEST_P(SignalsOfTheProgram, ArriveOnceInWhicheverWay) {
  if (test::kUnderTsan)
    GTEST_SKIP() << "its runtime keeps signals back until the thread calls libc";
  const Takers takers;
  constexpr uint64_t kSent = 4 * kOfEachKind;
  for (int i = 0; i < static_cast<int>(kSent); i++) SendOne(i, takers);
  EXPECT_TRUE(test::WaitUntil([] { return Handled() >= kSent; }));
  EXPECT_EQ(Handled(), kSent);
}

// Nobody but the handler may take the signals of a timer.
TEST_P(SignalsOfTheProgram, OfATimerArriveAll) {
  if (test::kUnderTsan)
    GTEST_SKIP() << "its runtime keeps signals back until the thread calls libc";
  const Takers takers;
  struct sigaction action {
  }, before;
  action.sa_sigaction = CountExpiries;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ASSERT_EQ(sigaction(SIGRTMAX - 2, &action, &before), 0);
  g_expiries.store(0);
  struct sigevent event {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMAX - 2;
  timer_t timer;
  ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  const struct itimerspec often = {{0, 50'000}, {0, 50'000}};
  ASSERT_EQ(timer_settime(timer, 0, &often, nullptr), 0);
  EXPECT_TRUE(test::WaitUntil([] { return g_expiries.load() >= kOfEachKind; }));
  EXPECT_EQ(timer_delete(timer), 0);
  sigaction(SIGRTMAX - 2, &before, nullptr);
}

// The drain of an idle process is asleep for up to a second, and must not take them meanwhile.
TEST_P(SignalsOfTheProgram, ArriveWhileTheProcessSleeps) {
  if (test::kUnderTsan)
    GTEST_SKIP() << "its runtime keeps signals back until the thread calls libc";
  constexpr uint64_t kSent = 500;
  poll(nullptr, 0, 1200);  // by then the drain looks up once a second
  std::thread sender([] {
    for (uint64_t i = 0; i < kSent; i++) {
      SendUntilTaken([] { return sigqueue(getpid(), SIGRTMAX, sigval{}); });
      poll(nullptr, 0, 2);
    }
  });
  sender.join();
  EXPECT_TRUE(test::WaitUntil([] { return Handled() >= kSent; }, std::chrono::seconds(5)));
  EXPECT_EQ(Handled(), kSent);
}

// Ours is in the way of the default action, of a signal that nobody handles.
TEST(SignalsOfTheProgramWithoutAHandler, EndTheProcess) {
  for (const TimerEngine engine : {TimerEngine::kTick, TimerEngine::kItimer}) {
    SamplerOptions options;
    options.engine = engine;
    options.signal = kAnySignal;
    const int signal = engine == TimerEngine::kItimer ? SIGPROF : FreeSignal();
    EXPECT_EXIT(
        {
          SamplerHarness harness(options);
          if (!harness.sampler().Start().ok()) _exit(1);
          test::BurnCpu(20'000'000);
          kill(getpid(), signal);
          test::WaitUntil([] { return false; }, std::chrono::seconds(5));
          _exit(2);
        },
        testing::KilledBySignal(signal), "");
  }
}

// The process that a program forks has our handler, and no recording.
TEST(SignalsOfTheProgramWithoutAHandler, EndItsForkedChild) {
  SamplerOptions options;
  options.signal = kAnySignal;
  SamplerHarness harness(options);
  ASSERT_TRUE(harness.sampler().Start().ok());
  const int signal = harness.sampler().signal();
  const pid_t child = fork();
  if (child == 0) {
    raise(signal);
    _exit(2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
  harness.sampler().Stop();
}

// V8's sampling profiler sends SIGPROF to threads, and one may be late.
TEST(SignalsOfTheProgramWithoutAHandler, ButNotTheTailOfAnotherProfiler) {
  SamplerHarness harness(TimerEngine::kItimer);
  ASSERT_TRUE(harness.sampler().Start().ok());
  ASSERT_EQ(syscall(SYS_tgkill, getpid(), CurrentThreadId(), SIGPROF), 0);
  harness.sampler().Stop();
}

// A program that waits for a signal has blocked it: it is left to that program.
TEST(FreeSignal, ThatIsWaitedForIsNotOurs) {
  sigset_t all, before;
  sigemptyset(&all);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) sigaddset(&all, signal);
  const int free_one = SIGRTMIN + 7;
  sigdelset(&all, free_one);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
  SamplerOptions options;
  options.signal = kAnySignal;
  SamplerHarness harness(options);
  EXPECT_EQ(harness.sampler().signal(), free_one);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

}  // namespace
}  // namespace spprof
