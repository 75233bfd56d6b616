#include "v8/vm_state.h"

#include "signal_safe/machine/guarded_load.h"

namespace spprof {

namespace {

constexpr uint32_t kBehindEntry = 2 * sizeof(uint64_t);
// It has been between 0x1b0 and 0x4568; an isolate has tens of kilobytes.
constexpr uint32_t kSearchedBytes = 0x6000;
constexpr uint64_t kMaxStackBytes = uint64_t{1} << 30;

bool IsEntryFrame(uint64_t fp, uint64_t here, const V8Layout& frames) {
  uint64_t marker;
  return fp > here && fp - here <= kMaxStackBytes && fp % 8 == 0 &&
         GuardedLoad64(fp - 8, &marker) && frames.IsEntryMarker(marker);
}

// We are in a C++ callback from JavaScript, which newer versions do not tell from JavaScript while
// nobody of V8's own profiles.
bool IsVmState(uintptr_t isolate, uint32_t offset, uint64_t here, const V8Layout& frames) {
  uint64_t entry;
  uint16_t state;
  return GuardedLoad64(isolate + offset - kBehindEntry, &entry) &&
         IsEntryFrame(entry, here, frames) && GuardedLoad16(isolate + offset, &state) &&
         (state == kVmStateJs || state == kVmStateExternal);
}

}  // namespace

uint32_t FindVmState(uintptr_t isolate, const V8Layout& frames) {
  const auto here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  for (uint32_t offset = kBehindEntry; offset < kSearchedBytes; offset += sizeof(uint64_t)) {
    if (IsVmState(isolate, offset, here, frames)) return offset;
  }
  return 0;
}

}  // namespace spprof
