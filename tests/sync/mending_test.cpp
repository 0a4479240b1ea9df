#include "resist/sync/mending.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

// Workers 0, 1, 2 held blocks {0, 1}, {1, 2}, {3}; copies of 0, 2 and 3 lie with 1, 0 and 0.
const Assignment kBefore({{0, 1}, {1, 2}, {3}}, 4);
const std::vector<int> kKeepers = {1, -1, 0, 0};

TEST(Mending, WhoHasTrainedIsTheSource) {
  const auto mending = find_sources(
      kBefore, kKeepers, {{.iterations = 5, .placed_as = 0}, {.iterations = 5, .placed_as = 1}}, Agreement::at_commits);
  EXPECT_EQ(mending.sources.shared, (std::vector<int>{0, 1}));
  EXPECT_EQ(mending.sources.blocks, (std::vector<std::vector<int>>{{0}, {0, 1}, {1}, {0}}));
  EXPECT_EQ(mending.copied, (std::vector<bool>{false, false, false, true}));
  EXPECT_TRUE(mending.lost.empty());
  EXPECT_FALSE(mending.sources.shared_agreed);
}

TEST(Mending, RanksAreThoseOfTheNewGeneration) {
  const auto mending = find_sources(
      kBefore, kKeepers, {{.iterations = 5, .placed_as = 1}, {.iterations = 5, .placed_as = 2}}, Agreement::at_commits);
  EXPECT_EQ(mending.sources.blocks, (std::vector<std::vector<int>>{{0}, {0}, {0}, {1}}));
  EXPECT_EQ(mending.copied, (std::vector<bool>{true, false, false, false}));
}

TEST(Mending, WhoHasNotTrainedOnlyGivesWhatNobodyElseHas) {
  const auto mending = find_sources(
      kBefore, kKeepers,
      {{.iterations = 0, .placed_as = 0}, {.iterations = 4, .placed_as = 1}, {.iterations = 0, .placed_as = 2}},
      Agreement::at_commits);
  EXPECT_EQ(mending.sources.shared, std::vector<int>{1});
  EXPECT_EQ(mending.sources.blocks, (std::vector<std::vector<int>>{{0}, {1}, {1}, {2}}));
}

TEST(Mending, WhereNobodyHasTrainedSharedParametersStay) {
  const std::vector<Survivor> survivors = {{.placed_as = 0}, {.placed_as = 1}};
  EXPECT_TRUE(find_sources(kBefore, kKeepers, survivors, Agreement::at_commits).sources.shared_agreed);
  const auto apart = find_sources(kBefore, kKeepers, survivors, Agreement::never);
  EXPECT_FALSE(apart.sources.shared_agreed);
  EXPECT_EQ(apart.sources.shared, (std::vector<int>{0, 1}));
  EXPECT_EQ(apart.sources.blocks[1], std::vector<int>{0});
}

TEST(Mending, ABlockWithoutACopyIsLostAndComesFromWorker0) {
  const auto mending = find_sources(kBefore, kKeepers, {{.iterations = 5, .placed_as = 2}}, Agreement::at_commits);
  EXPECT_EQ(mending.lost, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(mending.sources.blocks, (std::vector<std::vector<int>>{{0}, {0}, {0}, {0}}));
  EXPECT_EQ(mending.copied, (std::vector<bool>{true, true, true, false}));
}

TEST(Mending, WhoJoinsIsNoSource) {
  const auto mending =
      find_sources(kBefore, kKeepers, {{.placed_as = 0}, {.placed_as = 1}, {.placed_as = 2}, {.placed_as = -1}},
                   Agreement::at_commits);
  EXPECT_TRUE(mending.sources.shared_agreed);
  EXPECT_EQ(mending.sources.shared, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(mending.sources.blocks, (std::vector<std::vector<int>>{{0}, {0}, {1}, {2}}));
  EXPECT_TRUE(mending.lost.empty());
}

TEST(Mending, IsTheSameAfterItHasTravelled) {
  const auto mending = find_sources(kBefore, kKeepers, {{.iterations = 5, .placed_as = 2}, {}}, Agreement::at_commits);
  const auto bytes = encode(mending, 2);
  EXPECT_EQ(bytes.size(), encoded_mending_size(2, 4));
  const auto back = decode_mending(bytes, 2, 4);
  EXPECT_EQ(back.sources.shared, mending.sources.shared);
  EXPECT_EQ(back.sources.blocks, mending.sources.blocks);
  EXPECT_EQ(back.sources.shared_agreed, mending.sources.shared_agreed);
  EXPECT_EQ(back.copied, mending.copied);
  EXPECT_EQ(back.lost, mending.lost);
}

TEST(Mending, AlikeWorkersFollowTheOneThatIsFarthest) {
  const Assignment all = assign_all({{3, 2}}, 3);
  const auto mending =
      find_sources(all, {-1, -1}, {{.iterations = 3, .placed_as = 0}, {.iterations = 4, .placed_as = 2}},
                   Agreement::at_each_iteration);
  EXPECT_EQ(mending.sources.shared, std::vector<int>{1});
  EXPECT_EQ(mending.sources.blocks, (std::vector<std::vector<int>>{{1}, {1}}));
}

}  // namespace
}  // namespace resist
