// CRC-32C, the checksum of the log's chunks: polynomial 0x1EDC6F41 (Castagnoli; RFC 3720,
// section 12.1 and appendix B.4), reflected, initial value and final XOR 0xffffffff. Context: any
// thread; pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spprof {

// The CRC of `size` bytes at `data`. A CRC over several pieces: pass the result so far as `crc`.
uint32_t Crc32c(const void* data, size_t size, uint32_t crc = 0);

namespace internal {
// The same by tables, for processors without the instruction. Public so that the test covers it
// everywhere.
uint32_t Crc32cPortable(const void* data, size_t size, uint32_t crc);
}  // namespace internal

}  // namespace spprof
