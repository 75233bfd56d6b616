// From lanes to the log: what the drain writes, in which order, and that it is everything.
#include "drain/drain.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <csignal>
#include <set>

#include "drain/lane_drainer.h"
#include "log/lane_stream.h"
#include "log/log_reader.h"
#include "log_contents.h"
#include "platform/kernel_tick_clock.h"
#include "sampler_support.h"
#include "signal_safe/machine/kernel.h"

namespace spprof {
namespace {

using test::LogContents;
using test::ReadContents;
using test::SamplerHarness;

TEST(LogWriter, WritesChunksThatTheReaderTakes) {
  test::TemporaryFolder folder;
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  const uint64_t words[] = {1, 2, 3};
  ASSERT_TRUE(log.AppendLane(ChunkKind::kDetail, 7, 3, 40, words, sizeof(words)));
  log.AddStat("answer", 42);
  ASSERT_TRUE(log.Flush());
  LogReader reader;
  ASSERT_TRUE(LogReader::Open(folder / "log", &reader).ok());
  LogChunk chunk;
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.kind, ChunkKind::kDetail);
  EXPECT_EQ(chunk.header.slot, 7u);
  EXPECT_EQ(chunk.header.generation, 3u);
  EXPECT_EQ(chunk.header.lane_position, 40u);
  ASSERT_EQ(chunk.payload.size(), sizeof(words));
  EXPECT_EQ(std::memcmp(chunk.payload.data(), words, sizeof(words)), 0);
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.kind, ChunkKind::kControl);
  EXPECT_FALSE(reader.Next(&chunk));
  EXPECT_EQ(reader.stop_reason(), "");
  EXPECT_EQ(reader.good_bytes(), log.bytes_written());
  EXPECT_EQ(ReadContents(folder / "log").stats.at("answer"), 42u);
}

TEST(LogWriter, AFileWithoutANameCanBeReadWhileTheWriterLives) {
  LogWriter log;
  ASSERT_TRUE(log.CreateUnnamed().ok());
  log.AddStat("answer", 42);
  log.Flush();
  EXPECT_EQ(ReadContents(log.file()).stats.at("answer"), 42u);
}

TEST(LogWriter, DoesNotWriteOverAnotherFile) {
  test::TemporaryFolder folder;
  test::WriteFile(folder / "log", "precious");
  LogWriter log;
  EXPECT_FALSE(log.Create(folder / "log").ok());
  EXPECT_EQ(test::ReadFile(folder / "log"), "precious");
}

TEST(LogWriter, GoesOnBehindTheLastGoodChunkOfATornLog) {
  test::TemporaryFolder folder;
  const std::string path = folder / "log";
  {
    LogWriter log;
    ASSERT_TRUE(log.Create(path).ok());
    for (uint64_t i = 0; i < 3; i++) {
      log.AddStat("stat" + std::to_string(i), i);
      log.Flush();
    }
  }
  const std::string whole = test::ReadFile(path);
  for (size_t cut = 1; cut < 60; cut++) {
    test::WriteFile(path, whole.substr(0, whole.size() - cut));
    LogWriter log;
    ASSERT_TRUE(log.OpenToAppend(path).ok());
    log.AddStat("later", 9);
    ASSERT_TRUE(log.Flush());
    const LogContents contents = ReadContents(path);
    EXPECT_EQ(contents.stop_reason, "") << cut;
    EXPECT_EQ(contents.stats.count("stat2"), 0u);
    EXPECT_EQ(contents.stats.at("stat1"), 1u);
    EXPECT_EQ(contents.stats.at("later"), 9u);
  }
}

// A full disk (here: a limit on the file's size) leaves what does not fit to the caller, and harms
// nothing that was there or comes later.
TEST(LogWriter, ADiskThatIsFullForAWhileTakesOnlyWhatFits) {
  test::TemporaryFolder folder;
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  const std::vector<uint8_t> bytes(4096, 7);
  ASSERT_TRUE(log.AppendLane(ChunkKind::kIndex, 0, 1, 0, bytes.data(), 4096));
  struct rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = {6000, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  const bool written = log.AppendLane(ChunkKind::kIndex, 0, 1, 4096, bytes.data(), 4096);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_FALSE(written);
  EXPECT_EQ(std::filesystem::file_size(folder / "log"), log.bytes_written()) << "no half a chunk";
  EXPECT_NE(log.failure(), "");
  ASSERT_TRUE(log.AppendLane(ChunkKind::kIndex, 0, 1, 8192, bytes.data(), 4096));
  LogReader reader;
  ASSERT_TRUE(LogReader::Open(folder / "log", &reader).ok());
  LogChunk chunk;
  ASSERT_TRUE(reader.Next(&chunk));
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.lane_position, 8192u);
  EXPECT_FALSE(reader.Next(&chunk));
  EXPECT_EQ(reader.stop_reason(), "");
}

TEST(LaneDrainer, WritesDetailsBeforeTheIndexAndCountsSamples) {
  test::TemporaryFolder folder;
  test::HandlerHarness harness;
  const uint32_t slot = harness.AddThread();
  for (int i = 0; i < 10; i++) test::HandlerHarness::Deliver(harness.Tick(slot));
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  LaneDrainer drainer(harness.region(), &log);
  EXPECT_GT(drainer.DrainSlot(slot), 10 * sizeof(SampleRecord));
  EXPECT_EQ(drainer.samples(), 10u);
  EXPECT_GT(drainer.handler_times().Percentile(0.5), 0u);
  EXPECT_EQ(drainer.DrainSlot(slot), 0u);
  LogReader reader;
  ASSERT_TRUE(LogReader::Open(folder / "log", &reader).ok());
  LogChunk chunk;
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.kind, ChunkKind::kDetail);
  ASSERT_TRUE(reader.Next(&chunk));
  EXPECT_EQ(chunk.header.kind, ChunkKind::kIndex);
  EXPECT_EQ(ReadContents(folder / "log").samples, 10u);
}

// A thread that samples as fast as it can against a drain: everything that was written arrives,
// once, and no sample stands in the log before the stack that it names.
TEST(LaneDrainer, LosesNothingWhileAThreadWrites) {
  test::TemporaryFolder folder;
  test::HandlerHarness harness;
  const uint32_t slot = harness.AddThread();
  const uint64_t wanted = test::kSanitized ? 20'000 : 300'000;
  std::atomic<bool> done{false};
  std::thread sampled([&] {
    // Many different stacks, so that details flow too: each depth is one, until the table is
    // cleared.
    struct Walk {
      static void Down(test::HandlerHarness* harness, uint32_t slot, uint64_t depth) {
        if (depth > 0)
          return Down(harness, slot, depth - 1),
                 std::atomic_signal_fence(std::memory_order_seq_cst);
        test::HandlerHarness::Deliver(harness->Tick(slot));
      }
    };
    for (uint64_t i = 0; i < wanted; i++) {
      if (i % 300 == 0) harness.State(slot)->walk.modules = nullptr;
      Walk::Down(&harness, slot, i % 50);
    }
    done.store(true, std::memory_order_release);
  });
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  LaneDrainer drainer(harness.region(), &log);
  for (bool last = false; !last;) {
    last = done.load(std::memory_order_acquire);
    while (drainer.DrainSlot(slot) != 0) {
    }
    if (!last) std::this_thread::yield();
  }
  sampled.join();
  const Totals totals = harness.Sum();
  EXPECT_EQ(totals.signals, wanted);
  EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals));
  EXPECT_EQ(drainer.samples(), totals.written);
  const LogContents contents = ReadContents(folder / "log");
  EXPECT_EQ(contents.samples, totals.written);
  EXPECT_EQ(contents.samples_without_stack, 0u) << "an index record before its details";
  EXPECT_EQ(contents.lost_bytes, 0u);
  EXPECT_EQ(contents.stop_reason, "");
  std::printf("%llu written, %llu dropped\n", static_cast<unsigned long long>(totals.written),
              static_cast<unsigned long long>(test::DroppedSum(totals)));
}

// What a process that is killed at once does not lose: the lanes are in the log before the rest of
// the end takes its time.
TEST(Drain, FlushesTheLanesBeforeAllElse) {
  test::TemporaryFolder folder;
  test::SamplerHarness harness(TimerEngine::kHires, 1'000'000);
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  Drain drain(&harness.sampler(), &log, harness.waker());
  ASSERT_TRUE(harness.sampler().Start().ok());
  ASSERT_TRUE(test::WaitUntil([&] { return SumTotals(*harness.region()).written > 5; }));
  harness.sampler().Stop();
  const uint64_t written = SumTotals(*harness.region()).written;
  EXPECT_FALSE(drain.FlushLanes(1)) << "the deadline is over";
  EXPECT_TRUE(drain.FlushLanes(UINT64_MAX));
  EXPECT_EQ(ReadContents(folder / "log").samples, written);
  EXPECT_TRUE(drain.FinalDrain(UINT64_MAX));
  EXPECT_EQ(ReadContents(folder / "log").samples, written);
  EXPECT_EQ(drain.Stats().samples_drained, written);
}

// Sampler and drain as in a session, with threads that come, work, rename themselves and go.
TEST(Drain, EverythingWrittenArrivesInTheLog) {
  test::TemporaryFolder folder;
  test::SamplerHarness harness(TimerEngine::kTick, 1'000'000);
  LogWriter log;
  ASSERT_TRUE(log.Create(folder / "log").ok());
  Drain drain(&harness.sampler(), &log, harness.waker());
  ASSERT_TRUE(harness.sampler().Start().ok());
  ASSERT_TRUE(drain.Start().ok());
  for (int turn = 0; turn < 4; turn++) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
      threads.emplace_back([&] {
        harness.sampler().RegisterCurrentThread(ThreadKind::kWorker, "named");
        test::BurnCpu(25'000'000);
      });
    }
    test::BurnCpu(25'000'000);
    for (std::thread& thread : threads) thread.join();
  }
  harness.sampler().Stop();
  drain.Stop();
  const Totals totals = SumTotals(*harness.region());
  EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals));
  EXPECT_EQ(drain.Stats().samples_drained, totals.written);
  log.Flush();
  const LogContents contents = ReadContents(folder / "log");
  EXPECT_EQ(contents.samples, totals.written);
  EXPECT_EQ(contents.samples_without_stack, 0u);
  EXPECT_EQ(contents.lost_bytes, 0u);
  EXPECT_GE(contents.threads.size(), 17u);
  if (!test::kUnderTsan) {  // TSan merges the signals of its safe points
    EXPECT_GE(totals.written, 50u);
  }
  EXPECT_EQ(contents.names.count("named"), 1u);
  // On a machine that lets nobody look at its clock for a tick, it is not known.
  const auto phase = contents.stats.find(kTickPhaseStat);
  if (phase != contents.stats.end()) {
    EXPECT_LT(phase->second, KernelTickNs());
  }
}

// Whoever polls a signalfd is woken by each signal of the process, on a CPU that somebody else may
// need.
TEST(Drain, SleepsThroughTheTicks) {
  SamplerHarness harness(TimerEngine::kHires, 100'000);
  LogWriter log;
  ASSERT_TRUE(log.CreateUnnamed().ok());
  Drain drain(&harness.sampler(), &log, harness.waker());
  ASSERT_TRUE(harness.sampler().Start().ok());
  ASSERT_TRUE(drain.Start().ok());
  const auto sleeps_of_others = [] {
    struct rusage all, own;
    getrusage(RUSAGE_SELF, &all);
    getrusage(RUSAGE_THREAD, &own);
    return static_cast<uint64_t>(all.ru_nvcsw - own.ru_nvcsw);
  };
  const uint64_t visits_before = drain.visits(), sleeps_before = sleeps_of_others();
  test::BurnCpu(500'000'000);
  const uint64_t visits = drain.visits() - visits_before;
  const uint64_t sleeps = sleeps_of_others() - sleeps_before;
  harness.sampler().Stop();
  drain.Stop();
  const uint64_t signals = SumTotals(*harness.region()).signals;
  std::printf("%lu visits, %lu sleeps, %lu signals\n", visits, sleeps, signals);
  EXPECT_GE(visits, 5u);
  EXPECT_LE(sleeps, signals / 4);  // 1 in 100; more where tools and other programs are in the way
}

// A drain over a process that sleeps.
class IdleDrain : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(log_.CreateUnnamed().ok());
    ASSERT_TRUE(harness_.sampler().Start().ok());
    ASSERT_TRUE(drain_.Start().ok());
  }
  void TearDown() override {
    drain_.Stop();
    harness_.sampler().Stop();
  }

  SamplerHarness harness_{TimerEngine::kTick};
  LogWriter log_;
  Drain drain_{&harness_.sampler(), &log_, harness_.waker(), 0};
};

// Its own visits are no work of the process's, however slow the machine.
TEST_F(IdleDrain, LeavesTheProcessAlone) {
  const uint64_t begin = drain_.visits();
  poll(nullptr, 0, 3000);
  const uint64_t visits = drain_.visits() - begin;
  std::printf("%lu visits in 3 s\n", visits);
  if (test::kUnderTsan) {
    std::printf("not bounded: a thread of TSan's runtime works every 100 ms\n");
  } else {
    EXPECT_LE(visits, 5u);  // 2 where nothing else happens; it looks up 6 times
  }
  harness_.waker()->Wake();
  const uint64_t deadline = MonotonicNow() + 5'000'000'000;
  while (drain_.visits() == begin + visits && MonotonicNow() < deadline) poll(nullptr, 0, 1);
  EXPECT_LE(drain_.Stats().lag_ns, 1'500'000'000u);  // that it looked up counts
  test::BurnCpu(100'000'000);
  EXPECT_GE(drain_.visits() - begin - visits, 5u);
}

// A thread is found although it hardly does anything.
TEST_F(IdleDrain, FindsAThreadThatComes) {
  poll(nullptr, 0, 700);  // it looks up after 640 ms and more seldom by now
  const uint32_t threads = harness_.region()->header()->threads_seen.load();
  std::thread thread([] { poll(nullptr, 0, 1500); });
  thread.join();
  EXPECT_EQ(harness_.region()->header()->threads_seen.load(), threads + 1);
}

// Sampler, drain, region and log, a hundred times over.
TEST(Drain, AHundredSessionsLeaveNothingBehind) {
  test::TemporaryFolder folder;
  const auto session = [&](int turn) {
    const std::string name = std::to_string(turn);
    test::SamplerHarness harness(turn % 2 == 0 ? TimerEngine::kTick : TimerEngine::kHires,
                                 1'000'000, folder / ("region" + name));
    LogWriter log;
    ASSERT_TRUE(log.Create(folder / ("log" + name)).ok());
    Drain drain(&harness.sampler(), &log, harness.waker());
    ASSERT_TRUE(harness.sampler().Start().ok());
    ASSERT_TRUE(drain.Start().ok());
    test::BurnCpu(2'000'000);
    harness.sampler().Stop();
    drain.Stop();
  };
  struct sigaction before, after;
  sigaction(SIGSEGV, nullptr, &before);
  int turn = 0;
  for (; turn < 10; turn++) session(turn);  // libc's own caches: thread stacks, buffers
  const test::Holdings at_first = test::CountHoldings();
  for (; turn < 110; turn++) session(turn);
  const test::Holdings at_end = test::CountHoldings();
  EXPECT_EQ(at_end.timers, at_first.timers);
  EXPECT_EQ(at_end.fds, at_first.fds);
  // The sanitizers' allocators map memory as they go.
  if (!test::kSanitized) {
    EXPECT_LE(at_end.mappings, at_first.mappings + 2);
  }
  sigaction(SIGSEGV, nullptr, &after);
  EXPECT_EQ(after.sa_sigaction, before.sa_sigaction);
}

}  // namespace
}  // namespace spprof
