// The end of a recording with many busy threads, and its signal handler. Targets: 64
// threads <= 20 ms, 1,000 threads <= 100 ms under load, a thread stops accepting in <= 10 us, its
// lanes are flushed in <= 1 ms, fsync <= 50 ms; the handler <= 1 us.
//
// A round is a recording of its own, at 1 kHz hires, with its files in SPPROF_BENCH_FOLDER (/tmp);
// timed is what the recording's report says, from the request on.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "platform/threads.h"
#include "profile/recording_builder.h"
#include "session/profiler.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {
namespace {

// Threads that sleep until they are let loose: a thousand busy ones would hold up whoever sets up
// the next round for minutes.
class BusyThreads {
 public:
  // `busy` of them work when they are let loose; the others go to sleep again after a moment.
  BusyThreads(int64_t count, int64_t busy) : count_(count), busy_(busy) {
    for (int64_t i = 0; i < count; i++) threads_.emplace_back([this, i] { Run(i < busy_); });
  }
  ~BusyThreads() {
    Set(State::kEnd);
    for (std::thread& thread : threads_) thread.join();
  }
  void LetLoose() {
    in_their_moment_ = count_ - busy_;
    Set(State::kBusy);
  }
  bool AreOthersAsleep() const { return in_their_moment_ == 0; }
  void HoldBack() { Set(State::kAsleep); }

 private:
  enum class State { kAsleep, kBusy, kEnd };

  void Set(State state) {
    state_ = state;
    state_.notify_all();
  }
  void Run(bool is_busy) {
    volatile uint64_t sink = 0;
    for (;;) {
      state_.wait(State::kAsleep);
      if (state_ == State::kEnd) return;
      const uint64_t end_ns = is_busy ? UINT64_MAX : kernel::ThreadCpuNs() + kMomentNs;
      while (state_.load(std::memory_order_relaxed) == State::kBusy &&
             (is_busy || kernel::ThreadCpuNs() < end_ns))
        sink = sink + 1;
      if (!is_busy) in_their_moment_--;
      state_.wait(State::kBusy);
    }
  }

  static constexpr uint64_t kMomentNs = 5'000'000;

  const int64_t count_;
  const int64_t busy_;
  std::atomic<int64_t> in_their_moment_{0};
  std::atomic<State> state_{State::kAsleep};
  std::vector<std::thread> threads_;
};

void Fail(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::exit(1);
}

void BM_WholeShutdown(benchmark::State& state) {
  const char* given = std::getenv("SPPROF_BENCH_FOLDER");
  std::string folder = std::string(given != nullptr ? given : "/tmp") + "/spprof-shutdown-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) std::abort();
  BusyThreads busy(state.range(0), state.range(1));
  RecordingShutdown worst;
  for (auto _ : state) {
    ProfilerOptions options;
    options.sampler.engine = TimerEngine::kHires;
    options.directory = folder;
    Fail(Profiler::Get().Start(options));
    busy.LetLoose();
    ProfilerStats stats;
    do {
      usleep(20'000);
      Fail(Profiler::Get().Stats(&stats));
    } while (stats.threads_live < state.range(0) ||
             stats.totals.written < static_cast<uint64_t>(state.range(0)) ||
             !busy.AreOthersAsleep());
    const uint64_t begin_ns = MonotonicNow();
    FinishedRecording finished;
    Fail(Profiler::Get().Stop(&finished));
    const uint64_t took_ns = MonotonicNow() - begin_ns;
    busy.HoldBack();
    Recording recording;
    Fail(ReadLog(folder + "/log", &recording));
    state.SetIterationTime(static_cast<double>(took_ns) / 1e9);
    if (recording.stats.shutdown.total_ns > worst.total_ns) worst = recording.stats.shutdown;
    std::filesystem::remove(folder + "/log");
    std::filesystem::remove(folder + "/region");
  }
  state.counters["wait_us"] = static_cast<double>(worst.wait_ns) / 1e3;
  double sync_ms = 0;
  for (const auto& phase : worst.phases)
    if (phase.name == "sync") sync_ms = static_cast<double>(phase.took_ns) / 1e6;
  state.counters["without_sync_ms"] = static_cast<double>(worst.total_ns) / 1e6 - sync_ms;
  for (const auto& phase : worst.phases)
    state.counters[phase.name + "_us"] = static_cast<double>(phase.took_ns) / 1e3;
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_WholeShutdown)
    ->ArgNames({"threads", "busy"})
    ->Args({64, 64})
    ->UseManualTime()
    ->Iterations(1)
    ->Repetitions(36)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_WholeShutdown)
    ->ArgNames({"threads", "busy"})
    ->Args({1, 1})
    ->Args({1000, 4})
    ->UseManualTime()
    ->Iterations(1)
    ->Repetitions(9)
    ->Unit(benchmark::kMillisecond)
    ->ComputeStatistics("max", [](const std::vector<double>& times) {
      return *std::max_element(times.begin(), times.end());
    });

// The handler's own time on the first signal: flag, watchdog, futex.
void BM_SignalHandler(benchmark::State& state) {
  Word requested{0};
  Waker waker;
  ShutdownSignalContext context;
  context.pid = getpid();
  context.waker = &waker;
  context.shutdown_requested = &requested;
  context.watchdog_ns = 3'000'000'000;
  SetShutdownSignalContext(&context);
  siginfo_t info{};
  for (auto _ : state) {
    HandleShutdownSignal(SIGTERM, &info, nullptr);
    context.count.store(0, std::memory_order_relaxed);
    requested.store(0, std::memory_order_relaxed);
  }
  SetShutdownSignalContext(nullptr);
}
BENCHMARK(BM_SignalHandler);

}  // namespace
}  // namespace spprof
