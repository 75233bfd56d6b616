#include "blocks/block_stats.h"

#include <algorithm>

namespace spprof {

void BlockTotals::Add(const BlockTotals& other) {
  hits += other.hits;
  total += other.total;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  for (size_t i = 0; i < buckets.size(); i++) buckets[i] += other.buckets[i];
}

double BlockTotals::Percentile(double share) const {
  const double wanted = share * static_cast<double>(hits);
  double seen = 0;
  for (size_t i = 0; i < buckets.size(); i++) {
    const auto own = static_cast<double>(buckets[i]);
    if (own == 0 || seen + own < wanted) {
      seen += own;
      continue;
    }
    const auto lower = static_cast<double>(BlockBuckets::LowerEndOf(i));
    const auto upper = static_cast<double>(BlockBuckets::UpperEndOf(i) + 1);
    return std::clamp(lower + (upper - lower) * (wanted - seen) / own, static_cast<double>(min),
                      static_cast<double>(max));
  }
  return static_cast<double>(max);
}

void BlockStats::Clear(uint64_t epoch) {
  Put(hits_, 0);
  Put(total_, 0);
  Put(min_, UINT64_MAX);
  Put(max_, 0);
  for (Sequence& bucket : buckets_) Put(bucket, 0);
  Put(epoch_, epoch);
}

void BlockStats::CopyFields(BlockTotals* copy) const {
  const auto get = [](const Sequence& word) { return word.load(std::memory_order_acquire); };  // B4
  copy->hits = get(hits_);
  copy->total = get(total_);
  copy->min = get(min_);
  copy->max = get(max_);
  for (size_t i = 0; i < copy->buckets.size(); i++) copy->buckets[i] = get(buckets_[i]);
}

}  // namespace spprof
