// The numbers of one block on one thread, and copies of them that are whole however fast the thread
// goes on.
//
// There are up to two buffers, and the thread counts in the one that is active; the sum of both is
// what it has counted. A copy that a hit has disturbed makes the other buffer active, after which
// nothing changes in this one: the thread never waits, and its hits cost the same. A copy is tried
// again only for the hits that the thread had begun before it could see the exchange: one, or what
// fits into a core's store buffer.
//
// clang-format off
// | word    | writer | reader | release at | acquire at | becomes visible          | if weakened                            |
// | active_ | copier | thread | Copy B5    | Add B6     | the new buffer's zeros   | the thread counts on from what it finds |
// clang-format on
//
// Context: the owning thread (Add) | one other thread at a time (Copy).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/log_linear.h"
#include "blocks/block_counts.h"

namespace spprof {

using BlockBuckets = LogLinearBuckets<4, 44>;  // a bucket is a sixteenth wide; up to 2^48 ticks

// A sum over buffers, and over threads.
struct BlockTotals {
  uint64_t hits = 0;
  uint64_t total = 0;
  uint64_t min = UINT64_MAX;
  uint64_t max = 0;
  std::vector<uint64_t> buckets = std::vector<uint64_t>(BlockBuckets::kCount);

  void Add(const BlockTotals& other);
  // Interpolated within its bucket.
  double Percentile(double share) const;
};

class BlockStats {
 public:
  BlockStats() : active_(&first_) {}

  void Add(uint64_t ticks, uint64_t epoch) {
    active_.load(std::memory_order_acquire)->Add(ticks, epoch);  // B6
  }
  // Nothing when there was no hit in this epoch. Throws bad_alloc.
  BlockTotals Copy(uint64_t epoch);

 private:
  using Counts = BlockCounts<BlockBuckets>;

  std::atomic<Counts*> active_;
  Counts first_;
  std::unique_ptr<Counts> second_;  // made for the first copy that a hit disturbs
};

}  // namespace spprof
