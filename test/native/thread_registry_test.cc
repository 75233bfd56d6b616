// Slots: who gets which, what a reused one remembers, and many threads at once.
#include "registry/thread_registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "core_support.h"
#include "platform/threads.h"
#include "registry/totals.h"

namespace spprof {
namespace {

class Registry : public testing::Test {
 protected:
  void SetUp() override { Make(4096); }
  void Make(uint32_t max_threads) {
    registry_.reset();
    ASSERT_TRUE(RegionMap::Create("", max_threads, {}, &region_).ok());
    region_->header()->accepting_registrations.store(1);
    registry_ = std::make_unique<ThreadRegistry>(region_.get());
  }
  uint32_t Claim(pid_t tid) { return registry_->Claim(tid, ThreadKind::kNative, "name", 0); }
  RegionHeader* Header() { return region_->header(); }

  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<ThreadRegistry> registry_;
};

TEST_F(Registry, AClaimedSlotHasItsThreadsIdentityAndEmptyLanes) {
  const uint32_t slot =
      registry_->Claim(77, ThreadKind::kWorker, "a thread of a very long name indeed", 123);
  ASSERT_NE(slot, kNoSlot);
  ThreadLaneSet* lanes = registry_->Slot(slot);
  EXPECT_EQ(lanes->tid, 77u);
  EXPECT_EQ(lanes->slot, slot);
  EXPECT_EQ(lanes->start_ticks, 123u);
  EXPECT_EQ(lanes->kind.load(), static_cast<uint32_t>(ThreadKind::kWorker));
  EXPECT_STREQ(lanes->name, "a thread of a very long name in");
  EXPECT_EQ(lanes->generation.load(), 1u);
  EXPECT_EQ(lanes->state.load(), static_cast<uint32_t>(SlotState::kFree)) << "not active yet";
  EXPECT_EQ(lanes->detail.marked.load(), 1u);
  EXPECT_TRUE(region_->CheckSlot(slot));
  EXPECT_EQ(LaneReader(&lanes->index, region_->base()).PublishedEnd(), 0u);
  EXPECT_EQ(registry_->FindByTid(77), slot);
  EXPECT_EQ(registry_->FindByTid(78), kNoSlot);
}

TEST_F(Registry, StatesFollowOneAnother) {
  const uint32_t slot = Claim(1);
  const auto state = [&] { return static_cast<SlotState>(registry_->Slot(slot)->state.load()); };
  registry_->Activate(slot);
  EXPECT_EQ(state(), SlotState::kActive);
  EXPECT_EQ(Header()->thread_count.load(), 1u);
  registry_->Retire(slot);
  EXPECT_EQ(state(), SlotState::kRetired);
  EXPECT_EQ(registry_->FindByTid(1), kNoSlot);
  EXPECT_EQ(Header()->thread_count.load(), 0u);
  registry_->Release(slot);
  EXPECT_EQ(state(), SlotState::kFree);
  EXPECT_EQ(Header()->threads_seen.load(), 1u);
}

TEST_F(Registry, AReusedSlotHasANewGenerationAndRemembersNothing) {
  const uint32_t slot = Claim(1);
  registry_->Activate(slot);
  ThreadLaneSet* lanes = registry_->Slot(slot);
  bool swapped = false;
  uint64_t words[5] = {};
  LaneWriter writer(&lanes->index, region_->base());
  ASSERT_TRUE(writer.Reserve(sizeof(words), &swapped));
  writer.Write(words, sizeof(words));
  lanes->counters.signals.store(10);
  lanes->has_javascript.store(1);
  registry_->Retire(slot);
  registry_->Release(slot);
  ASSERT_EQ(Claim(2), slot);
  EXPECT_EQ(lanes->generation.load(), 2u);
  EXPECT_EQ(lanes->tid, 2u);
  EXPECT_EQ(lanes->has_javascript.load(), 0u);
  EXPECT_EQ(lanes->counters.signals.load(), 0u);
  EXPECT_EQ(LaneReader(&lanes->index, region_->base()).PublishedEnd(), 0u);
}

TEST_F(Registry, ThreadsBeyondTheCeilingAreRefusedAndCounted) {
  Make(70);
  for (pid_t tid = 1; tid <= 70; tid++) ASSERT_NE(Claim(tid), kNoSlot);
  EXPECT_EQ(Claim(71), kNoSlot);
  EXPECT_EQ(Claim(72), kNoSlot);
  EXPECT_EQ(Header()->threads_refused.load(), 2u);
  EXPECT_EQ(Header()->thread_count.load(), 70u);
  EXPECT_EQ(registry_->FindByTid(71), kNoSlot);
  registry_->Retire(registry_->FindByTid(5));
  EXPECT_EQ(Claim(71), kNoSlot) << "retired, but not drained yet";
  registry_->Release(4);
  EXPECT_EQ(Claim(71), 4u);
}

TEST_F(Registry, RefusesWhenRegistrationsAreNotAccepted) {
  Header()->accepting_registrations.store(0);
  EXPECT_EQ(Claim(1), kNoSlot);
  EXPECT_EQ(Header()->threads_refused.load(), 1u);
  EXPECT_EQ(region_->block_count(), 0u);
}

TEST_F(Registry, GrowsByABlockAndKeepsTheAddressesOfItsSlots) {
  const uint32_t first = Claim(1);
  ThreadLaneSet* lanes = registry_->Slot(first);
  EXPECT_EQ(region_->slot_count(), 64u);
  std::set<uint32_t> slots = {first};
  for (pid_t tid = 2; tid <= 4096; tid++) slots.insert(Claim(tid));
  EXPECT_EQ(slots.size(), 4096u);
  EXPECT_EQ(region_->slot_count(), 4096u);
  EXPECT_EQ(registry_->Slot(first), lanes);
  EXPECT_EQ(lanes->tid, 1u);
}

// Each thread its own; none that has been retired, released, or given to another since.
TEST_F(Registry, AThreadFindsItsOwnSlotAsLongAsItHasIt) {
  EXPECT_EQ(registry_->FindOwn(), kNoSlot);
  const uint32_t slot = Claim(CurrentThreadId());
  registry_->Activate(slot);
  for (int i = 0; i < 2; i++) EXPECT_EQ(registry_->FindOwn(), slot);
  std::thread([&] {
    EXPECT_EQ(registry_->FindOwn(), kNoSlot);
    const uint32_t own = Claim(CurrentThreadId());
    registry_->Activate(own);
    EXPECT_NE(own, slot);
    for (int i = 0; i < 2; i++) EXPECT_EQ(registry_->FindOwn(), own);
  }).join();
  registry_->Retire(slot);
  EXPECT_EQ(registry_->FindOwn(), kNoSlot);
  registry_->Release(slot);
  EXPECT_EQ(Claim(-1), slot) << "the slot is another thread's";
  registry_->Activate(slot);
  EXPECT_EQ(registry_->FindOwn(), kNoSlot);
}

TEST_F(Registry, AThreadsSlotInAnEarlierRegistryIsNotTakenForOne) {
  registry_->Activate(Claim(CurrentThreadId()));
  ASSERT_NE(registry_->FindOwn(), kNoSlot);
  Make(64);
  registry_->Activate(Claim(1));
  EXPECT_EQ(registry_->FindOwn(), kNoSlot);
}

TEST_F(Registry, TotalsKeepTheCountersOfReleasedSlots) {
  for (pid_t tid = 1; tid <= 3; tid++) {
    const uint32_t slot = Claim(tid);
    registry_->Activate(slot);
    Counters& counters = registry_->Slot(slot)->counters;
    counters.signals.store(10);
    counters.written.store(7);
    counters.dropped[static_cast<size_t>(DropReason::kBusy)].store(3);
    counters.handler_max_ns.store(100 * static_cast<uint64_t>(tid));
  }
  registry_->Retire(2);
  registry_->Release(2);
  const Totals totals = SumTotals(*region_);
  EXPECT_EQ(totals.signals, 30u);
  EXPECT_EQ(totals.written, 21u);
  EXPECT_EQ(totals.dropped[static_cast<size_t>(DropReason::kBusy)], 9u);
  EXPECT_EQ(totals.handler_max_ns, 300u);
}

TEST_F(Registry, ASignalWithoutAnOutcomeIsCountedAsInFlight) {
  const uint32_t slot = Claim(1);
  registry_->Activate(slot);
  Counters& counters = registry_->Slot(slot)->counters;
  counters.signals.store(10);
  counters.written.store(6);
  counters.dropped[static_cast<size_t>(DropReason::kBusy)].store(3);
  const Totals totals = SumTotals(*region_);
  EXPECT_EQ(totals.signals, 10u);
  EXPECT_EQ(totals.in_flight, 1u);
}

TEST_F(Registry, EveryDropReasonHasANameOfItsOwn) {
  std::set<std::string> names;
  for (uint32_t i = 0; i < static_cast<uint32_t>(DropReason::kCount); i++) {
    names.insert(DropReasonName(static_cast<DropReason>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(DropReason::kCount));
}

// 64 threads that claim at once, each several times over.
TEST_F(Registry, ConcurrentClaimsGetSlotsOfTheirOwn) {
  constexpr int kThreads = 64, kEach = 40;
  std::atomic<int> ready{0};
  std::vector<uint32_t> got[kThreads];
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] {
      ready.fetch_add(1);
      while (ready.load() < kThreads) std::this_thread::yield();
      for (int k = 0; k < kEach; k++) {
        const pid_t tid = 1 + i * kEach + k;
        const uint32_t slot = Claim(tid);
        if (slot != kNoSlot) registry_->Activate(slot);
        got[i].push_back(slot);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint32_t> slots;
  for (int i = 0; i < kThreads; i++) {
    for (int k = 0; k < kEach; k++) {
      const uint32_t slot = got[i][static_cast<size_t>(k)];
      ASSERT_NE(slot, kNoSlot);
      EXPECT_TRUE(slots.insert(slot).second) << "slot " << slot << " was given twice";
      EXPECT_EQ(registry_->Slot(slot)->tid, static_cast<uint32_t>(1 + i * kEach + k));
      EXPECT_EQ(registry_->FindByTid(1 + i * kEach + k), slot);
    }
  }
  EXPECT_EQ(Header()->thread_count.load(), unsigned{kThreads * kEach});
}

// Claim and release in all threads at once; each slot carries a mark that nobody else may touch.
TEST_F(Registry, SlotsThatComeAndGoInManyThreadsAreNeverShared) {
  constexpr int kThreads = 8;
  const int turns = test::kSanitized ? 500 : 5'000;
  Make(16);
  std::atomic<uint32_t> owner[64] = {};
  std::atomic<uint64_t> conflicts{0}, claims{0}, refusals{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] {
      const auto mark = static_cast<uint32_t>(i + 1);
      for (int turn = 0; turn < turns; turn++) {
        uint32_t mine[3];
        for (int k = 0; k < 3; k++) {
          mine[k] = Claim(static_cast<pid_t>(mark * 10 + static_cast<uint32_t>(k)));
          if (mine[k] == kNoSlot) {
            refusals++;
            continue;
          }
          claims++;
          registry_->Activate(mine[k]);
          if (owner[mine[k]].exchange(mark) != 0) conflicts++;
        }
        for (uint32_t slot : mine) {
          if (slot == kNoSlot) continue;
          if (owner[slot].exchange(0) != mark) conflicts++;
          registry_->Retire(slot);
          registry_->Release(slot);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(conflicts.load(), 0u);
  EXPECT_EQ(Header()->thread_count.load(), 0u);
  EXPECT_EQ(Header()->threads_seen.load(), claims.load());
  EXPECT_EQ(Header()->threads_refused.load(), refusals.load());
  uint64_t generations = 0;
  for (uint32_t slot = 0; slot < region_->slot_count(); slot++) {
    generations += registry_->Slot(slot)->generation.load();
  }
  EXPECT_EQ(generations, claims.load());
  // All can be had again, and none twice.
  std::set<uint32_t> again;
  for (pid_t tid = 1; tid <= 16; tid++) again.insert(Claim(tid));
  EXPECT_EQ(again.size(), 16u);
  EXPECT_EQ(again.count(kNoSlot), 0u);
}

}  // namespace
}  // namespace spprof
