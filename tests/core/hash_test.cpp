#include "resist/core/hash.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

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

}  // namespace
}  // namespace resist
