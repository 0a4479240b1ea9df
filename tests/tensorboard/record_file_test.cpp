#include "resist/tensorboard/record_file.h"

#include <gtest/gtest.h>

#include <limits>
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

TEST(MaskedCrc32c, IsTensorFlows) {
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
