// Queue, ring, lane and a block's counts in all interleavings of a few operations, under C++'s
// memory model; and each row of their ordering tables weakened, to see that the model would notice.
// What is modelled and what is not: interleaving_support.h.
//
// SPPROF_TEST_LONG=1 explores a size further.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "core_support.h"
#include "interleaving_atomics.h"

namespace spprof {
namespace {

using interleaving::Explorer;
using interleaving::Kind;
using interleaving::Result;
using interleaving::Weakening;
using spprof_model::BlockCounts;
using spprof_model::kCacheLine;
using spprof_model::Lane;
using spprof_model::LaneReader;
using spprof_model::LaneWriter;
using spprof_model::RingHeader;
using spprof_model::RingReader;
using spprof_model::RingWriter;
using spprof_model::SpscQueue;

struct Check {
  Weakening weakening = {};
  bool happens_before = true;
};

// What a thread remembers between two operations; `seen`: of the other side's indices.
uint64_t Hold(uint64_t operation, uint64_t number, uint64_t seen = 0) {
  return operation << 48 | seen << 16 | number;
}

// SpscQueue: head_, tail_seen_, entries_, and on a line of its own tail_, head_seen_.
constexpr size_t kTailSeen = 8, kEntries = 16, kHeadSeen = kCacheLine + 8;

uint64_t SeenAt(const void* queue, size_t offset) {
  uint64_t seen;
  std::memcpy(&seen, static_cast<const uint8_t*>(queue) + offset, sizeof(seen));
  return seen;
}

bool IsLong() { return std::getenv("SPPROF_TEST_LONG") != nullptr; }

template <uint32_t kCapacity>
void NameQueue(Explorer* explorer, SpscQueue<kCapacity>* queue) {
  auto* bytes = reinterpret_cast<uint8_t*>(queue);
  explorer->Name(bytes, Kind::kQueueHead);
  for (uint32_t i = 0; i < kCapacity; i++) explorer->Name(bytes + kEntries + 4 * i, Kind::kEntry);
  explorer->Name(bytes + kCacheLine, Kind::kQueueTail);
}

void NameRing(Explorer* explorer, RingHeader* ring, uint8_t* bytes, uint32_t size) {
  explorer->Name(&ring->head, Kind::kRingHead);
  explorer->Name(&ring->lane_base, Kind::kLaneBase);
  explorer->Name(&ring->tail, Kind::kRingTail);
  for (uint32_t at = 0; at < size; at += 8) explorer->Name(bytes + at, Kind::kBytes);
}

// Numbers from 1 on are pushed in at most `pushes` attempts; `pops` attempts at once, the rest when
// the producer has finished.
template <uint32_t kCapacity>
Result ExploreQueue(int pushes, int pops, const Check& check = {}) {
  auto explorer = std::make_unique<Explorer>();
  auto* queue = reinterpret_cast<SpscQueue<kCapacity>*>(explorer->arena());
  NameQueue(explorer.get(), queue);
  explorer->Weaken(check.weakening);
  explorer->CheckHappensBefore(check.happens_before);
  uint32_t pushed = 0, popped = 0;
  const auto pop = [&] {
    uint32_t value = 0;
    if (!queue->Pop(&value)) return false;
    explorer->Require(value == ++popped, "a number is lost, repeated, stale or out of order");
    explorer->Require(popped <= pushed, "a number came that had not been pushed");
    return true;
  };
  return explorer->Explore(
      [&] {
        pushed = popped = 0;
        queue->Reset();
      },
      [&] {
        for (int i = 0; i < pushes; i++) {
          explorer->AtRest(Hold(i, pushed, SeenAt(queue, kTailSeen)));
          if (queue->Push(pushed + 1)) pushed++;
        }
      },
      [&] {
        for (int i = 0; i < pops; i++) {
          explorer->AtRest(Hold(i, popped, SeenAt(queue, kHeadSeen)));
          pop();
        }
      },
      [&] {
        while (pop()) {
        }
        explorer->Require(popped == pushed, "a number is lost");
      });
}

// Records of `words` words, all of which hold its number.
struct Record {
  uint64_t words[3];
};

// A ring of 32 bytes; records of 16 bytes fit twice, those of 24 wrap.
Result ExploreRing(size_t record_bytes, int writes, int reads, const Check& check = {}) {
  constexpr uint32_t kSize = 32;
  auto explorer = std::make_unique<Explorer>();
  auto* ring = reinterpret_cast<RingHeader*>(explorer->arena());
  uint8_t* bytes = explorer->arena() + sizeof(RingHeader);
  NameRing(explorer.get(), ring, bytes, kSize);
  explorer->Weaken(check.weakening);
  explorer->CheckHappensBefore(check.happens_before);
  uint64_t written = 0, read = 0;
  const auto drain = [&] {
    RingReader reader(ring, bytes, kSize);
    const uint64_t length = reader.Readable();
    explorer->Require(length % record_bytes == 0, "half a record is readable");
    for (uint64_t at = 0; at < length; at += record_bytes) {
      Record record;
      reader.Copy(reinterpret_cast<uint8_t*>(&record), record_bytes);
      read++;
      for (size_t word = 0; word < record_bytes / 8; word++) {
        explorer->Require(record.words[word] == read,
                          "a record is half-written, overwritten, lost or repeated");
      }
    }
    reader.Release();
  };
  return explorer->Explore(
      [&] {
        written = read = 0;
        ring->Reset();
      },
      [&] {
        for (int i = 0; i < writes; i++) {
          explorer->AtRest(Hold(i, written));
          RingWriter writer(ring, bytes, kSize);
          if (writer.Free() < record_bytes) continue;
          const uint64_t number = written + 1;
          const Record record = {{number, number, number}};
          writer.Append(&record, record_bytes);
          writer.Publish();
          written = number;
        }
      },
      [&] {
        for (int i = 0; i < reads; i++) {
          explorer->AtRest(Hold(i, read));
          drain();
        }
      },
      [&] {
        drain();
        explorer->Require(read == written, "a record is lost");
      });
}

// A lane of `rings` rings of `ring_size` bytes, records of 16 bytes. A visit empties it up to what
// PublishedEnd says, or wholly.
enum class Visit { kToPublishedEnd, kWhole };
Result ExploreLane(uint32_t rings, uint32_t ring_size, int writes, const std::vector<Visit>& visits,
                   const Check& check = {}) {
  constexpr size_t kRecord = 16;
  auto explorer = std::make_unique<Explorer>();
  uint8_t* region = explorer->arena();
  auto* lane = reinterpret_cast<Lane*>(region);
  explorer->Name(&lane->active, Kind::kActive);
  NameQueue(explorer.get(), &lane->submit);
  NameQueue(explorer.get(), &lane->free);
  for (uint32_t i = 0; i < rings; i++)
    NameRing(explorer.get(), &lane->rings[i], region + sizeof(Lane) + i * ring_size, ring_size);
  explorer->Weaken(check.weakening);
  explorer->CheckHappensBefore(check.happens_before);
  uint64_t written = 0, drained = 0;  // records
  const auto drain = [&](uint64_t end) {
    LaneReader(lane, region).Drain(end, [&](uint64_t position, RingReader& ring, uint64_t length) {
      explorer->Require(
          position == drained * kRecord,
          "a ring is read before one that was filled earlier, or its position is wrong");
      explorer->Require(length % kRecord == 0, "half a record is readable");
      explorer->Require(position + length <= end, "more is drained than was asked for");
      for (uint64_t at = 0; at < length; at += kRecord) {
        uint64_t words[2];
        ring.Copy(reinterpret_cast<uint8_t*>(words), kRecord);
        drained++;
        explorer->Require(words[0] == drained && words[1] == drained,
                          "a record is half-written, overwritten, lost or repeated");
      }
    });
  };
  return explorer->Explore(
      [&] {
        written = drained = 0;
        lane->Reset(rings, ring_size, sizeof(Lane));
      },
      [&] {
        for (int i = 0; i < writes; i++) {
          explorer->AtRest(Hold(
              i, written, SeenAt(&lane->submit, kTailSeen) << 8 | SeenAt(&lane->free, kHeadSeen)));
          LaneWriter writer(lane, region);
          bool swapped = false;
          if (!writer.Reserve(kRecord, &swapped)) continue;
          const uint64_t words[2] = {written + 1, written + 1};
          writer.Write(words, kRecord);
          written++;
        }
      },
      [&] {
        for (size_t i = 0; i < visits.size(); i++) {
          const Visit visit = visits[i];
          explorer->AtRest(Hold(
              i, drained, SeenAt(&lane->submit, kHeadSeen) << 8 | SeenAt(&lane->free, kTailSeen)));
          if (visit == Visit::kWhole) {
            drain(UINT64_MAX);
            continue;
          }
          const uint64_t end = LaneReader(lane, region).PublishedEnd();
          explorer->Require(end >= drained * kRecord, "the end lies behind what has been drained");
          drain(end);
        }
      },
      [&] {
        drain(UINT64_MAX);
        explorer->Require(drained == written, "a record is lost");
        explorer->Require(lane->events_written.load(std::memory_order_relaxed) == written,
                          "the lane has counted wrong");
        explorer->Require(LaneReader(lane, region).PublishedEnd() == written * kRecord,
                          "the lane does not end where it does");
      });
}

// A histogram of two buckets, and what a copy adds up.
struct TwoBuckets {
  static constexpr size_t kCount = 2;
  static size_t Of(uint64_t ticks) { return ticks > 2 ? 1 : 0; }
};
struct Totals {
  uint64_t hits = 0, total = 0, min = UINT64_MAX, max = 0, buckets[2] = {};
  void Add(const Totals& other) { *this = other; }
};

// Hit n of an epoch takes 2^n ticks, so that a copy's number of hits says what else it must hold.
// One hit has been made before, and the thread makes `hits` more, after a reset if `resets`.
Result ExploreCounts(int hits, int copies, bool resets, const Check& check = {}) {
  using Counts = BlockCounts<TwoBuckets>;
  auto explorer = std::make_unique<Explorer>();
  uint8_t* words = explorer->arena();
  explorer->Name(words, Kind::kVersion);
  // Its eight fields, and the buckets.
  for (int i = 1; i <= 8 + 2; i++) explorer->Name(words + 8 * i, Kind::kCount);
  explorer->Weaken(check.weakening);
  explorer->CheckHappensBefore(check.happens_before);
  const uint64_t epoch = resets ? 2 : 1;
  const uint64_t first = resets ? 0 : 1;
  Counts* counts = nullptr;
  const auto copy = [&](uint64_t seen) {
    Totals totals;
    if (!counts->TryCopy(epoch, &totals)) return seen;
    explorer->Require(totals.hits >= seen, "a hit has gone away");
    const uint64_t all = (uint64_t{1} << totals.hits) - 1;
    explorer->Require(totals.total == all &&
                          totals.max == (totals.hits == 0 ? 0 : uint64_t{1} << (totals.hits - 1)) &&
                          totals.min == (totals.hits == 0 ? UINT64_MAX : 1) &&
                          totals.buckets[0] == std::min<uint64_t>(totals.hits, 2) &&
                          totals.buckets[0] + totals.buckets[1] == totals.hits,
                      "half a hit has been copied");
    return totals.hits;
  };
  return explorer->Explore(
      [&] {
        counts = new (words) Counts;
        counts->Add(1, 1);
      },
      [&] {
        for (int i = 0; i < hits; i++) {
          explorer->AtRest(Hold(i, 0));
          counts->Add(uint64_t{1} << (first + i), epoch);
        }
      },
      [&] {
        uint64_t seen = 0;
        for (int i = 0; i < copies; i++) {
          explorer->AtRest(Hold(i, seen));
          seen = copy(seen);
        }
      },
      [&] { explorer->Require(copy(0) == first + hits, "a hit is lost"); });
}

void Expect(const char* what, const Result& result) {
  std::printf("%-44s %9llu states, %9llu runs\n", what,
              static_cast<unsigned long long>(result.states),
              static_cast<unsigned long long>(result.runs));
  EXPECT_EQ(result.violation, "") << what;
  EXPECT_GT(result.states, 100u);
}

// One thread runs at a time, on a stack of its own, which TSan would have to be told and could
// learn nothing from.
class Interleaving : public testing::Test {
  void SetUp() override {
    if (test::kUnderTsan) GTEST_SKIP() << "a single thread";
  }
};

TEST_F(Interleaving, TheQueueLosesRepeatsAndReordersNothing) {
  const int more = IsLong() ? 8 : 3;
  Expect("queue of 1", ExploreQueue<1>(5 + more, 5 + more));
  Expect("queue of 2", ExploreQueue<2>(5 + more, 5 + more));
  Expect("queue of 4", ExploreQueue<4>(6 + more, 6 + more));
}

TEST_F(Interleaving, TheRingShowsWholeRecordsInOrder) {
  const int more = IsLong() ? 8 : 3;
  Expect("ring, records of half its size", ExploreRing(16, 5 + more, 5 + more));
  Expect("ring, records that wrap", ExploreRing(24, 5 + more, 5 + more));
}

TEST_F(Interleaving, TheLaneIsReadInTheOrderItWasWritten) {
  using enum Visit;
  const int more = IsLong() ? 1 : 0;
  // With two rings the fifth record comes into a ring that the reader may have taken for the active
  // one before it emptied it: it must not overtake the ring between. (It did.)
  Expect("lane, 2 rings of a record", ExploreLane(2, 16, 5 + more, {kWhole, kWhole, kWhole}));
  Expect("lane, 2 rings of 2 records", ExploreLane(2, 32, 6 + more, {kWhole, kToPublishedEnd}));
  Expect("lane, 2 rings, up to the published end",
         ExploreLane(2, 16, 4 + more, {kToPublishedEnd, kToPublishedEnd, kToPublishedEnd}));
  Expect("lane, 3 rings of a record", ExploreLane(3, 16, 5, {kWhole}));
  if (!IsLong()) return;
  Expect("lane, 4 rings of a record", ExploreLane(4, 16, 6, {kWhole}));
  Expect("lane, 3 rings, up to the published end",
         ExploreLane(3, 16, 5, {kToPublishedEnd, kWhole}));
  Expect("lane, 4 rings, up to the published end",
         ExploreLane(4, 16, 6, {kWhole, kToPublishedEnd}));
}

TEST_F(Interleaving, ACopyOfABlocksCountsIsOfWholeHits) {
  const int more = IsLong() ? 2 : 0;
  Expect("counts of a block", ExploreCounts(3 + more, 2, false));
  Expect("counts of a block, reset", ExploreCounts(2 + more, 2, true));
}

// The model can fail: each row made relaxed lets something go wrong. `is_seen`: not only unordered,
// but seen by the reader.
TEST_F(Interleaving, EachRowOfTheTablesIsNeeded) {
  using enum Visit;
  struct Row {
    Weakening weakening;
    Result (*explore)(const Check&);
    bool is_seen;
  };
  const auto queue = [](const Check& check) { return ExploreQueue<2>(4, 4, check); };
  const auto ring = [](const Check& check) { return ExploreRing(16, 4, 3, check); };
  const auto lane = [](const Check& check) {
    return ExploreLane(2, 16, 4, {kWhole, kToPublishedEnd, kToPublishedEnd}, check);
  };
  const auto counts = [](const Check& check) { return ExploreCounts(3, 2, false, check); };
  const Row rows[] = {
      {{"Q1", Kind::kQueueHead, true}, queue, true},
      {{"Q2", Kind::kQueueHead, false}, queue, true},
      {{"Q3", Kind::kQueueTail, true}, queue, false},
      {{"Q4", Kind::kQueueTail, false}, queue, false},
      {{"R1", Kind::kRingHead, true}, ring, true},
      {{"R2", Kind::kRingHead, false}, ring, true},
      {{"R3", Kind::kRingTail, true}, ring, false},
      {{"R4", Kind::kRingTail, false}, ring, false},
      {{"L1", Kind::kActive, true}, lane, true},
      {{"L2", Kind::kActive, false}, lane, true},
      {{"B1", Kind::kVersion, true}, counts, true},
      {{"B2", Kind::kVersion, false}, counts, true},
      {{"B3", Kind::kCount, true}, counts, true},
      {{"B4", Kind::kCount, false}, counts, true},
      {{"Q1 in a lane", Kind::kQueueHead, true}, lane, true},
      {{"Q2 in a lane", Kind::kQueueHead, false}, lane, true},
      {{"R1 in a lane", Kind::kRingHead, true}, lane, true},
      {{"R2 in a lane", Kind::kRingHead, false}, lane, true},
  };
  for (const Row& row : rows) {
    const Result result = row.explore({row.weakening, !row.is_seen});
    std::printf("%-14s relaxed: %s (run %llu)\n", row.weakening.row,
                result.violation.empty() ? "no violation" : result.violation.c_str(),
                static_cast<unsigned long long>(result.runs));
    EXPECT_NE(result.violation, "")
        << row.weakening.row << " is not needed, or the model does not see why";
  }
}

}  // namespace
}  // namespace spprof
