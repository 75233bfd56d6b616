// Source maps that the texts of scripts hold: from V8's heap through the lane to what a log says.
#include <gtest/gtest.h>

#include <string>

#include "handler_support.h"
#include "profile/recorded_log.h"
#include "signal_safe/walk/definitions.h"
#include "v8_heap_support.h"

namespace spprof {
namespace {

using test::V8Heap;

constexpr char kName[] = "/app.ts";
constexpr char kSource[] = "text";

class ScriptMaps : public testing::Test {
 protected:
  ScriptMaps() : heap_(test::LayoutOfNode22()) {}

  std::string UrlOf(size_t length) {
    std::string url = "data:application/json;base64,";
    while (url.size() < length) url += static_cast<char>('A' + url.size() % 23);
    return url;
  }
  // A function of a script whose map has this address.
  FunctionIdentity FunctionWith(int32_t script_id, uint64_t url) {
    const uint64_t script = heap_.Script(script_id, heap_.OneByte(kName), heap_.OneByte(kSource));
    heap_.Set(script, heap_.v8.script_source_map_url, url);
    FunctionIdentity function;
    KnownMaps maps;
    EXPECT_TRUE(V8Reader(heap_.v8, &maps)
                    .ReadShared(heap_.Shared(heap_.OneByte("f"), script, 1), &function));
    return function;
  }
  uint64_t External(const std::string& text) {
    return heap_.External(text.data(), text.size(), true);
  }
  // As one sample would. False: it is dropped.
  bool Define(const FunctionIdentity& function, uint32_t budget = UINT32_MAX) {
    KnownMaps maps;
    const V8Reader reader(heap_.v8, &maps);
    return Definitions(&harness_.Slot(slot_)->detail, harness_.region()->base(),
                       &harness_.State(slot_)->walk, reader, budget)
               .FunctionId(function) != 0;
  }
  // As the drain, between samples.
  void Drain() {
    LaneReader(&harness_.Slot(slot_)->detail, harness_.region()->base())
        .Drain(UINT64_MAX, [&](uint64_t position, RingReader& ring, uint64_t length) {
          std::vector<std::byte> bytes(length);
          ring.Copy(reinterpret_cast<uint8_t*>(bytes.data()), length);
          LogChunk chunk{};
          chunk.header.kind = ChunkKind::kDetail;
          chunk.header.lane_position = position;
          chunk.payload = bytes;
          log_.Add(chunk);
        });
  }
  std::string MapInLog() const {
    const auto found = log_.source_maps().find({kName, sizeof(kSource) - 1});
    return found == log_.source_maps().end() ? "none" : found->second;
  }

  test::HandlerHarness harness_;
  uint32_t slot_ = harness_.AddThread();
  V8Heap heap_;
  RecordedLog log_;
};

TEST_F(ScriptMaps, AreInTheLogWithTheFirstFunction) {
  const std::string url = UrlOf(10'000);
  EXPECT_TRUE(Define(FunctionWith(1, heap_.OneByte(url))));
  Drain();
  EXPECT_EQ(MapInLog(), url);
  EXPECT_EQ(log_.LostSourceMaps().size(), 0u);
}

TEST_F(ScriptMaps, ThatAreNotInTheTextAreLeftThere) {
  EXPECT_TRUE(Define(FunctionWith(1, heap_.OneByte("app.js.map"))));
  EXPECT_TRUE(Define(FunctionWith(2, heap_.OneByte("data"))));
  EXPECT_TRUE(Define(FunctionWith(3, heap_.New(131, 24))));
  Drain();
  EXPECT_EQ(MapInLog(), "none");
  EXPECT_EQ(log_.LostSourceMaps().size(), 0u);
}

TEST_F(ScriptMaps, LargerThanTheLaneComeWithOneSampleAfterTheOther) {
  const std::string url = UrlOf(700'000);
  const FunctionIdentity function = FunctionWith(1, External(url));
  int dropped = 0;
  while (!Define(function)) {
    ASSERT_LT(++dropped, 20);
    Drain();
    // Another script in between does not make it begin anew.
    EXPECT_TRUE(Define(FunctionWith(dropped + 1, heap_.OneByte(UrlOf(50)))));
  }
  Drain();
  EXPECT_GT(dropped, 2);
  EXPECT_LT(dropped, 12);
  EXPECT_EQ(MapInLog(), url);
}

TEST_F(ScriptMaps, ThatAreTooLargeAreCountedAndTheFunctionIsThere) {
  const std::string url = UrlOf((1 << 20) + 1);
  EXPECT_TRUE(Define(FunctionWith(1, External(url))));
  Drain();
  EXPECT_EQ(MapInLog(), "none");
  EXPECT_EQ(log_.LostSourceMaps().size(), 1u);
  // Another thread, or the same one later, had room.
  const std::string shorter = UrlOf(100);
  EXPECT_TRUE(Define(FunctionWith(2, heap_.OneByte(shorter))));
  Drain();
  EXPECT_EQ(MapInLog(), shorter);
  EXPECT_EQ(log_.LostSourceMaps().size(), 0u);
}

TEST_F(ScriptMaps, BeyondAWalksBudgetAreCounted) {
  const std::string url = UrlOf(1000);
  EXPECT_TRUE(Define(FunctionWith(1, heap_.OneByte(url)), 999));
  Drain();
  EXPECT_EQ(MapInLog(), "none");
  EXPECT_EQ(log_.LostSourceMaps().size(), 1u);
}

TEST_F(ScriptMaps, OfWhichNothingIsDrainedCostNoMoreThanSomeSamples) {
  const std::string url = UrlOf(1 << 20);
  const FunctionIdentity function = FunctionWith(1, External(url));
  int dropped = 0;
  while (dropped < 1000 && !Define(function)) dropped++;
  EXPECT_EQ(dropped, 64);
  Drain();
  EXPECT_EQ(log_.LostSourceMaps().size(), 1u);
}

}  // namespace
}  // namespace spprof
