// Who ends a recording: when it runs, and that it does not wait its turn.
#include "session/end_thread.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "core_support.h"
#include "platform/threads.h"
#include "platform/urgent_thread.h"

namespace spprof {
namespace {

class EndThreadTest : public testing::Test {
 protected:
  Word requested_{0};
  Waker waker_;
  std::atomic<int> runs_{0};
};

TEST_F(EndThreadTest, RunsOnceWhenItIsAskedAndWoken) {
  EndThread thread(&requested_, &waker_);
  pid_t ran_on = 0;
  ASSERT_TRUE(thread
                  .Start([&] {
                    ran_on = CurrentThreadId();
                    runs_++;
                  })
                  .ok());
  EXPECT_NE(thread.tid(), 0);
  requested_ = 1;
  waker_.Wake();
  waker_.Wake();
  ASSERT_TRUE(test::WaitUntil([&] { return runs_ == 1; }));
  EXPECT_EQ(ran_on, thread.tid());
}

TEST_F(EndThreadTest, IsDestroyedWithoutRunningWhenNobodyHasAsked) {
  {
    EndThread thread(&requested_, &waker_);
    ASSERT_TRUE(thread.Start([&] { runs_++; }).ok());
    waker_.Wake();
  }
  EXPECT_EQ(runs_, 0);
  EndThread never_started(&requested_, &waker_);
  EXPECT_EQ(never_started.tid(), 0);
}

TEST_F(EndThreadTest, IsWaitedForWhenItHasBeenAsked) {
  for (int round = 0; round < 50; round++) {
    Word requested{0};
    {
      EndThread thread(&requested, &waker_);
      ASSERT_TRUE(thread.Start([&] { runs_++; }).ok());
      requested = 1;
      waker_.Wake();
    }
    ASSERT_EQ(runs_, round + 1);
  }
}

TEST(UrgentThread, IsRealTimeWhereThatIsAllowed) {
  std::thread([] {
    const Urgency urgency = MakeThreadUrgent();
    const int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
    EXPECT_EQ(policy, urgency == Urgency::kRealTime ? SCHED_RR : SCHED_OTHER);
  }).join();
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER) << "of its own thread alone";
}

TEST(UrgentThread, IsNotRealTimeUnderALimitOfSuchThreadsTime) {
  struct rlimit former {};
  ASSERT_EQ(getrlimit(RLIMIT_RTTIME, &former), 0);
  const struct rlimit limited = {1'000'000, former.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_RTTIME, &limited), 0);
  std::thread([] {
    EXPECT_NE(MakeThreadUrgent(), Urgency::kRealTime);
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  }).join();
  setrlimit(RLIMIT_RTTIME, &former);
}

TEST(UrgentThread, SharesALockWithOthers) {
  UrgentMutex mutex;
  uint64_t count = 0;
  const auto add = [&] {
    for (int i = 0; i < 10'000; i++) {
      const std::lock_guard lock(mutex);
      count++;
    }
  };
  std::thread urgent([&] {
    MakeThreadUrgent();
    add();
  });
  add();
  urgent.join();
  EXPECT_EQ(count, 20'000u);
  const std::lock_guard lock(mutex);
  std::thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
}

}  // namespace
}  // namespace spprof
