// A lane: a pool of rings between one sampled thread and the drain. The thread writes into the
// active ring; the drain empties it in place. When it is full, the thread takes a ring from the
// free queue, hands the full one over through the submit queue and goes on; when there is none, the
// record is refused and the caller counts it.
//
//            free queue   (drain -> thread)        ┌────────┐
//     drain ───────────────────────────▶ thread ──▶│ active │──┐ read in place
//       ▲                                          └────────┘  │
//       └────────── submit queue (thread -> drain): full rings ◀┘
//
// clang-format off
// | word   | writer | reader | release at | acquire at                 | becomes visible                       | if weakened                                         |
// | active | thread | drain  | Reserve L1 | PublishedEnd L2, Drain L2  | the new ring's base; the former ring's | the published end lies behind what has been drained |
// |        |        |        |            |                            | push to submit                         | already                                             |
// clang-format on
// (Queues and rings have their own tables; all rows are checked by
// test/native/interleaving_test.cc.)
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/cache_line.h"
#include "region/ring.h"
#include "region/sequence.h"
#include "region/spsc_queue.h"

namespace spprof {

inline constexpr uint32_t kMaxRingsPerLane = 4;

// Lives in the region.
struct Lane {
  alignas(kCacheLine) Word active;
  Word marked;  // 1: holds definitions that the index needs; never recycled before it is drained
  uint32_t ring_count;
  uint32_t ring_size;       // bytes, a power of two
  uint64_t rings_offset;    // of the first ring's bytes, from the region's beginning
  Sequence events_written;  // records; written by the thread
  Sequence swaps;           // written by the thread
  SpscQueue<kMaxRingsPerLane> submit;
  SpscQueue<kMaxRingsPerLane> free;
  RingHeader rings[kMaxRingsPerLane];

  // Nobody may use the lane. Keeps no data.
  void Reset(uint32_t count, uint32_t size, uint64_t offset);
};
static_assert(sizeof(Lane) == 13 * kCacheLine);

// Where a lane's rings are, read once: the page that says so may be replaced by zeros at any moment
// (signal_safe/machine/lost_mapping.h), and then `size` is 0 or all of it is right.
struct LaneRings {
  LaneRings(const Lane& lane, uint8_t* region) {
    const uint64_t offset = *static_cast<const volatile uint64_t*>(&lane.rings_offset);
    asm volatile("" ::: "memory");
    size = *static_cast<const volatile uint32_t*>(&lane.ring_size);
    bytes = region + offset;
    if (offset == 0) size = 0;
  }
  uint8_t* BytesOf(uint32_t ring) const { return bytes + size_t{ring} * size; }

  uint8_t* bytes;
  uint32_t size;
};

// The sampled thread's side. Context: signal (and the thread itself while the handler is kept out).
class LaneWriter {
 public:
  LaneWriter(Lane* lane, uint8_t* region) : lane_(lane), rings_(*lane, region) {}

  // A writer with room for `size` bytes in the active ring, after a swap if need be. `*swapped` is
  // set when a full ring was handed over (the drain should be woken). False means full, and nothing
  // has changed.
  bool Reserve(size_t size, bool* swapped);

  // After a successful Reserve: appends and publishes one record made of up to two pieces.
  void Write(const void* head, size_t head_size, const void* tail = nullptr, size_t tail_size = 0);

 private:
  RingWriter WriterOf(uint32_t ring) {
    return RingWriter(&lane_->rings[ring], rings_.BytesOf(ring), rings_.size);
  }

  Lane* lane_;
  LaneRings rings_;
};

// The drain's side. `Sink` is called as sink(lane_position, ring_reader, length), must copy exactly
// `length` bytes with ring_reader.Copy, and keep them safe: when it returns true, the thread may
// overwrite them. When it returns false, they stay where they are. One that returns nothing always
// keeps them. Context: drain thread, or any process that owns a dead one's region.
class LaneReader {
 public:
  LaneReader(Lane* lane, uint8_t* region) : lane_(lane), rings_(*lane, region) {}

  // End of what has been published, as a position in the lane's stream.
  uint64_t PublishedEnd() const {
    const uint32_t active = lane_->active.load(std::memory_order_acquire);  // L2
    if (active >= lane_->ring_count)
      return UINT64_MAX;  // a damaged region: what has been submitted
    return lane_->rings[active].lane_base.load(std::memory_order_relaxed) +
           lane_->rings[active].head.load(std::memory_order_acquire);
  }

  // Empties the lane up to position `end`, which PublishedEnd() gave, or wholly (UINT64_MAX).
  // Returns the number of bytes. A submitted ring leaves the queue only when it is empty: should
  // the drain die before, the ring is still found there.
  template <typename Sink>
  uint64_t Drain(uint64_t end, Sink&& sink) {
    uint64_t total = 0;
    // Bounded: a writer that swaps faster than we read is visited again by the next pass.
    for (uint32_t turn = 0; turn < 2 * kMaxRingsPerLane; turn++) {
      uint32_t ring;
      if (lane_->submit.Peek(&ring)) {
        const bool is_valid = ring < lane_->ring_count;  // else a damaged region
        if (is_valid) {
          const RingReader reader = ReaderOf(ring);
          total += DrainRing(reader, reader.Readable(), end, sink);
        }
        // `end` lies within it, or it could not be kept safe.
        if (is_valid && ReaderOf(ring).Readable() != 0) break;
        lane_->submit.Pop(&ring);
        if (is_valid) lane_->free.Push(ring);
        continue;
      }
      ring = lane_->active.load(std::memory_order_acquire);  // L2
      if (ring >= lane_->ring_count) break;                  // a damaged region
      // How much, before the queue is looked at again: had the thread swapped until this ring came
      // round, what it holds now would lie behind the rings that were submitted meanwhile.
      const RingReader reader = ReaderOf(ring);
      const uint64_t length = reader.Readable();
      if (!lane_->submit.IsEmpty())
        continue;  // it swapped meanwhile: the submitted ring comes first
      total += DrainRing(reader, length, end, sink);
      break;
    }
    return total;
  }

 private:
  RingReader ReaderOf(uint32_t ring) {
    return RingReader(&lane_->rings[ring], rings_.BytesOf(ring), rings_.size);
  }

  // At most the `length` bytes that were readable.
  template <typename Sink>
  uint64_t DrainRing(RingReader reader, uint64_t length, uint64_t end, Sink&& sink) {
    if (end != UINT64_MAX) {
      // Positions count modulo 2^64: `end` may lie behind the reader (negative), in what is
      // readable, or beyond.
      const auto wanted = static_cast<int64_t>(end - reader.lane_position());
      if (wanted < static_cast<int64_t>(length))
        length = wanted > 0 ? static_cast<uint64_t>(wanted) : 0;
    }
    if (length == 0) return 0;
    if constexpr (std::is_void_v<std::invoke_result_t<Sink, uint64_t, RingReader&, uint64_t>>) {
      sink(reader.lane_position(), reader, length);
    } else if (!sink(reader.lane_position(), reader, length)) {
      return 0;
    }
    reader.Release();
    return length;
  }

  Lane* lane_;
  LaneRings rings_;
};

}  // namespace spprof
