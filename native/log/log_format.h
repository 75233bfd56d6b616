// The log: what the drain appends, an unrolled copy of the rings (docs/design/region-and-log.md 3).
// A file header, then chunks. A chunk is a header and `length` bytes: for kDetail and kIndex the
// bytes of one lane in order, for kControl records of the drain itself. Little-endian, eight-byte
// aligned. A chunk whose CRC does not match is left out.
//
// Context: plain data, any.
#pragma once

#include <cstdint>

namespace spprof {

inline constexpr uint64_t kLogMagic = 0x31474f4c46505053;  // "SPPFLOG1"
inline constexpr uint32_t kLogVersion = 3;
inline constexpr uint32_t kChunkMagic = 0x4b4e4843;  // "CHNK"

struct LogHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t header_size;  // of this struct: where the first chunk begins
  uint64_t reserved[2];
};
static_assert(sizeof(LogHeader) == 32);

// Where a log lies in a file that holds several, one after the other (lib/native/log-set.js).
struct LogRange {
  uint64_t offset = 0;
  uint64_t length = UINT64_MAX;  // up to the end of the file
};

enum class ChunkKind : uint32_t { kControl = 0, kDetail = 1, kIndex = 2 };

struct ChunkHeader {
  uint32_t magic;
  uint32_t crc32c;  // CRC-32C (Castagnoli, RFC 3720 B.4) of the fields below and of the payload
  ChunkKind kind;
  uint32_t length;  // of the payload, bytes, a multiple of 8
  uint32_t slot;    // of the thread; 0xffffffff for kControl
  uint32_t generation;
  uint64_t sequence;       // of the chunk, from 0, without a gap
  uint64_t lane_position;  // of the first payload byte in the lane's stream of bytes since the
                           // slot's generation began
};
static_assert(sizeof(ChunkHeader) == 40);

}  // namespace spprof
