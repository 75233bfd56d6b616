// A single-producer single-consumer ring of bytes in shared memory. The header is here, the bytes
// lie elsewhere in the region. Records are contiguous modulo the ring's size: a record may wrap
// around its end, so both sides copy in two pieces.
//
// Thread safety: as SpscQueue. Invariants: tail <= head <= tail + size; size is a power of two.
//
// clang-format off
// | word      | writer   | reader   | release    | acquire     | becomes visible            | if weakened                              |
// | head      | producer | consumer | Publish R1 | Readable R2 | the bytes before head      | the consumer reads a half-written record |
// | tail      | consumer | producer | Release R3 | Free R4     | the bytes have been copied | the producer overwrites unread bytes     |
// | lane_base | producer | consumer | through the lane's active ring or submit queue | | chunk positions are wrong               |
// clang-format on
#pragma once

#include <cstring>

#include "base/cache_line.h"
#include "region/sequence.h"

namespace spprof {

struct RingHeader {
  alignas(kCacheLine) Sequence head;  // bytes ever written
  // Position in the lane's stream = lane_base + ring index (wraps on purpose). Set when the ring
  // becomes active.
  Sequence lane_base;
  alignas(kCacheLine) Sequence tail;  // bytes ever consumed

  void Reset() {
    head.store(0, std::memory_order_relaxed);
    tail.store(0, std::memory_order_relaxed);
    lane_base.store(0, std::memory_order_relaxed);
  }
};
static_assert(sizeof(RingHeader) == 2 * kCacheLine);

// The producer's side; cheap to make for each record.
class RingWriter {
 public:
  RingWriter(RingHeader* header, uint8_t* bytes, uint32_t size)
      : header_(header),
        bytes_(bytes),
        size_(size),
        cursor_(header->head.load(std::memory_order_relaxed)) {}

  uint64_t Free() const {
    return size_ - (cursor_ - header_->tail.load(std::memory_order_acquire));
  }  // R4

  // Appends behind what has been appended; nothing is visible before Publish. The caller has
  // checked Free().
  void Append(const void* from, size_t length) {
    const size_t at = cursor_ & (size_ - 1);
    const size_t first = length < size_ - at ? length : size_ - at;
    std::memcpy(bytes_ + at, from, first);
    if (first < length) {
      std::memcpy(bytes_, static_cast<const uint8_t*>(from) + first, length - first);
    }
    cursor_ += length;
  }

  void Publish() { header_->head.store(cursor_, std::memory_order_release); }  // R1

 private:
  RingHeader* header_;
  uint8_t* bytes_;
  uint32_t size_;
  uint64_t cursor_;
};

// The consumer's side.
class RingReader {
 public:
  RingReader(RingHeader* header, const uint8_t* bytes, uint32_t size)
      : header_(header),
        bytes_(bytes),
        size_(size),
        tail_(header->tail.load(std::memory_order_relaxed)) {}

  // Bytes that can be read. A header in a dead process's region may hold anything: more than the
  // ring's size is damage, and reads as nothing.
  uint64_t Readable() const {
    const uint64_t count = header_->head.load(std::memory_order_acquire) - tail_;  // R2
    return count <= size_ ? count : 0;
  }

  uint64_t lane_position() const {
    return header_->lane_base.load(std::memory_order_relaxed) + tail_;
  }

  void Copy(uint8_t* to, size_t length) {
    const size_t at = tail_ & (size_ - 1);
    const size_t first = length < size_ - at ? length : size_ - at;
    std::memcpy(to, bytes_ + at, first);
    if (first < length) std::memcpy(to + first, bytes_, length - first);
    tail_ += length;
  }

  void Release() { header_->tail.store(tail_, std::memory_order_release); }  // R3

 private:
  RingHeader* header_;
  const uint8_t* bytes_;
  uint32_t size_;
  uint64_t tail_;
};

}  // namespace spprof
