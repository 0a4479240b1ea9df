#include "resist/comm/message_checksum.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "resist/comm/tags.h"

namespace resist {
namespace {

TEST(MessageChecksum, IsAnotherForEverythingThatFencesAMessage) {
  const std::vector<std::byte> payload(1000, std::byte{7});
  std::vector<std::byte> damaged = payload;
  damaged[500] ^= std::byte{0x10};
  const std::uint64_t fence = message_fence("job", 2);
  const std::set<std::uint32_t> checksums = {
      message_checksum(payload, fence, 5, 0, 1),
      message_checksum(damaged, fence, 5, 0, 1),
      message_checksum(payload, fence, 6, 0, 1),
      message_checksum(payload, fence, 5, 1, 0),
      message_checksum(payload, fence, 5, 2, 1),
      message_checksum(payload, message_fence("job", 3), 5, 0, 1),
      message_checksum(payload, message_fence("other", 2), 5, 0, 1),
  };
  EXPECT_EQ(checksums.size(), 7U);
}

TEST(MessageChecksum, WhatIsWrongNamesTheRoundAsPeopleCountIt) {
  EXPECT_NE(wrong_checksum(12, round_tag(0)).find("message of round 1 (12 bytes)"), std::string::npos);
  EXPECT_NE(wrong_checksum(1, kBarrierTag).find("of a barrier"), std::string::npos);
}

}  // namespace
}  // namespace resist
