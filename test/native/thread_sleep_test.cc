#include "platform/thread_sleep.h"

#include <gtest/gtest.h>

#include "sampler_support.h"

namespace spprof {
namespace {

TEST(SleepingCall, LinesOfTheKernel) {
  SleepingCall call;
  EXPECT_EQ(ParseSleepingCall("running\n", &call), SleepState::kAwake);
  EXPECT_EQ(ParseSleepingCall("202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd12345678 0x7f0011223344\n", &call),
            SleepState::kAsleep);
  EXPECT_EQ(call.sp, 0x7ffd12345678u);
  EXPECT_EQ(call.pc, 0x7f0011223344u);
  // In a page fault.
  EXPECT_EQ(ParseSleepingCall("-1 0x7ffd00000008 0x401000\n", &call), SleepState::kAsleep);
  EXPECT_EQ(call.pc, 0x401000u);
  for (const char* line :
       {"", "\n", "x", "202 0x1", "202 0x1 0x2 0x3 0x4 0x5 0x6 0x0 0x0\n", "-1 0x1"}) {
    EXPECT_EQ(ParseSleepingCall(line, &call), SleepState::kUnreadable) << line;
  }
}

TEST(SleepingCall, OfAThreadThatSleepsRunsOrHasGone) {
  test::Gate gate;
  std::atomic<pid_t> tid{0};
  std::thread sleeper([&] {
    tid.store(CurrentThreadId());
    gate.Wait();
  });
  SleepingCall call;
  const bool is_seen =
      test::WaitUntil([&] { return ReadSleepingCall(tid.load(), &call) == SleepState::kAsleep; },
                      std::chrono::seconds(5));
  gate.Open();
  sleeper.join();
  if (!is_seen) GTEST_SKIP() << "/proc/self/task/<tid>/syscall cannot be read here";
  EXPECT_NE(call.sp, 0u);
  EXPECT_NE(call.pc, 0u);
  EXPECT_TRUE(
      test::WaitUntil([&] { return ReadSleepingCall(tid.load(), &call) == SleepState::kAwake; }));
}

}  // namespace
}  // namespace spprof
