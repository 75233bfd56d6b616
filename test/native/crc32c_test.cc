#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace spprof {
namespace {

struct Vector {
  std::vector<uint8_t> bytes;
  uint32_t crc;
};

// RFC 3720, appendix B.4 (which prints the CRC's bytes in the order they are sent, least
// significant first).
std::vector<Vector> RfcVectors() {
  std::vector<uint8_t> rising(32), falling(32);
  for (int i = 0; i < 32; ++i) {
    rising[i] = static_cast<uint8_t>(i);
    falling[i] = static_cast<uint8_t>(31 - i);
  }
  const std::vector<uint8_t> read_pdu = {0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                         0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
                                         0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00,
                                         0x00, 0x18, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                         0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  return {{std::vector<uint8_t>(32, 0x00), 0x8a9136aa},
          {std::vector<uint8_t>(32, 0xff), 0x62a8ab43},
          {rising, 0x46dd794e},
          {falling, 0x113fdb5c},
          {read_pdu, 0xd9963a56}};
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  for (const Vector& vector : RfcVectors()) {
    EXPECT_EQ(Crc32c(vector.bytes.data(), vector.bytes.size()), vector.crc);
    EXPECT_EQ(internal::Crc32cPortable(vector.bytes.data(), vector.bytes.size(), 0), vector.crc);
  }
  EXPECT_EQ(Crc32c("123456789", 9), 0xe3069283u);  // the catalogue's check value
}

TEST(Crc32c, OfNothingIsZero) { EXPECT_EQ(Crc32c(nullptr, 0), 0u); }

TEST(Crc32c, GivesTheSameInPiecesAndByTables) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(1000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (int round = 0; round < 500; ++round) {
    const size_t begin = random() % bytes.size();
    const size_t size = random() % (bytes.size() - begin + 1);
    const size_t cut = size == 0 ? 0 : random() % size;
    const uint8_t* data = bytes.data() + begin;
    const uint32_t whole = Crc32c(data, size);
    EXPECT_EQ(Crc32c(data + cut, size - cut, Crc32c(data, cut)), whole);
    EXPECT_EQ(internal::Crc32cPortable(data, size, 0), whole);
  }
}

}  // namespace
}  // namespace spprof
