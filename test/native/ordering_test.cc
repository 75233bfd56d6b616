// The rows of the ordering tables whose words the model checker (interleaving_test.cc) does not
// run: what one thread has done before it stores the word, another that has seen the word sees.
// TSan knows when nothing but luck has made it so; on x86, where a store is never weaker than a
// release, only the compiler could break it.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <thread>

#include "blocks/thread_blocks.h"
#include "core_support.h"
#include "handler_support.h"
#include "platform/signals_held_back.h"
#include "sampler_support.h"
#include "session/profiler.h"
#include "session/shutdown_manager.h"
#include "signal_safe/handler/shutdown_signal.h"
#include "signal_safe/machine/lost_mapping.h"
#include "signal_safe/v8_heap/wasm_index.h"
#include "signal_safe/walk/block_labels.h"

namespace spprof {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Not atomic: that is what TSan looks at.
int g_data = 0;

// `publish` stores the word on one thread; `has_seen` looks for it on another, until it has.
void ExpectSeen(const std::function<void()>& publish, const std::function<bool()>& has_seen) {
  g_data = 0;
  std::thread writer([&] {
    g_data = 1;
    publish();
  });
  std::thread reader([&] {
    const SignalsHeldBack held_back;  // a sample's handler would see what it should not
    ASSERT_TRUE(test::WaitUntil(has_seen));
    EXPECT_EQ(g_data, 1);
  });
  writer.join();
  reader.join();
}

TEST(Ordering, OfARequestForTheEnd) {
  Word requested{0};
  ExpectSeen([&] { RequestShutdown(&requested, ShutdownReason::kStop); },
             [&] { return requested.load(std::memory_order_acquire) != 0; });
}

TEST(Ordering, OfARequestAndTheStepsOfTheEnd) {
  Word requested{0};
  Waker waker;
  ShutdownManager manager(&requested, &waker);
  ShutdownSteps steps;
  steps.fill({1'000'000'000, [](uint64_t) {
                EXPECT_EQ(g_data, 1);
                return true;
              }});
  g_data = 0;
  std::thread end([&] {
    ASSERT_TRUE(test::WaitUntil([&] { return requested.load(kRelaxed) != 0; }));
    manager.Execute(steps, [](const ShutdownReport&) {});
  });
  std::thread asker([&] {
    g_data = 1;
    RequestShutdown(&requested, ShutdownReason::kStop);
  });
  asker.join();
  end.join();
}

TEST(Ordering, OfThePhases) {
  Word requested{0};
  Waker waker;
  ShutdownManager manager(&requested, &waker);
  ShutdownSteps steps;
  steps.fill({1'000'000'000, [](uint64_t) { return true; }});
  ExpectSeen([&] { manager.Execute(steps, [](const ShutdownReport&) {}); },
             [&] { return manager.phase() == ShutdownPhase::kDone; });
}

TEST(Ordering, OfTheWaker) {
  Waker waker;
  ExpectSeen([&] { waker.Wake(); }, [&] { return waker.Wait(1'000'000) != 0; });
}

TEST(Ordering, OfARegionThatGrows) {
  std::unique_ptr<RegionMap> region;
  ASSERT_TRUE(RegionMap::Create("", 128, {}, &region).ok());
  ExpectSeen([&] { EXPECT_TRUE(region->Grow().ok()); }, [&] { return region->block_count() != 0; });
}

class OrderingOfSlots : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RegionMap::Create("", 64, {}, &region_).ok());
    region_->header()->accepting_registrations.store(1);
    registry_ = std::make_unique<ThreadRegistry>(region_.get());
  }
  uint32_t Claim(pid_t tid) { return registry_->Claim(tid, ThreadKind::kNative, "test", 0); }

  std::unique_ptr<RegionMap> region_;
  std::unique_ptr<ThreadRegistry> registry_;
};

TEST_F(OrderingOfSlots, ItsState) {
  const uint32_t slot = Claim(1);
  const Word& state = region_->Slot(slot)->state;
  ExpectSeen([&] { registry_->Activate(slot); },
             [&] { return state.load(std::memory_order_acquire) != 0; });
}

TEST_F(OrderingOfSlots, ItsGeneration) {
  const uint32_t slot = Claim(1);
  registry_->Activate(slot);
  registry_->Retire(slot);
  registry_->Release(slot);
  const Word& generation = region_->Slot(slot)->generation;
  const uint32_t before = generation.load();
  ExpectSeen([&] { EXPECT_EQ(Claim(2), slot); },
             [&] { return generation.load(std::memory_order_acquire) != before; });
}

// Who takes a slot writes what the one that has left it has read.
TEST_F(OrderingOfSlots, OfThoseThatAreFree) {
  const uint32_t slot = Claim(1);
  registry_->Activate(slot);
  std::thread taker([&] {
    const Sequence& free_slots = region_->header()->free_slots;
    ASSERT_TRUE(test::WaitUntil([&] { return static_cast<uint32_t>(free_slots.load(kRelaxed)); }));
    EXPECT_EQ(Claim(2), slot);
  });
  std::thread leaver([&] {
    registry_->Retire(slot);
    registry_->Release(slot);
  });
  taker.join();
  leaver.join();
}

// A handler at work: V8 is asked for its isolate in the middle of each sample.
class OrderingOfTheHandler : public testing::Test {
 protected:
  void SetUp() override {
    g_seen = 0;
    g_has_run = false;
    slot_ = harness_.AddThread();
    tick_ = harness_.Tick(slot_);
  }
  static void* Look() {
    g_seen = g_data;
    g_has_run.store(true, kRelaxed);
    return nullptr;
  }
  bool HasSampled() {
    test::HandlerHarness::Deliver(tick_);
    return g_has_run.load(kRelaxed);
  }

  static inline int g_seen;
  static inline std::atomic<bool> g_has_run;
  test::HandlerHarness harness_;
  uint32_t slot_ = 0;
  siginfo_t tick_{};
};

TEST_F(OrderingOfTheHandler, ItsContext) {
  harness_.context().v8.try_get_current = Look;
  SetHandlerContext(nullptr);
  ExpectSeen([&] { SetHandlerContext(&harness_.context()); }, [&] { return HasSampled(); });
  EXPECT_EQ(g_seen, 1);
}

TEST_F(OrderingOfTheHandler, TheGenerationOfItsSlot) {
  harness_.context().v8.try_get_current = Look;
  Word& generation = harness_.Slot(slot_)->generation;
  const TimerValue next{slot_, generation.load() + 1, TickSource::kCpuTimer};
  tick_.si_value.sival_ptr = reinterpret_cast<void*>(next.Encode());
  ExpectSeen([&] { generation.fetch_add(1, std::memory_order_release); },
             [&] { return HasSampled(); });
  EXPECT_EQ(g_seen, 1);
}

TEST_F(OrderingOfTheHandler, ItsTableOfModules) {
  static ModuleTable table;
  auto& modules = harness_.context().modules;
  ExpectSeen([&] { modules.store(&table, std::memory_order_release); },
             [&] {
               test::HandlerHarness::Deliver(tick_);
               return harness_.State(slot_)->walk.modules == &table;
             });
}

TEST_F(OrderingOfTheHandler, WhatItHasDoneWhenItHasBeenWaitedFor) {
  harness_.context().v8.try_get_current = [] {
    g_has_run.store(true, kRelaxed);
    g_data = 2;
    return static_cast<void*>(nullptr);
  };
  g_data = 0;
  std::thread sampled([&] { HasSampled(); });
  ASSERT_TRUE(test::WaitUntil([] { return g_has_run.load(kRelaxed); }));
  SetHandlerContext(nullptr);
  EXPECT_TRUE(WaitForHandlers(UINT64_MAX));
  EXPECT_EQ(g_data, 2);
  sampled.join();
}

// The handler uses the context from when it is set until it has been waited for.
TEST(Ordering, OfTheShutdownSignalsContext) {
  signal(SIGTERM, SIG_IGN);  // what comes while there is no context is sent again
  Waker waker;
  Word requested{0};
  ShutdownSignalContext context;
  siginfo_t info{};
  std::thread signalled([&] {
    while (requested.load(kRelaxed) == 0) HandleShutdownSignal(SIGTERM, &info, nullptr);
  });
  context.pid = getpid();
  context.waker = &waker;
  context.shutdown_requested = &requested;
  SetShutdownSignalContext(&context);
  EXPECT_TRUE(test::WaitUntil([&] { return requested.load(kRelaxed) != 0; }));
  SetShutdownSignalContext(nullptr);
  EXPECT_TRUE(WaitForShutdownSignals(UINT64_MAX));
  context.waker = nullptr;
  signalled.join();
  signal(SIGTERM, SIG_DFL);
}

TEST(Ordering, OfAThreadsLabel) {
  constexpr uint32_t kTid = 123'456;
  static Word label{7};
  ExpectSeen([] { EXPECT_TRUE(AttachLabel(kTid, &label)); }, [] { return LabelOf(kTid) == 7; });
  DetachLabel(kTid);
}

TEST(Ordering, OfALabelsDefinition) {
  static const LabelDefinition definition{};
  ExpectSeen([] { DefineLabel(kMaxLabels, &definition); },
             [] { return DefinitionOf(kMaxLabels) != nullptr; });
}

class OrderingOfALostMapping : public testing::Test {
 protected:
  void SetUp() override {
    memory_ = mmap(nullptr, kRegionPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory_, MAP_FAILED);
    mapping_.base = mapping_.end = Address();
    ASSERT_TRUE(ListMapping(&mapping_));
  }
  void TearDown() override {
    UnlistMapping(&mapping_);
    munmap(memory_, kRegionPage);
  }
  uint64_t Address() const { return reinterpret_cast<uintptr_t>(memory_); }

  void* memory_ = nullptr;
  LossyMapping mapping_;
};

TEST_F(OrderingOfALostMapping, ItsEnd) {
  ExpectSeen([&] { mapping_.end.store(Address() + kRegionPage, std::memory_order_release); },
             [&] { return ReplaceLostPage(Address()); });
}

TEST_F(OrderingOfALostMapping, ItsPlaceInTheList) {
  UnlistMapping(&mapping_);
  mapping_.end = Address() + kRegionPage;
  ExpectSeen([&] { EXPECT_TRUE(ListMapping(&mapping_)); },
             [&] { return ReplaceLostPage(Address()); });
}

TEST_F(OrderingOfALostMapping, ThatItIsLost) {
  mapping_.end = Address() + kRegionPage;
  ExpectSeen([&] { EXPECT_TRUE(ReplaceLostPage(Address())); }, [&] { return mapping_.IsLost(); });
}

TEST(Ordering, OfAnIndexThatIsAskedFor) {
  const WasmIndexSlot& slot = WasmIndexSlots()[0];
  uint32_t imported = 0;
  ExpectSeen([&] { EXPECT_EQ(AskWasmImports(4096, 8, &imported), WasmAnswer::kNotYet); },
             [&] {
               return slot.state.load(std::memory_order_acquire) ==
                      static_cast<uint32_t>(WasmIndexState::kAsked);
             });
  WasmIndexSlots()[0].state = 0;
}

TEST(Ordering, OfAnIndexThatIsReady) {
  WasmIndexSlot& slot = WasmIndexSlots()[0];
  slot.kind = static_cast<uint32_t>(WasmIndexKind::kModule);
  slot.address = 4096;
  slot.size = 8;
  slot.count = 1;
  slot.state = static_cast<uint32_t>(WasmIndexState::kAsked);
  uint32_t imported = 0;
  ExpectSeen(
      [&] {
        slot.state.store(static_cast<uint32_t>(WasmIndexState::kReady), std::memory_order_release);
      },
      [&] { return AskWasmImports(4096, 8, &imported) == WasmAnswer::kYes; });
  slot.state = 0;
}

TEST(Ordering, OfARecordingThatHasBegun) {
  ProfilerOptions options;
  options.sampler.engine = TimerEngine::kTick;
  Profiler& profiler = Profiler::Get();  // made before, as its own making orders too
  ExpectSeen([&] { EXPECT_TRUE(profiler.Start(options).ok()); },
             [&] { return profiler.IsRunning(); });
  FinishedRecording finished;
  EXPECT_TRUE(profiler.Stop(&finished).ok());
}

TEST(Ordering, OfAThreadsName) {
  test::SamplerHarness harness(TimerEngine::kTick);
  Sampler& sampler = harness.sampler();
  ASSERT_TRUE(sampler.Start().ok());
  std::atomic<uint64_t> before{0};
  ExpectSeen(
      [&] {
        EXPECT_TRUE(sampler.RegisterCurrentThread(ThreadKind::kWorker, "once"));
        g_data = 0;
        before.store(sampler.thread_version() + 1, kRelaxed);
        g_data = 1;
        EXPECT_TRUE(sampler.RegisterCurrentThread(ThreadKind::kWorker, "again"));
      },
      [&] {
        return before.load(kRelaxed) != 0 && sampler.thread_version() >= before.load(kRelaxed);
      });
  sampler.Stop();
}

TEST(Ordering, OfABlock) {
  BlockTables& tables = BlockTables::Get();
  const uint32_t next = tables.Register("ordering", "track", "first")->id + 1;
  ExpectSeen([&] { tables.Register("ordering", "track", "second"); },
             [&] { return BlockTables::Find(next) != nullptr; });
}

// Its first hit makes room for its numbers, without a lock.
TEST(Ordering, OfABlocksNumbers) {
  BlockTables& tables = BlockTables::Get();
  // Its place beside the other's is empty: nothing but the chunk's own order lets it be seen so.
  tables.Register("numbers", "track", "never hit");
  const Block& block = *tables.Register("numbers", "track", "hit");
  std::atomic<bool> is_over{false};
  std::thread hitting([&] {
    ThreadBlocks& own = *ThreadBlocks::Current();
    own.Start(block);
    own.Stop(block);
    EXPECT_TRUE(test::WaitUntil([&] { return is_over.load(kRelaxed); }));
  });
  EXPECT_TRUE(test::WaitUntil([&] { return !tables.Results("numbers", true).empty(); }));
  is_over.store(true, kRelaxed);
  hitting.join();
}

}  // namespace
}  // namespace spprof
