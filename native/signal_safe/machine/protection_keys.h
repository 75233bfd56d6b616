// Memory protection keys (x86-64, pkeys(7)). Linux enters a signal handler with the access of every
// key but 0 denied (PKRU = 0x55555554), and V8 10 and 11 (Node.js 18 and 20) put WebAssembly's code
// under a key of its own, so that a handler that reads code must open it first. Returning from a
// signal restores what the interrupted code had.
//
// Context: signal | any thread.
#pragma once

#include <cstdint>

namespace spprof {

// PKRU holds two bits a key, from key 0 at the lowest: access denied, write denied.
inline constexpr uint32_t kAccessDenied = 0x55555555;

// `pkru` with all keys readable; what could not be accessed cannot be written either.
constexpr uint32_t ReadablePkru(uint32_t pkru) {
  return (pkru & ~kAccessDenied) | (pkru & kAccessDenied) << 1;
}

// Asks the processor (CPUID traps in a virtual machine, some microseconds): once, outside handlers.
void FindProtectionKeys();
bool HasProtectionKeys();

// While it lives, the thread can read what any key protects.
class ReadableKeys {
 public:
  ReadableKeys();
  ~ReadableKeys();
  ReadableKeys(const ReadableKeys&) = delete;
  ReadableKeys& operator=(const ReadableKeys&) = delete;

 private:
  uint32_t saved_ = 0;
  bool is_open_ = false;
};

}  // namespace spprof
