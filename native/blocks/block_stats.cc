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

BlockTotals BlockStats::Copy(uint64_t epoch) {
  Counts* const active = active_.load(std::memory_order_relaxed);
  Counts* other = active == &first_ ? second_.get() : &first_;
  BlockTotals totals;
  while (other != nullptr && !other->TryCopy(epoch, &totals)) {
  }
  if (active->TryCopy(epoch, &totals)) return totals;
  if (other == nullptr) {
    second_ = std::make_unique<Counts>();
    other = second_.get();
  }
  active_.store(other, std::memory_order_release);  // B5
  while (!active->TryCopy(epoch, &totals)) {
  }
  return totals;
}

}  // namespace spprof
