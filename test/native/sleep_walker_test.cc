// Walks of a thread that wakes up all the time: what is kept is right.
#include "sampling/sleep_walker.h"

#include <gtest/gtest.h>
#include <time.h>

#include <set>

#include "log/lane_stream.h"
#include "sampler_support.h"

namespace spprof {
namespace {

using Stack = std::vector<Frame>;

[[gnu::noinline]] void Nap(long ns) {
  const struct timespec pause = {0, ns};
  nanosleep(&pause, nullptr);
  asm volatile("");  // not a tail call
}
[[gnu::noinline]] void NapHere(long ns) {
  [[maybe_unused]] volatile char room[64] = {};
  Nap(ns);
  room[0] = 1;
}
[[gnu::noinline]] void NapThere(long ns) {
  [[maybe_unused]] volatile char room[64] = {};
  Nap(ns);
  room[1] = 1;
}

// The stacks that a walk has defined.
void AddStacks(const std::string& definitions, std::set<Stack>* stacks) {
  bool is_damaged = false;
  const auto bytes = std::as_bytes(std::span(definitions.data(), definitions.size()));
  ForEachRecord(
      bytes,
      [&](const RecordView& record) {
        StackRecord stack;
        std::string_view frames;
        if (record.header.type != RecordType::kStack) return;
        ASSERT_TRUE(record.Read(&stack));
        ASSERT_TRUE(record.ReadText(sizeof(stack), stack.frame_count * sizeof(Frame), &frames));
        Stack copy(stack.frame_count);
        memcpy(copy.data(), frames.data(), frames.size());
        stacks->insert(std::move(copy));
      },
      &is_damaged);
  EXPECT_FALSE(is_damaged);
}

TEST(SleepWalker, KeepsNoStackOfAThreadThatHasWokenUp) {
  if (test::kSanitized) GTEST_SKIP() << "naps are the sanitizer's calls";
  SamplerOptions options;
  options.wall = true;
  test::SamplerHarness harness(options);
  ASSERT_TRUE(harness.sampler().Start().ok());
  std::atomic<pid_t> tid{0};
  std::atomic<bool> is_over{false};
  std::thread napper([&] {
    harness.sampler().RegisterCurrentThread(ThreadKind::kNative, "napper");
    tid.store(CurrentThreadId());
    for (long turn = 0; !is_over.load(); turn++) {
      // The same stack pointer in both.
      const long ns = 1000 + turn % 7 * 20'000;
      void (*volatile nap)(long) = turn % 2 == 0 ? NapHere : NapThere;
      nap(ns);
    }
  });
  ASSERT_TRUE(test::WaitUntil([&] { return tid.load() != 0; }));
  const uint32_t slot = harness.SlotOf(tid.load());
  const uint32_t generation = harness.region()->Slot(slot)->generation.load();
  std::set<Stack> stacks;
  int walked = 0, woken = 0;
  EXPECT_TRUE(test::WaitUntil([&] {
    SleepWalk walk;
    const SleepWalkResult result = harness.sampler().WalkSleeper(slot, generation, &walk);
    AddStacks(walk.definitions, &stacks);
    woken += result == SleepWalkResult::kWoken;
    if (result == SleepWalkResult::kWalked) {
      walked++;
      EXPECT_EQ(walk.state & kStateIncomplete, 0u);
    }
    return walked >= 3000;
  }));
  is_over.store(true);
  napper.join();
  harness.sampler().Stop();
  std::printf("%d walks, %d overtaken, %zu stacks\n", walked, woken, stacks.size());
  EXPECT_EQ(stacks.size(), 2u) << "one below NapHere, one below NapThere";
}

}  // namespace
}  // namespace spprof
