// The system's calls fail one after another: the first, then the second, … of a whole recording,
// until one has all that it asks for. Whatever the profiler makes of it, the program is left as it
// was, and a later recording works.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "core_support.h"
#include "profile/recording_builder.h"
#include "sampler_support.h"
#include "session/profiler.h"
#include "signal_safe/machine/kernel.h"

namespace {

enum class Call { kNone, kSigaction, kThread, kMmap, kMprotect, kTimer, kSync };

std::atomic<Call> g_failing{Call::kNone};
std::atomic<int> g_left{0};  // calls up to the one that fails
std::atomic<int> g_syncs{0};

bool Fails(Call call) { return g_failing == call && g_left.fetch_sub(1) == 1; }

}  // namespace

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // they put their own in place

namespace {

constexpr bool kCanFail = true;

int64_t FailWith(int error) {
  errno = error;
  return -1;
}

int64_t Result(int64_t returned) {
  return returned < 0 && returned >= -4095 ? FailWith(static_cast<int>(-returned)) : returned;
}

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// In place of the C library's.
extern "C" {

int __sigaction(int signal, const struct sigaction* action, struct sigaction* former) noexcept;
int sigaction(int signal, const struct sigaction* action, struct sigaction* former) noexcept {
  // What puts the program's own back is not refused: it has been there before.
  const bool is_ours = action != nullptr && (action->sa_flags & SA_SIGINFO) != 0;
  if (is_ours && Fails(Call::kSigaction)) return static_cast<int>(FailWith(EINVAL));
  return __sigaction(signal, action, former);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* data) noexcept {
  if (Fails(Call::kThread)) return EAGAIN;
  static auto* const next = Next<decltype(pthread_create)>("pthread_create");
  return next(thread, attributes, run, data);
}

void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t at) noexcept {
  const int64_t result =
      Fails(Call::kMmap)
          ? FailWith(ENOMEM)
          : Result(spprof::kernel::Call(SYS_mmap, reinterpret_cast<int64_t>(address),
                                        static_cast<int64_t>(length), protection, flags, fd, at));
  return reinterpret_cast<void*>(result);
}

int mprotect(void* address, size_t length, int protection) noexcept {
  if (Fails(Call::kMprotect)) return static_cast<int>(FailWith(ENOMEM));
  return static_cast<int>(Result(spprof::kernel::Call(
      SYS_mprotect, reinterpret_cast<int64_t>(address), static_cast<int64_t>(length), protection)));
}

int fdatasync(int fd) {
  g_syncs++;
  if (Fails(Call::kSync)) return static_cast<int>(FailWith(EIO));
  return static_cast<int>(Result(spprof::kernel::Call(SYS_fdatasync, fd)));
}

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  int64_t arguments[6];
  for (int64_t& argument : arguments) argument = va_arg(list, int64_t);
  va_end(list);
  if (number == SYS_timer_create && Fails(Call::kTimer)) return FailWith(EAGAIN);
  return Result(spprof::kernel::Call(number, arguments[0], arguments[1], arguments[2], arguments[3],
                                     arguments[4], arguments[5]));
}

}  // extern "C"

#else
namespace {
constexpr bool kCanFail = false;
}
#endif

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;

void ProgramHandler(int) {}

size_t ThreadCount() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    count += entry.is_directory() ? 1 : 0;
  return count;
}

struct Outcome {
  bool has_started = false;
  std::string failure;  // of the start or the stop
  Recording recording;
};

uint64_t Written() {
  ProfilerStats stats;
  return Profiler::Get().Stats(&stats).ok() ? stats.totals.written : 0;
}

// A recording of this process, which works for a moment, or until it has a sample.
Outcome Record(const test::TemporaryFolder& folder, bool until_sampled = false) {
  ProfilerOptions options;
  options.sampler.engine = TimerEngine::kHires;
  options.directory = folder / "";
  options.handle_signals = true;
  options.max_threads = 64;
  Outcome outcome;
  const Status status = Profiler::Get().Start(options);
  outcome.has_started = status.ok();
  if (!status.ok()) {
    outcome.failure = status.message();
    return outcome;
  }
  test::BurnCpu(10 * kMs);
  EXPECT_TRUE(!until_sampled || test::WaitUntil([] { return Written() > 0; }));
  FinishedRecording finished;
  EXPECT_TRUE(Profiler::Get().Stop(&finished).ok());
  outcome.failure = finished.warning;
  finished.log.reset();
  const Status read = ReadLog(folder / "log", &outcome.recording);
  EXPECT_TRUE(read.ok()) << read.message();
  return outcome;
}

class FailingCalls : public testing::Test {
 protected:
  void SetUp() override {
    if (!kCanFail) GTEST_SKIP() << "the sanitizer stands in place of these calls itself";
    for (int signal : kShutdownSignals) Handle(signal, ProgramHandler);
    test::TemporaryFolder folder;
    ASSERT_TRUE(Record(folder).has_started) << "what is made once for the process is there";
    threads_ = ThreadCount();
  }
  void TearDown() override {
    g_failing = Call::kNone;
    for (int signal : kShutdownSignals) Handle(signal, SIG_DFL);
  }
  static void Handle(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(signal, &action, nullptr);
  }

  // Call 1, 2, … fails until there is none left that could. Gives how many there were.
  int FailOneAfterAnother(Call call, const std::function<void(const Outcome&)>& check) {
    int number = 1;
    for (;; number++) {
      SCOPED_TRACE("call " + std::to_string(number));
      test::TemporaryFolder folder;
      g_left = number;
      g_failing = call;
      const Outcome outcome = Record(folder);
      g_failing = Call::kNone;
      if (g_left > 0) break;
      check(outcome);
      ExpectUntouched();
    }
    test::TemporaryFolder folder;
    const Outcome after = Record(folder, true);
    EXPECT_TRUE(after.has_started) << after.failure;
    EXPECT_GT(after.recording.stats.written, 0u);
    ExpectUntouched();
    return number - 1;
  }

  void ExpectUntouched() {
    EXPECT_FALSE(Profiler::Get().IsRunning());
    for (int signal : kShutdownSignals) {
      struct sigaction action {};
      sigaction(signal, nullptr, &action);
      EXPECT_EQ(action.sa_handler, ProgramHandler) << signal;
    }
    EXPECT_TRUE(test::WaitUntil([this] { return ThreadCount() <= threads_; }));
  }
  // The start says what was refused, or the recording is whole.
  static void ExpectRefusedOrWhole(const Outcome& outcome) {
    if (!outcome.has_started) {
      EXPECT_NE(outcome.failure, "");
      return;
    }
    EXPECT_TRUE(outcome.recording.is_stopped_cleanly);
    uint64_t dropped = 0;
    for (const auto& [reason, count] : outcome.recording.stats.dropped) dropped += count;
    EXPECT_EQ(outcome.recording.stats.signals, outcome.recording.stats.written + dropped);
  }

  // Where something is missing, it is for the call that failed, and not for what came of it.
  static void ExpectReason(const Outcome& outcome, int error) {
    std::vector<std::string> reasons = {outcome.failure};
    for (const std::string& warning : outcome.recording.stats.warnings) {
      if (warning.find("not sampled") != std::string::npos) reasons.push_back(warning);
    }
    for (const std::string& reason : reasons) {
      if (reason.empty()) continue;
      EXPECT_NE(reason.find(std::strerror(error)), std::string::npos) << reason;
    }
  }

  size_t threads_ = 0;
};

TEST_F(FailingCalls, SigactionOneAfterAnother) {
  // The faults' handlers, the samples', those of the shutdown signals: none is done without.
  EXPECT_GE(FailOneAfterAnother(Call::kSigaction,
                                [](const Outcome& outcome) {
                                  EXPECT_FALSE(outcome.has_started);
                                  EXPECT_NE(outcome.failure.find("sigaction"), std::string::npos)
                                      << outcome.failure;
                                }),
            5);
}

// The drain, and who ends the recording: without one of them there is no recording.
TEST_F(FailingCalls, PthreadCreateOneAfterAnother) {
  int refused = 0;
  EXPECT_GE(FailOneAfterAnother(Call::kThread,
                                [&refused](const Outcome& outcome) {
                                  ExpectRefusedOrWhole(outcome);
                                  if (outcome.has_started) return;
                                  refused++;
                                  EXPECT_NE(outcome.failure.find("thread"), std::string::npos)
                                      << outcome.failure;
                                }),
            2);
  EXPECT_EQ(refused, 2);
}

TEST_F(FailingCalls, MmapOneAfterAnother) {
  EXPECT_GE(FailOneAfterAnother(Call::kMmap,
                                [](const Outcome& outcome) {
                                  ExpectRefusedOrWhole(outcome);
                                  ExpectReason(outcome, ENOMEM);
                                }),
            2);
}

TEST_F(FailingCalls, MprotectOneAfterAnother) {
  EXPECT_GE(FailOneAfterAnother(Call::kMprotect, ExpectRefusedOrWhole), 1);
}

TEST_F(FailingCalls, TimerCreateOneAfterAnother) {
  int told = 0;
  EXPECT_GE(FailOneAfterAnother(Call::kTimer,
                                [&told](const Outcome& outcome) {
                                  ExpectRefusedOrWhole(outcome);
                                  const auto& warnings = outcome.recording.stats.warnings;
                                  told += std::any_of(warnings.begin(), warnings.end(),
                                                      [](const std::string& warning) {
                                                        return warning.find("POSIX timer") !=
                                                               std::string::npos;
                                                      });
                                }),
            1);
  EXPECT_GE(told, 1) << "a thread is not sampled";
}

TEST_F(FailingCalls, FdatasyncIsReportedAsAPhaseThatWasCutShort) {
  const int calls = FailOneAfterAnother(Call::kSync, [](const Outcome& outcome) {
    EXPECT_TRUE(outcome.recording.is_stopped_cleanly);
    bool is_cut_short = false;
    for (const auto& phase : outcome.recording.stats.shutdown.phases)
      if (phase.name == "sync") is_cut_short = phase.is_cut_short;
    EXPECT_TRUE(is_cut_short);
  });
  EXPECT_EQ(calls, 1) << "stop() syncs its log, once";
}

// Addresses, not memory: what a container or `ulimit -v` takes away.
TEST_F(FailingCalls, MoreAndMoreMemoryUnderALimit) {
  struct rlimit former {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &former), 0);
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const uint64_t used = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  bool has_started = false;
  int refused = 0;
  for (uint64_t more = 1 << 20; !has_started && more < uint64_t{1} << 40; more *= 2) {
    SCOPED_TRACE(more);
    test::TemporaryFolder folder;
    const struct rlimit limit = {used + more, former.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    ProfilerOptions options;
    options.directory = folder / "";
    const Status status = Profiler::Get().Start(options);
    FinishedRecording finished;
    if (status.ok()) {
      test::BurnCpu(10 * kMs);
      EXPECT_TRUE(Profiler::Get().Stop(&finished).ok());
      has_started = true;
    }
    setrlimit(RLIMIT_AS, &former);
    refused += status.ok() ? 0 : 1;
    EXPECT_EQ(status.message() == "", status.ok());
    ExpectUntouched();
  }
  EXPECT_TRUE(has_started);
  EXPECT_GT(refused, 0) << "the limit was never felt";
}

}  // namespace
}  // namespace spprof
