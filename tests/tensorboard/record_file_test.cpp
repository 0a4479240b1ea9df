#include "resist/tensorboard/record_file.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <vector>

namespace resist {
namespace {

std::string bytes_of(const std::vector<int>& values) {
  return {values.begin(), values.end()};
}

std::string record_of(std::string_view payload) {
  std::string record;
  append_record(record, payload);
  return record;
}

// RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithTheExamplesOfRfc3720) {
  std::string ascending;
  for (int i = 0; i < 32; ++i) {
    ascending += static_cast<char>(i);
  }
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(crc32c(std::string(ascending.rbegin(), ascending.rend())), 0x113FDB5CU);
  std::string read_command(48, '\0');
  for (const auto& [place, byte] : std::map<int, int>{
           {0, 0x01}, {1, 0xC0}, {16, 0x14}, {22, 0x04}, {27, 0x14}, {31, 0x18}, {32, 0x28}, {40, 0x02}}) {
    read_command[place] = static_cast<char>(byte);
  }
  EXPECT_EQ(crc32c(read_command), 0xD9963A56U);
}

TEST(Crc32c, AgreesWithTheUsualCheckValues) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(masked_crc32c(""), 0xA282EAD8U);
  EXPECT_EQ(masked_crc32c("123456789"), 0xC78AB0E5U);
}

// The first bytes of every event file that TensorFlow writes: its version takes 24 bytes.
TEST(Record, IsFramedAsTensorFlowDoesIt) {
  const std::string payload(24, 'x');
  const std::string record = record_of(payload);
  EXPECT_EQ(record.size(), 16U + 24U);
  EXPECT_EQ(record.substr(0, 12), bytes_of({0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22}));
  EXPECT_EQ(record.substr(12, 24), payload);
}

TEST(Record, IsReadAsItWasWritten) {
  const std::vector<std::string> payloads = {"first", "", std::string(70'000, '\xff'), std::string(1, '\0')};
  std::string file;
  for (const std::string& payload : payloads) {
    append_record(file, payload);
  }
  std::string_view rest = file;
  for (const std::string& payload : payloads) {
    EXPECT_EQ(take_record(rest), payload);
  }
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(take_record(rest), std::nullopt);
}

TEST(Record, EveryFlippedBitIsNoticed) {
  const std::string record = record_of("what a round has to say") + record_of("the next");
  const std::size_t first = record_of("what a round has to say").size();
  for (std::size_t bit = 0; bit < 8 * first; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    std::string_view rest = damaged;
    EXPECT_EQ(take_record(rest), std::nullopt) << "bit " << bit;
    EXPECT_EQ(rest.size(), damaged.size());
  }
}

TEST(Record, AnythingShorterIsNoRecord) {
  const std::string record = record_of("payload");
  for (std::size_t size = 0; size < record.size(); ++size) {
    std::string_view rest = std::string_view(record).substr(0, size);
    EXPECT_EQ(take_record(rest), std::nullopt) << size << " bytes";
  }
}

TEST(Record, ASizeBeyondTheFileIsNoRecord) {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max(),
                                   std::numeric_limits<std::uint64_t>::max() - 15}) {
    std::string file;
    for (int byte = 0; byte < 8; ++byte) {
      file += static_cast<char>(size >> (8 * byte) & 0xFF);
    }
    const std::uint32_t checksum = masked_crc32c(file);
    for (int byte = 0; byte < 4; ++byte) {
      file += static_cast<char>(checksum >> (8 * byte) & 0xFF);
    }
    file += std::string(4, '\0');
    std::string_view rest = file;
    EXPECT_EQ(take_record(rest), std::nullopt) << size;
  }
}

}  // namespace
}  // namespace resist
