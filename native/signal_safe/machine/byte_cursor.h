// Reads bytes of a mapped object in order: bounds-checked, guarded (the object may be unmapped
// meanwhile), a window at a time. After the first failure every read yields 0 and the cursor is at
// its end, so loops stop and one check at the end of a run of reads is enough.
//
// Context: signal | any thread. Lives on the stack (about 100 bytes).
#pragma once

#include <cstddef>
#include <cstdint>

namespace spprof {

class ByteCursor {
 public:
  // Reads nothing outside [begin, end).
  ByteCursor(uintptr_t begin, uintptr_t end) : position_(begin), end_(end), window_start_(begin) {
    if (begin > end) Fail();
  }

  uintptr_t position() const { return position_; }
  uintptr_t end() const { return end_; }
  bool has_failed() const { return has_failed_; }
  bool is_at_end() const { return position_ >= end_; }

  void Fail() {
    has_failed_ = true;
    position_ = end_;
    window_size_ = 0;
  }

  // Moves the end; never outward.
  void SetEnd(uintptr_t end) {
    if (has_failed_) return;
    if (end > end_ || end < position_) return Fail();
    end_ = end;
    if (window_size_ > end_ - window_start_) window_size_ = end_ - window_start_;
  }

  void Skip(uint64_t count) {
    if (count > end_ - position_) return Fail();
    position_ += count;
  }

  uint8_t U8() {
    if (position_ - window_start_ >= window_size_ && !Refill()) return 0;
    return window_[position_++ - window_start_];
  }
  uint16_t U16() { return Fixed<uint16_t>(); }
  uint32_t U32() { return Fixed<uint32_t>(); }
  uint64_t U64() { return Fixed<uint64_t>(); }

  // LEB128, at most ten bytes (64 bits).
  uint64_t Uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = U8();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    Fail();
    return 0;
  }
  int64_t Sleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
      const uint8_t byte = U8();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      shift += 7;
      if (byte & 0x80) continue;
      if ((byte & 0x40) && shift < 64) value |= ~uint64_t{0} << shift;
      return static_cast<int64_t>(value);
    }
    Fail();
    return 0;
  }

 private:
  template <typename T>
  T Fixed() {
    const size_t offset = position_ - window_start_;
    T value = 0;
    if (offset < window_size_ && window_size_ - offset >= sizeof(T)) {
      __builtin_memcpy(&value, window_ + offset, sizeof(T));
      position_ += sizeof(T);
      return value;
    }
    for (size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value | static_cast<T>(T{U8()} << (8 * i)));
    return value;
  }

  bool Refill();  // the window starts at position_ afterwards

  static constexpr size_t kWindowSize = 64;

  uintptr_t position_;
  uintptr_t end_;
  uintptr_t window_start_;
  size_t window_size_ = 0;  // readable bytes of window_, all below end_
  bool has_failed_ = false;
  uint8_t window_[kWindowSize];
};

}  // namespace spprof
