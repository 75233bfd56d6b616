// What each fuzz target gives: its inputs to begin with, and what is done with one. fuzz_main.cc is
// libFuzzer's side of it.
//
// Context: fuzz targets only.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace spprof::fuzz {

using Bytes = std::span<const uint8_t>;

// By the target.
std::vector<std::string> Seeds();
void RunOne(Bytes input);
// What one input may cost: what runs in the signal handler must be done in less than a millisecond,
// sanitizers make it some ten times slower, and a machine that is shared another few times.
extern const uint64_t kMaxCpuNs;
inline constexpr uint64_t kHandlerCpuNs = 50'000'000;
inline constexpr uint64_t kReaderCpuNs = 5'000'000'000;

// Ends the process with a report: libFuzzer keeps the input.
[[noreturn]] void Fail(const char* what);
inline void Require(bool holds, const char* what) {
  if (!holds) Fail(what);
}

// Takes an input apart, front to back; behind its end all is 0.
class Input {
 public:
  explicit Input(Bytes bytes) : bytes_(bytes) {}
  template <typename T>
  T Take() {
    T value{};
    const size_t size = bytes_.size() < sizeof(T) ? bytes_.size() : sizeof(T);
    if (size != 0) std::memcpy(&value, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return value;
  }
  Bytes TakeBytes(size_t count) {
    const Bytes taken = bytes_.subspan(0, count < bytes_.size() ? count : bytes_.size());
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  Bytes rest() const { return bytes_; }
  bool is_empty() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

template <typename T>
void Append(std::string* out, const T& value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Memory that ends, or begins, at pages that nothing may read. A guarded load that does is
// reported, though it would be survived: a reader must not look outside what it was given.
class FencedMemory {
 public:
  explicit FencedMemory(size_t capacity);
  FencedMemory(const FencedMemory&) = delete;
  FencedMemory& operator=(const FencedMemory&) = delete;
  // Copies what fits; to the end of the readable pages, or to their beginning.
  uintptr_t Put(Bytes bytes, bool at_the_end);
  size_t capacity() const { return capacity_; }

 private:
  uint8_t* begin_;
  size_t capacity_;
};

}  // namespace spprof::fuzz
