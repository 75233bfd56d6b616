#include "signal_safe/machine/byte_cursor.h"

#include "signal_safe/machine/guarded_load.h"

namespace spprof {

bool ByteCursor::Refill() {
  const size_t left = end_ - position_;
  const size_t wanted = left < kWindowSize ? left : kWindowSize;
  const size_t got = has_failed_ ? 0 : GuardedCopy(window_, position_, wanted);
  if (got == 0) {
    Fail();
    return false;
  }
  window_start_ = position_;
  window_size_ = got;
  return true;
}

}  // namespace spprof
