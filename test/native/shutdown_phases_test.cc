// Each phase of the end of a recording does its work in its own turn. What a phase has left undone
// the next ones make good, so the state is looked at in between: from calls of the C library that
// the thread which ends the recording makes in the phase that follows.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core_support.h"
#include "log_contents.h"
#include "sampler_support.h"
#include "session/profiler.h"
#include "signal_safe/handler/handler.h"
#include "signal_safe/machine/kernel.h"

namespace {

// What is done at the first such call of the end's thread.
std::function<void()> g_at_write, g_at_modules, g_at_sync;
// The drain cannot write: what the lanes hold is left to the end.
std::atomic<bool> g_is_full{false};

bool IsEndThread() {
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  return std::strcmp(name, "spprof-end") == 0;
}

void RunOnce(std::function<void()>* look) {
  if (*look == nullptr || !IsEndThread()) return;
  const std::function<void()> once = std::exchange(*look, nullptr);
  once();
}

}  // namespace

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // they put their own in place

namespace {

constexpr bool kCanLook = true;

ssize_t Result(int64_t returned) {
  if (returned >= 0) return returned;
  errno = static_cast<int>(-returned);
  return -1;
}

}  // namespace

// In place of the C library's.
extern "C" {

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (g_is_full && !IsEndThread()) return Result(-ENOSPC);
  RunOnce(&g_at_write);
  return Result(
      spprof::kernel::Call(SYS_writev, fd, reinterpret_cast<int64_t>(parts), int64_t{count}));
}

int fdatasync(int fd) {
  RunOnce(&g_at_sync);
  return static_cast<int>(Result(spprof::kernel::Call(SYS_fdatasync, fd)));
}

int dl_iterate_phdr(int (*callback)(struct dl_phdr_info*, size_t, void*), void* data) {
  RunOnce(&g_at_modules);
  static auto* const next =
      reinterpret_cast<decltype(&dl_iterate_phdr)>(dlsym(RTLD_NEXT, "dl_iterate_phdr"));
  return next(callback, data);
}

}  // extern "C"

#else
namespace {
constexpr bool kCanLook = false;
}
#endif

namespace spprof {
namespace {

uint64_t Written() {
  ProfilerStats stats;
  return Profiler::Get().Stats(&stats).ok() ? stats.totals.written : 0;
}

class ShutdownPhases : public testing::Test {
 protected:
  void SetUp() override {
    if (!kCanLook) GTEST_SKIP() << "the sanitizer stands in place of these calls itself";
    ProfilerOptions options;
    options.sampler.engine = TimerEngine::kTick;
    options.directory = folder_ / "";
    options.handle_signals = true;
    const Status status = Profiler::Get().Start(options);
    ASSERT_TRUE(status.ok()) << status.message();
    g_is_full = true;
    const uint64_t before = Written();
    ASSERT_TRUE(test::WaitUntil([&] { return Written() > before; }));
    HandlerContext* context = GetHandlerContext();
    ASSERT_NE(context, nullptr);
    header_ = context->header;
  }
  void TearDown() override {
    g_is_full = false;
    g_at_write = g_at_modules = g_at_sync = nullptr;
    if (Profiler::Get().IsRunning()) Stop();
  }
  void Stop() {
    FinishedRecording finished;
    EXPECT_TRUE(Profiler::Get().Stop(&finished).ok());
  }
  uint64_t SamplesInLog() const { return test::ReadContents(folder_ / "log").samples; }

  test::TemporaryFolder folder_;
  const RegionHeader* header_ = nullptr;
};

TEST_F(ShutdownPhases, NoSampleIsTakenWhenTheLanesAreFlushed) {
  bool is_accepting = true;
  g_at_write = [&] { is_accepting = header_->accepting_samples.load() != 0; };
  Stop();
  EXPECT_EQ(g_at_write, nullptr);
  EXPECT_FALSE(is_accepting);
}

TEST_F(ShutdownPhases, NoTimerIsThereWhenTheLanesAreFlushed) {
  bool is_left = false;
  // A handler that is at work just then leaves it to the release.
  g_at_write = [&] { is_left = GetHandlerContext() == nullptr || !AreHandlersQuiet(); };
  Stop();
  EXPECT_TRUE(is_left);
}

TEST_F(ShutdownPhases, AllSamplesAreInTheLogBeforeTheFinalDrain) {
  uint64_t flushed = 0;
  const uint64_t before = SamplesInLog();
  g_at_modules = [&] { flushed = SamplesInLog(); };
  Stop();
  EXPECT_GT(flushed, before);
  EXPECT_EQ(flushed, SamplesInLog());
}

TEST_F(ShutdownPhases, TheCountersAreInTheLogBeforeItIsSynced) {
  size_t drained = 0;
  g_at_sync = [&] { drained = test::ReadContents(folder_ / "log").stats.count("drained"); };
  Stop();
  EXPECT_EQ(g_at_sync, nullptr) << "stop() syncs its log";
  EXPECT_EQ(drained, 1u);
}

TEST_F(ShutdownPhases, TheProgramHasItsSignalsBackAfterTheRelease) {
  Stop();
  for (int signal : kShutdownSignals) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    EXPECT_EQ(action.sa_handler, SIG_DFL) << signal;
  }
}

}  // namespace
}  // namespace spprof
