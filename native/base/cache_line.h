// Distance between words written by different threads: two 64-byte lines, because x86's
// adjacent-line prefetcher couples pairs and Apple's arm64 has 128-byte lines.
#pragma once

#include <cstddef>

namespace spprof {

inline constexpr size_t kCacheLine = 128;

constexpr size_t AlignUp(size_t value, size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace spprof
