// Many threads at once and one after another, sampled by a whole session (sampler, drain, log): who
// is seen, whether the sums add up, and what is left behind.
//
// SPPROF_TEST_LONG=1: all of the thousand threads work, in several rounds.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <set>

#include "drain/drain.h"
#include "log/lane_stream.h"
#include "log/log_reader.h"
#include "log_contents.h"
#include "sampler_support.h"

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;
// Must be registered; and must have a sample: CPU clocks are looked at by the kernel's tick (4 ms
// at HZ=250), which may miss a thread that runs in shorter slices. In 22 ms it missed 8 of 3,000
// (by chance: e^-5.5), in 40 ms e^-10.
constexpr uint64_t kMustBeSeenNs = 20 * kMs;
constexpr uint64_t kMustHaveSampleNs = 40 * kMs;

bool IsLong() { return std::getenv("SPPROF_TEST_LONG") != nullptr; }

class Session {
 public:
  explicit Session(TimerEngine engine) : harness_(engine, kMs, folder_ / "region", 4096) {
    if (!log_.Create(folder_ / "log").ok()) std::abort();
    drain_ = std::make_unique<Drain>(&harness_.sampler(), &log_, harness_.waker());
    if (!harness_.sampler().Start().ok() || !drain_->Start().ok()) std::abort();
  }
  RegionHeader* header() { return harness_.region()->header(); }
  RegionMap* region() { return harness_.region(); }
  test::SamplerHarness& harness() { return harness_; }
  const Drain& drain() { return *drain_; }
  std::string log_path() { return folder_ / "log"; }
  // Ends it; then the law must hold: signals = written + dropped, written = drained + in lanes +
  // lost, and nothing was lost.
  test::LogContents StopAndCheckTheLaw() {
    harness_.sampler().Stop();
    drain_->Stop();
    const Totals totals = SumTotals(*harness_.region());
    EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals));
    EXPECT_EQ(totals.written, drain_->Stats().samples_drained);
    const test::LogContents contents = test::ReadContents(folder_ / "log");
    EXPECT_EQ(contents.samples, totals.written);
    EXPECT_EQ(contents.samples_without_stack, 0u);
    EXPECT_EQ(contents.lost_bytes, 0u);
    EXPECT_EQ(contents.stop_reason, "");
    std::printf("%llu signals, %llu written, %llu dropped, %u threads seen\n",
                static_cast<unsigned long long>(totals.signals),
                static_cast<unsigned long long>(totals.written),
                static_cast<unsigned long long>(test::DroppedSum(totals)),
                header()->threads_seen.load());
    EXPECT_EQ(header()->threads_refused.load(), 0u);
    for (const std::string& warning : drain_->Warnings()) ADD_FAILURE() << warning;
    return contents;
  }

 private:
  test::TemporaryFolder folder_;
  test::SamplerHarness harness_;
  LogWriter log_;
  std::unique_ptr<Drain> drain_;
};

// Samples in the log by thread id. A thread's record names its slot and generation.
std::map<pid_t, uint64_t> SamplesByTid(const std::string& path, const test::LogContents& contents) {
  std::map<pid_t, uint64_t> samples;
  LogReader reader;
  if (!LogReader::Open(path, &reader).ok()) return samples;
  LogChunk chunk;
  while (reader.Next(&chunk)) {
    if (chunk.header.kind != ChunkKind::kControl) continue;
    bool is_damaged = false;
    ForEachRecord(
        chunk.payload,
        [&](const RecordView& record) {
          ThreadRecord thread;
          if (record.header.type != RecordType::kThread || !record.Read(&thread)) return;
          const auto found = contents.samples_by_thread.find({thread.slot, thread.generation});
          samples[static_cast<pid_t>(thread.tid)] =
              found != contents.samples_by_thread.end() ? found->second : 0;
        },
        &is_damaged);
  }
  return samples;
}

struct Lived {
  pid_t tid = 0;
  uint64_t cpu_ns = 0;
};

std::multiset<pid_t> ActiveThreads(RegionMap* region) {
  std::multiset<pid_t> tids;
  for (uint32_t slot = 0; slot < region->slot_count(); slot++) {
    const ThreadLaneSet* lanes = region->Slot(slot);
    if (lanes->state.load() == static_cast<uint32_t>(SlotState::kActive))
      tids.insert(static_cast<pid_t>(lanes->tid));
  }
  return tids;
}

// `count` threads that begin at once; each lives until all have a slot, and until it has used its
// share.
void RunAtOnce(Session* session, size_t count, const std::function<uint64_t(size_t)>& work_ns,
               std::vector<Lived>* lived) {
  test::Gate begin, end;
  std::atomic<size_t> ready{0}, worked{0};
  std::vector<Lived> own(count);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; i++) {
    threads.emplace_back([&, i] {
      own[i].tid = CurrentThreadId();
      ready.fetch_add(1);
      begin.Wait();
      test::BurnCpu(work_ns(i));
      worked.fetch_add(1);
      if (i % 2 == 0) end.Wait();  // the others go at once
      own[i].cpu_ns = test::OwnCpuNs();
    });
  }
  EXPECT_TRUE(test::WaitUntil([&] { return ready.load() == count; }));
  EXPECT_TRUE(test::WaitUntil(
      [&] {
        const std::multiset<pid_t> active = ActiveThreads(session->region());
        return std::all_of(own.begin(), own.end(),
                           [&](const Lived& thread) { return active.count(thread.tid) == 1; });
      },
      std::chrono::seconds(60)))
      << "each is registered while it waits, in one slot";
  begin.Open();
  EXPECT_TRUE(test::WaitUntil([&] { return worked.load() == count; }, std::chrono::seconds(120)));
  end.Open();
  for (std::thread& thread : threads) thread.join();
  lived->insert(lived->end(), own.begin(), own.end());
}

void ExpectAllSeen(Session* session, const std::vector<Lived>& lived) {
  const test::LogContents contents = session->StopAndCheckTheLaw();
  auto samples = SamplesByTid(session->log_path(), contents);
  size_t due = 0, missed = 0, unknown = 0;
  for (const Lived& thread : lived) {
    if (thread.cpu_ns < kMustBeSeenNs) continue;
    due++;
    unknown += samples.count(thread.tid) == 0;
    missed += thread.cpu_ns >= kMustHaveSampleNs && samples[thread.tid] == 0;
  }
  std::printf(
      "%zu threads, %zu of them with 20 ms of CPU time, %zu with 40 ms and no sample, %zu never "
      "registered\n",
      lived.size(), due, missed, unknown);
  EXPECT_GT(due, 0u);
  EXPECT_EQ(unknown, 0u);
  if (!test::kUnderTsan) {  // holds signals back until the thread calls it
    EXPECT_EQ(missed, 0u);
  }
}

class ManyThreadsBy : public testing::TestWithParam<TimerEngine> {};
INSTANTIATE_TEST_SUITE_P(Engines, ManyThreadsBy,
                         testing::Values(TimerEngine::kTick, TimerEngine::kHires),
                         [](const auto& info) {
                           return info.param == TimerEngine::kTick ? "Tick" : "Hires";
                         });

TEST_P(ManyThreadsBy, SixtyFourAtOnceAreAllSeen) {
  Session session(GetParam());
  std::vector<Lived> lived;
  for (int round = 0; round < 3; round++) {
    RunAtOnce(
        &session, 64, [](size_t i) { return i % 4 == 0 ? 40 * kMs : kMs; }, &lived);
  }
  ExpectAllSeen(&session, lived);
}

TEST(ManyThreads, AThousandAtOnceAreAllSeen) {
  Session session(TimerEngine::kTick);
  std::vector<Lived> lived;
  const size_t idle_share = IsLong() ? 1 : 8;
  for (int round = 0; round < (IsLong() ? 3 : 1); round++) {
    RunAtOnce(
        &session, 1000, [&](size_t i) { return i % idle_share == 0 ? 40 * kMs : kMs / 2; }, &lived);
  }
  ExpectAllSeen(&session, lived);
}

// Why this process may not have so many threads with a timer each; empty: it may.
std::string WhyNotSoMany(uint64_t count) {
  struct rlimit pending {};  // a timer keeps a place in the queue of signals
  if (getrlimit(RLIMIT_SIGPENDING, &pending) == 0 && pending.rlim_cur < count)
    return "RLIMIT_SIGPENDING is " + std::to_string(pending.rlim_cur);
  const std::string most = test::ReadFile("/sys/fs/cgroup/pids.max");
  if (!most.empty() && most[0] != 'm' && std::strtoull(most.c_str(), nullptr, 10) < count)
    return "pids.max is " + most;
  return "";
}

// As many as there are slots, with the one that waits for them. Each works until it has a sample.
TEST(ManyThreads, FourThousandAndNinetySixAtOnceHaveASampleEach) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer's threads take ten times the time and memory";
  constexpr size_t kOthers = 4095;
  const std::string reason = WhyNotSoMany(2 * kOthers);
  if (!reason.empty()) GTEST_SKIP() << reason;
  Session session(TimerEngine::kTick);
  test::Gate begin, end;
  std::atomic<size_t> done{0};
  std::vector<pid_t> tids(kOthers);
  std::vector<std::thread> threads;
  std::string failure;
  try {
    for (size_t i = 0; i < kOthers; i++) {
      threads.emplace_back([&, i] {
        tids[i] = CurrentThreadId();
        begin.Wait();
        const uint32_t slot = session.harness().SlotOf(tids[i]);
        while (slot != kNoSlot && session.harness().CountersOf(slot).written.load() == 0)
          test::BurnCpu(kMs);
        done.fetch_add(1);
        end.Wait();
      });
    }
  } catch (const std::system_error& error) {
    failure = error.what();
  }
  const auto are_registered = [&] { return ActiveThreads(session.region()).size() > kOthers; };
  if (failure.empty()) {
    EXPECT_TRUE(test::WaitUntil(are_registered, std::chrono::seconds(120)));
    begin.Open();
    EXPECT_TRUE(test::WaitUntil([&] { return done == kOthers; }, std::chrono::seconds(300)));
  }
  begin.Open();
  end.Open();
  for (std::thread& thread : threads) thread.join();
  if (!failure.empty())
    GTEST_SKIP() << "after " << threads.size() << " threads the system refuses more: " << failure;
  const test::LogContents contents = session.StopAndCheckTheLaw();
  auto samples = SamplesByTid(session.log_path(), contents);
  size_t sampled = 0;
  for (const pid_t tid : tids) sampled += samples[tid] > 0;
  EXPECT_EQ(sampled, kOthers);
  EXPECT_EQ(session.header()->threads_seen.load(), kOthers + 1);
}

// The drain of an idle process sleeps for 100 ms at a time: longer than these threads live.
// (Without the alarm on the process's CPU clock, 2 of 48 were never registered.)
TEST_P(ManyThreadsBy, OneThatComesWhileTheProcessIsIdleIsSeen) {
  constexpr uint64_t kLongVisitNs = 80 * kMs;
  Session session(GetParam());
  std::vector<Lived> lived;
  for (int round = 0; round < 12; round++) {
    // Waiting must use no CPU time here.
    ASSERT_TRUE(test::WaitUntil([&] {
      usleep(20'000);
      return session.drain().Stats().lag_ns > kLongVisitNs;
    }));
    Lived own;
    std::thread([&own] {
      own.tid = CurrentThreadId();
      test::BurnCpu(kMustBeSeenNs + 5 * kMs);
      own.cpu_ns = test::OwnCpuNs();
    }).join();
    lived.push_back(own);
  }
  ExpectAllSeen(&session, lived);
}

// Nobody waits for them: each is on its own to be found while it works.
// (When threads were listed only when their number had changed, 10 of 480 never were.)
TEST_P(ManyThreadsBy, ThoseThatComeAndGoAreSeenIfTheyUseTwentyMilliseconds) {
  Session session(GetParam());
  std::vector<Lived> lived;
  std::mutex mutex;
  const auto worker = [&](uint64_t ns) {
    test::BurnCpu(ns);
    std::lock_guard lock(mutex);
    lived.push_back({CurrentThreadId(), test::OwnCpuNs()});
  };
  const int turns = IsLong() ? 200 : 15;
  for (int turn = 0; turn < turns; turn++) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++) threads.emplace_back(worker, i % 2 == 0 ? 20 * kMs : kMs);
    for (std::thread& thread : threads) thread.join();
  }
  ExpectAllSeen(&session, lived);
}

uint64_t ResidentKib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::strtoull(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

// Half register themselves, as workers do; the others are found by the scan, or not.
TEST_P(ManyThreadsBy, TenThousandShortOnesInARowLeaveNothing) {
  test::StartToolsThreads();
  Session session(GetParam());
  const uint32_t at_first = session.header()->thread_count.load();
  const auto churn = [&](int count) {
    for (int i = 0; i < count; i++) {
      std::thread([&] {
        if (i % 2 == 0) {
          EXPECT_TRUE(
              session.harness().sampler().RegisterCurrentThread(ThreadKind::kWorker, "short"));
        }
        test::BurnCpu(20'000);
      }).join();
    }
  };
  const auto settle = [&] {
    EXPECT_TRUE(test::WaitUntil([&] {
      test::BurnCpu(kMs);  // a drain that sees no work scans seldom
      return session.header()->thread_count.load() == at_first;
    })) << session.header()->thread_count.load()
        << " slots are in use";
  };
  const int count = test::kSanitized && !IsLong() ? 1000 : 10'000;
  churn(count / 5);
  settle();
  const test::Holdings before = test::CountHoldings();
  const uint64_t resident = ResidentKib();
  const uint32_t slots = session.region()->slot_count();
  churn(count);
  settle();
  const test::Holdings after = test::CountHoldings();
  std::printf(
      "timers %zu -> %zu, fds %zu -> %zu, mappings %zu -> %zu, RSS %llu -> %llu KiB, slots %u -> "
      "%u\n",
      before.timers, after.timers, before.fds, after.fds, before.mappings, after.mappings,
      static_cast<unsigned long long>(resident), static_cast<unsigned long long>(ResidentKib()),
      slots, session.region()->slot_count());
  EXPECT_EQ(after.timers, before.timers);
  EXPECT_EQ(after.fds, before.fds);
  EXPECT_GE(session.header()->threads_seen.load(), static_cast<uint32_t>(count / 2));
  if (!test::kSanitized) {  // their allocators map as they go
    EXPECT_LE(after.mappings, before.mappings + 8);
    EXPECT_LE(ResidentKib(), resident + 16 * 1024);
  }
  // Those that have gone since the last listing keep their slots.
  EXPECT_LE(session.region()->slot_count(), 2048u);
  session.StopAndCheckTheLaw();
}

// What a child of its own finds with room for `timers` more timers: 0, or the line of what is
// wrong.
int SampleWithFewTimers(rlim_t timers) {
  const std::string status = test::ReadFile("/proc/self/status");
  const rlim_t used = std::strtoull(status.c_str() + status.find("SigQ:") + 5, nullptr, 10);
  struct rlimit limit;
  getrlimit(RLIMIT_SIGPENDING, &limit);
  limit.rlim_cur = used + timers;
  setrlimit(RLIMIT_SIGPENDING, &limit);
  test::SamplerHarness harness(TimerEngine::kTick);
  if (!harness.sampler().Start().ok()) return __LINE__;
  const uint32_t own = harness.SlotOf(CurrentThreadId());
  if (own == kNoSlot) return __LINE__;
  test::Gate gate;
  std::vector<std::thread> threads;
  std::atomic<int> running{0};  // a thread that is being born is left to a later scan
  for (int i = 0; i < 40; i++) {
    threads.emplace_back([&] {
      running++;
      gate.Wait();
    });
  }
  if (!test::WaitUntil([&] { return running.load() == 40; })) return __LINE__;
  for (int i = 0; i < 30; i++) harness.sampler().ScanThreads();
  const uint32_t sampled = harness.region()->header()->thread_count.load();
  const std::vector<std::string> warnings = harness.sampler().TakeWarnings();
  const uint64_t before = harness.CountersOf(own).written.load();
  const bool goes_on = test::kUnderTsan || test::WaitUntil([&] {
                         test::BurnCpu(kMs);
                         return harness.CountersOf(own).written.load() > before;
                       });
  gate.Open();
  for (std::thread& thread : threads) thread.join();
  harness.sampler().Stop();
  for (const std::string& warning : warnings)
    std::printf("%u sampled; warning: %s\n", sampled, warning.c_str());
  std::fflush(stdout);
  if (sampled < 2 || sampled > 40) return __LINE__;
  if (!goes_on) return __LINE__;
  if (harness.region()->header()->threads_seen.load() > sampled + 3)
    return __LINE__;  // not tried at every scan
  if (warnings.size() != 1) return __LINE__;
  if (warnings[0].find(std::to_string(limit.rlim_cur)) == std::string::npos) return __LINE__;
  if (warnings[0].find("ulimit -i") == std::string::npos) return __LINE__;
  return 0;
}

// The limit counts all that this user has pending anywhere, so that another program may get in the
// way: tried again.
TEST(ManyThreads, WithoutTimersForAllTheOthersAreSampledAndOneWarningTellsTheLimit) {
  int line = 0;
  for (int attempt = 0; attempt < 5; attempt++) {
    std::fflush(stdout);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(60);
      const int wrong = SampleWithFewTimers(12);
      std::printf("%s",
                  wrong != 0 ? ("wrong at line " + std::to_string(wrong) + "\n").c_str() : "");
      std::fflush(stdout);
      _exit(wrong != 0 ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    line = WEXITSTATUS(status);
    if (line == 0) break;
  }
  EXPECT_EQ(line, 0) << "see above";
}

}  // namespace
}  // namespace spprof
