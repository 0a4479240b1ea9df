#include "resist/core/hash.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace resist {
namespace {

std::uint32_t checksum(std::string_view text) {
  return crc32c(std::as_bytes(std::span(text)));
}

TEST(Hasher, GivesTheSameDigestForAnySplit) {
  const std::string text(10000, 'x');
  Hasher hasher;
  const auto bytes = std::as_bytes(std::span(text));
  hasher.update(bytes.first(1));
  hasher.update(bytes.subspan(1, 4999));
  hasher.update(bytes.subspan(5000));
  EXPECT_EQ(hasher.digest(), hash_text(text));
}

TEST(Hasher, MatchesTheEmptyInputOfXxh3) {
  EXPECT_EQ(hash_text(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash_64(""), 0x2d06800538d394c2U);
}

// RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithTheExamplesOfRfc3720) {
  std::string ascending;
  for (int i = 0; i < 32; ++i) {
    ascending += static_cast<char>(i);
  }
  EXPECT_EQ(checksum(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(checksum(std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(checksum(ascending), 0x46DD794EU);
  EXPECT_EQ(checksum(std::string(ascending.rbegin(), ascending.rend())), 0x113FDB5CU);
  std::string read_command(48, '\0');
  for (const auto& [place, byte] : std::map<int, int>{
           {0, 0x01}, {1, 0xC0}, {16, 0x14}, {22, 0x04}, {27, 0x14}, {31, 0x18}, {32, 0x28}, {40, 0x02}}) {
    read_command[place] = static_cast<char>(byte);
  }
  EXPECT_EQ(checksum(read_command), 0xD9963A56U);
}

TEST(Crc32c, AgreesWithTheUsualCheckValues) {
  EXPECT_EQ(checksum(""), 0U);
  EXPECT_EQ(checksum("123456789"), 0xE3069283U);
}

TEST(Crc32c, IsTheSameInPartsOfAnyLengthAndPlace) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += static_cast<char>(i * 7 + i / 256);
  }
  const auto bytes = std::as_bytes(std::span(text));
  for (std::size_t cut = 0; cut <= text.size(); cut += 83) {
    ASSERT_EQ(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))), checksum(text)) << cut;
  }
}

}  // namespace
}  // namespace resist
