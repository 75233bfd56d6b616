#include "region/layout.h"

namespace spprof {

const char* DropReasonName(DropReason reason) {
  static constexpr const char* kNames[] = {"not_accepting", "index_full",      "detail_full",
                                           "busy",          "signals_blocked", "not_selected",
                                           "off_cpu",       "not_due",         "no_stack"};
  static_assert(std::size(kNames) == static_cast<size_t>(DropReason::kCount));
  return kNames[static_cast<size_t>(reason)];
}

namespace {
bool IsRingSize(uint32_t size) {
  return size >= kRegionPage && size <= (16u << 20) && (size & (size - 1)) == 0;
}
}  // namespace

bool RegionGeometry::IsValid() const {
  return IsRingSize(index_ring_size) && IsRingSize(detail_ring_size) && index_ring_count >= 1 &&
         index_ring_count <= kMaxRingsPerLane && detail_ring_count >= 1 &&
         detail_ring_count <= kMaxRingsPerLane;
}

}  // namespace spprof
