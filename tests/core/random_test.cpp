#include "resist/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace resist {
namespace {

// Known answers of philox4x32-10 from the authors' Random123 distribution (kat_vectors).
TEST(Philox, MatchesThePublishedVectors) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(0xffffffffffffffff, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, DependsOnEveryPartOfItsPlace) {
  std::set<std::uint32_t> seen;
  seen.insert(RandomStream(1, RandomPurpose::dealing, {}).next());
  seen.insert(RandomStream(2, RandomPurpose::dealing, {}).next());
  seen.insert(RandomStream(1, RandomPurpose::augmentation, {}).next());
  seen.insert(RandomStream(1, RandomPurpose::dealing, {.stream = 1}).next());
  seen.insert(RandomStream(1, RandomPurpose::dealing, {.epoch = 1}).next());
  seen.insert(RandomStream(1, RandomPurpose::dealing, {.position = 1}).next());
  EXPECT_EQ(seen.size(), 6U);
}

TEST(RandomStream, BelowIsUniform) {
  RandomStream random(3, RandomPurpose::dealing, {});
  std::array<int, 7> counts{};
  constexpr int kDraws = 70000;
  for (int i = 0; i < kDraws; ++i) {
    ++counts.at(random.below(7));
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, kDraws / 7, 500);  // five standard deviations
  }
}

TEST(RandomPermutation, HoldsEveryNumberOnceAndShuffles) {
  auto order = random_permutation(1000, RandomStream(5, RandomPurpose::data_order, {}));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(order[i], i);
  }
  EXPECT_TRUE(random_permutation(0, RandomStream(5, RandomPurpose::data_order, {})).empty());
}

}  // namespace
}  // namespace resist
