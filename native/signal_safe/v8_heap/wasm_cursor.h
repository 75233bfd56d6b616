// Reads a WebAssembly module's binary format, front to back: bounds-checked, guarded, a window of
// bytes at a time, so that a byte costs no guarded load of its own.
//
// Context: signal | any thread. The bytes are the program's, so whatever they say is checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signal_safe/machine/guarded_load.h"

namespace spprof {

class WasmCursor {
 public:
  WasmCursor() = default;
  WasmCursor(uint64_t at, uint64_t end) : at_(at), end_(end) {}

  uint64_t at() const { return at_; }
  bool is_at_end() const { return at_ >= end_; }

  bool Byte(uint8_t* out) {
    if (at_ >= end_) return false;
    if (at_ - buffered_at_ >= buffered_) {
      const uint64_t left = end_ - at_;
      buffered_at_ = at_;
      buffered_ = GuardedCopy(buffer_, at_, left < sizeof(buffer_) ? left : sizeof(buffer_));
      if (buffered_ == 0) return false;
    }
    *out = buffer_[at_++ - buffered_at_];
    return true;
  }
  // LEB128, of at most 64 bits.
  bool Number64(uint64_t* out) {
    *out = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      uint8_t byte;
      if (!Byte(&byte)) return false;
      if (shift < 64) *out |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }
  bool Number(uint32_t* out) {
    uint64_t wide;
    if (!Number64(&wide) || wide > UINT32_MAX) return false;
    *out = static_cast<uint32_t>(wide);
    return true;
  }
  bool Skip(uint64_t bytes) {
    if (bytes > end_ - at_) return false;
    at_ += bytes;
    return true;
  }
  bool SkipText() {
    uint32_t length;
    return Number(&length) && Skip(length);
  }
  // The next part, which begins with its size, and is skipped.
  bool Part(WasmCursor* out) {
    uint32_t size;
    if (!Number(&size) || size > end_ - at_) return false;
    *out = WasmCursor(at_, at_ + size);
    return Skip(size);
  }

 private:
  uint64_t at_ = 0;
  uint64_t end_ = 0;
  uint64_t buffered_at_ = 0;
  size_t buffered_ = 0;
  uint8_t buffer_[64];
};

}  // namespace spprof
