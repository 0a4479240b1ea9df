#include "resist/cluster/mutual_reach.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace resist {
namespace {

using Workers = std::vector<int>;

TEST(MutuallyReachable, AreAllWhereNobodyIsOutOfReach) {
  EXPECT_EQ(mutually_reachable({0, 2, 5}, {}), (Workers{0, 2, 5}));
  EXPECT_EQ(mutually_reachable({0, 2, 5}, {{0, {}}, {2, {}}}), (Workers{0, 2, 5}));
}

TEST(MutuallyReachable, LeavesOutTheLaterOfTwo) {
  EXPECT_EQ(mutually_reachable({0, 1, 2}, {{1, {2}}}), (Workers{0, 1}));
  EXPECT_EQ(mutually_reachable({0, 1, 2}, {{2, {1}}}), (Workers{0, 1}));
  EXPECT_EQ(mutually_reachable({0, 1, 2}, {{1, {2}}, {2, {1}}}), (Workers{0, 1}));
}

TEST(MutuallyReachable, LeavesOutTheOneThatMostCannotReach) {
  EXPECT_EQ(mutually_reachable({0, 1, 2, 3}, {{0, {1, 3}}, {2, {0}}}), (Workers{1, 2, 3}));
}

TEST(MutuallyReachable, WhereHalvesArePartedOneOfThemStays) {
  EXPECT_EQ(mutually_reachable({0, 1, 2, 3}, {{0, {2, 3}}, {1, {2, 3}}}), (Workers{0, 1}));
}

TEST(MutuallyReachable, WhoIsGoneAnywayDoesNotCount) {
  EXPECT_EQ(mutually_reachable({0, 1}, {{0, {7}}, {1, {7}}}), (Workers{0, 1}));
}

TEST(MutuallyReachable, NoTwoAreLeftThatAreApart) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 500; ++trial) {
    const int workers = 2 + trial % 8;
    Workers all(workers);
    std::map<int, Workers> unreached;
    for (int worker = 0; worker < workers; ++worker) {
      all[worker] = worker;
      for (int other = 0; other < workers; ++other) {
        if (other != worker && random() % 5 == 0) {
          unreached[worker].push_back(other);
        }
      }
    }
    const auto apart = [&](int one, int other) {
      return std::ranges::count(unreached[one], other) > 0 || std::ranges::count(unreached[other], one) > 0;
    };
    const Workers left = mutually_reachable(all, unreached);
    ASSERT_FALSE(left.empty());
    for (const int one : left) {
      for (const int other : left) {
        EXPECT_FALSE(one != other && apart(one, other));
      }
    }
  }
}

}  // namespace
}  // namespace resist
