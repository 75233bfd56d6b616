// Children of a process that is sampled at 10 kHz, with its region in a file: they are neither
// sampled nor do they write into it, and a large process can have them.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "sampler_support.h"

extern char** environ;

namespace spprof {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kIntervalNs = 100'000;

class Children : public testing::Test {
 protected:
  void SetUp() override {
    if (test::kUnderTsan) GTEST_SKIP() << "TSan does not let a process with threads fork";
    ASSERT_TRUE(harness_.sampler().Start().ok());
    test::BurnCpu(20 * kMs);
  }
  // The law holds in the parent, and it goes on being sampled.
  void TearDown() override {
    if (test::kUnderTsan) return;
    const uint64_t before = SumTotals(*harness_.region()).signals;
    EXPECT_TRUE(test::WaitUntil([&] {
      test::BurnCpu(kMs);
      return SumTotals(*harness_.region()).signals > before;
    }));
    harness_.sampler().Stop();
    const Totals totals = SumTotals(*harness_.region());
    EXPECT_EQ(totals.signals, totals.written + test::DroppedSum(totals));
  }
  static void ExpectExited(pid_t child, int wanted) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == wanted) << status;
  }

  test::TemporaryFolder folder_;
  test::SamplerHarness harness_{TimerEngine::kHires, kIntervalNs, folder_ / "region"};
};

TEST_F(Children, AForkedOneThatWorksWritesNothingIntoTheParentsRegion) {
  // The parent sleeps meanwhile, so that what is written is the child's doing.
  const uint32_t slot = harness_.SlotOf(gettid());
  ASSERT_NE(slot, kNoSlot);
  const pid_t child = fork();
  if (child == 0) {
    const uint64_t before = harness_.CountersOf(slot).written.load();
    test::BurnCpu(60 * kMs);
    _exit(harness_.CountersOf(slot).written.load() - before < 3 ? 0 : 1);
  }
  ExpectExited(child, 0);
}

TEST_F(Children, OnesOfVforkAndPosixSpawnRunAsTheyWould) {
  for (int i = 0; i < 20; i++) {
    const pid_t child = vfork();
    if (child == 0) _exit(7);
    ExpectExited(child, 7);
    char shell[] = "/bin/sh", flag[] = "-c", script[] = "exit 5";
    char* arguments[] = {shell, flag, script, nullptr};
    pid_t spawned = 0;
    ASSERT_EQ(posix_spawn(&spawned, shell, nullptr, nullptr, arguments, environ), 0);
    ExpectExited(spawned, 5);
    test::BurnCpu(kMs);
  }
}

TEST_F(Children, ALargeProcessForksWithoutEnd) {
  // Copying the page tables of half a gigabyte takes longer than ten intervals: the kernel begins a
  // fork again when a signal interrupts it.
  constexpr size_t kSize = 512u << 20;
  void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  madvise(memory, kSize, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < kSize; at += 4096) static_cast<char*>(memory)[at] = 1;
  const uint64_t begin = test::ClockNs(CLOCK_MONOTONIC);
  for (int i = 0; i < 10; i++) {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    ExpectExited(child, 3);
  }
  const uint64_t took_ms = (test::ClockNs(CLOCK_MONOTONIC) - begin) / kMs;
  std::printf("10 forks of %zu MB: %llu ms\n", kSize >> 20,
              static_cast<unsigned long long>(took_ms));
  EXPECT_LT(took_ms, 20'000u);
  munmap(memory, kSize);
}

}  // namespace
}  // namespace spprof
