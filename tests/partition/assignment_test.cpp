#include "resist/partition/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

constexpr int kSection = 3;

// Checks everything that docs/algorithm.md says of a dealt deck.
void check_properties(int blocks, int workers, const DealingRule& rule, std::uint64_t seed, std::int64_t round) {
  SCOPED_TRACE(testing::Message() << "B=" << blocks << " S=" << workers << " seed=" << seed << " round=" << round);
  const Assignment assignment = deal({{kSection, blocks}}, workers, rule, seed, round);
  ASSERT_EQ(assignment.workers(), workers);
  ASSERT_EQ(assignment.blocks(), blocks);
  const int k = blocks_per_worker(blocks, workers, rule);
  std::size_t fewest = workers;
  std::size_t most = 0;
  for (int block = 0; block < blocks; ++block) {
    fewest = std::min(fewest, assignment.holders(block).size());
    most = std::max(most, assignment.holders(block).size());
    ASSERT_TRUE(std::ranges::is_sorted(assignment.holders(block)));
  }
  ASSERT_GE(fewest, 1U);
  ASSERT_LE(most - fewest, 1U);
  for (int worker = 0; worker < workers; ++worker) {
    const auto& held = assignment.held(worker);
    ASSERT_TRUE(std::ranges::is_sorted(held));
    ASSERT_EQ(std::set(held.begin(), held.end()).size(), held.size());
    if (rule.mode == PartitionMode::equal) {
      ASSERT_EQ(static_cast<int>(held.size()), k);
    } else {
      ASSERT_GE(static_cast<int>(held.size()), blocks / workers);
      ASSERT_LE(static_cast<int>(held.size()), k);
    }
  }
  if (rule.mode == PartitionMode::exact) {
    ASSERT_EQ(most, 1U);
  }
}

TEST(Deal, KeepsItsPropertiesOverThousandsOfCases) {
  RandomStream random(17, RandomPurpose::dealing, {});
  for (int i = 0; i < 6000 && !testing::Test::HasFatalFailure(); ++i) {
    const int blocks = 1 + static_cast<int>(random.below(50));
    const int workers = 1 + static_cast<int>(random.below(16));
    DealingRule rule;
    if (random.below(4) == 0 && workers <= blocks) {
      rule.mode = PartitionMode::exact;
    } else if (random.below(2) == 0) {
      rule.min_blocks = 1 + static_cast<int>(random.below(blocks));
    }
    rule.dealing = random.below(2) == 0 ? Dealing::shuffled : Dealing::strata;
    rule.every = 1 + static_cast<int>(random.below(3));
    check_properties(blocks, workers, rule, random.next(), random.below(1000));
  }
}

TEST(Deal, KeepsItsPropertiesForEverySmallCase) {
  for (int blocks = 1; blocks <= 9; ++blocks) {
    for (int workers = 1; workers <= 9; ++workers) {
      for (int min_blocks = 1; min_blocks <= blocks; ++min_blocks) {
        for (std::int64_t round = 0; round < 4; ++round) {
          for (const Dealing dealing : {Dealing::shuffled, Dealing::strata}) {
            check_properties(blocks, workers, {.min_blocks = min_blocks, .dealing = dealing}, 5, round);
          }
        }
      }
    }
  }
}

TEST(Deal, HasThePapersCounts) {
  EXPECT_EQ(blocks_per_worker(22, 2, {}), 11);
  EXPECT_EQ(blocks_per_worker(22, 4, {}), 6);
  EXPECT_EQ(blocks_per_worker(22, 8, {}), 4);
  EXPECT_DOUBLE_EQ(holding_probability(22, 8, {}), 4.0 / 22);
  EXPECT_DOUBLE_EQ(holding_probability(22, 8, {.mode = PartitionMode::exact}), 1.0 / 8);
}

TEST(Deal, ExactHandsOutSixSixFiveFiveAndRotates) {
  const DealingRule exact{.mode = PartitionMode::exact};
  std::vector<int> extra(4);
  for (std::int64_t round = 0; round < 8; ++round) {
    const Assignment assignment = deal({{kSection, 22}}, 4, exact, 1, round);
    for (int worker = 0; worker < 4; ++worker) {
      extra[worker] += static_cast<int>(assignment.held(worker).size()) - 5;
    }
  }
  EXPECT_EQ(extra, (std::vector<int>{4, 4, 4, 4}));
}

TEST(Deal, DependsOnSeedRoundAndSectionOnly) {
  const auto once = deal({{kSection, 22}}, 4, {}, 1, 7);
  EXPECT_EQ(once, deal({{kSection, 22}}, 4, {}, 1, 7));
  EXPECT_NE(once, deal({{kSection, 22}}, 4, {}, 2, 7));
  EXPECT_NE(once, deal({{kSection, 22}}, 4, {}, 1, 8));
  EXPECT_NE(once, deal({{2, 22}}, 4, {}, 1, 7));
}

TEST(Deal, EveryBlockVisitsEveryWorkerEquallyOften) {
  constexpr int kRounds = 4000;
  for (const Dealing dealing : {Dealing::shuffled, Dealing::strata}) {
    std::vector<std::vector<int>> visits(4, std::vector<int>(11));
    for (std::int64_t round = 0; round < kRounds; ++round) {
      const Assignment assignment = deal({{kSection, 11}}, 4, {.dealing = dealing}, 3, round);
      for (int worker = 0; worker < 4; ++worker) {
        for (const int block : assignment.held(worker)) {
          ++visits[worker][block];
        }
      }
    }
    const double expected = kRounds * holding_probability(11, 4, {});
    for (const auto& row : visits) {
      for (const int count : row) {
        EXPECT_NEAR(count, expected, 160);  // five standard deviations
      }
    }
  }
}

// Of k blocks the j-th lies in the j-th k-th part of the depth, give or take where a part ends within a block.
TEST(Deal, StrataSpreadEveryHandOverTheDepth) {
  for (const auto& [blocks, workers, min_blocks] :
       {std::tuple(12, 4, 1), std::tuple(22, 4, 1), std::tuple(22, 2, 1), std::tuple(22, 8, 4), std::tuple(11, 4, 4),
        std::tuple(35, 8, 1), std::tuple(48, 3, 20), std::tuple(7, 16, 3)}) {
    const DealingRule rule{.min_blocks = min_blocks, .dealing = Dealing::strata};
    const int k = blocks_per_worker(blocks, workers, rule);
    const double part = static_cast<double>(blocks) / k;
    const bool whole_parts = blocks % k == 0 && blocks / k <= workers && workers % (blocks / k) == 0;
    for (std::int64_t round = 0; round < 300; ++round) {
      const Assignment assignment = deal({{kSection, blocks}}, workers, rule, 9, round);
      for (int worker = 0; worker < workers; ++worker) {
        for (int j = 0; j < k; ++j) {
          const int block = assignment.held(worker)[j];
          const double slack = whole_parts ? 0 : 2;
          EXPECT_GE(block, std::floor(j * part) - slack) << blocks << " blocks, " << workers << " workers";
          EXPECT_LT(block, std::ceil((j + 1) * part) + slack) << blocks << " blocks, " << workers << " workers";
        }
      }
    }
  }
}

TEST(Deal, StrataKeepUnevenHands) {
  RandomStream random(23, RandomPurpose::dealing, {});
  const DealingRule rule{.min_blocks = 2, .dealing = Dealing::strata};
  for (int i = 0; i < 2000; ++i) {
    const int blocks = 2 + static_cast<int>(random.below(30));
    const int workers = 2 + static_cast<int>(random.below(8));
    Hands hands = equal_hands({{kSection, blocks}}, workers, rule);
    for (int moves = 0; moves < 40; ++moves) {
      const auto from = random.below(static_cast<std::uint32_t>(workers));
      const auto to = random.below(static_cast<std::uint32_t>(workers));
      if (hands[from][0] > 2 && hands[to][0] < blocks) {
        --hands[from][0];
        ++hands[to][0];
      }
    }
    const Assignment assignment = deal({{kSection, blocks}}, workers, rule, 4, i, hands);
    std::size_t fewest = workers;
    std::size_t most = 0;
    for (int block = 0; block < blocks; ++block) {
      fewest = std::min(fewest, assignment.holders(block).size());
      most = std::max(most, assignment.holders(block).size());
    }
    EXPECT_LE(most - fewest, 1U);
    for (int worker = 0; worker < workers; ++worker) {
      const auto& held = assignment.held(worker);
      EXPECT_EQ(static_cast<int>(std::set(held.begin(), held.end()).size()), hands[worker][0]);
    }
  }
}

TEST(Deal, BlocksMayStayForSeveralRounds) {
  const DealingRule rule{.every = 3};
  const auto dealt = [&](std::int64_t round) { return deal({{kSection, 22}}, 4, rule, 1, round); };
  EXPECT_EQ(dealt(3), dealt(4));
  EXPECT_EQ(dealt(3), dealt(5));
  EXPECT_NE(dealt(5), dealt(6));
  EXPECT_EQ(dealt(6), deal({{kSection, 22}}, 4, {}, 1, 2));
}

TEST(Deal, DealsEachSectionOnItsOwn) {
  const Assignment both = deal({{2, 3}, {3, 22}}, 4, {}, 1, 7);
  const Assignment second = deal({{3, 22}}, 4, {}, 1, 7);
  ASSERT_EQ(both.blocks(), 25);
  for (int worker = 0; worker < 4; ++worker) {
    std::vector<int> of_second;
    for (const int block : both.held(worker)) {
      if (block >= 3) {
        of_second.push_back(block - 3);
      }
    }
    EXPECT_EQ(of_second, second.held(worker));
  }
}

// A recorded example: what is dealt is part of the reproducibility promise.
TEST(Deal, GivesTheRecordedExample) {
  const Assignment assignment = deal({{kSection, 22}}, 4, {}, 1, 0);
  const std::vector<std::vector<int>> recorded = {
      {6, 9, 10, 16, 17, 21}, {3, 11, 14, 18, 19, 20}, {2, 5, 8, 12, 13, 19}, {0, 1, 4, 7, 10, 15}};
  for (int worker = 0; worker < 4; ++worker) {
    EXPECT_EQ(assignment.held(worker), recorded[worker]);
  }
}

TEST(AssignAll, GivesEverythingToEveryone) {
  const Assignment assignment = assign_all({{2, 1}, {3, 3}}, 2);
  EXPECT_EQ(assignment.held(0), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(assignment.held(1), assignment.held(0));
  EXPECT_EQ(assignment.holders(2), (std::vector<int>{0, 1}));
}

TEST(CheckDealing, RefusesTheImpossible) {
  const DealingRule exact{.mode = PartitionMode::exact};
  EXPECT_NO_THROW(check_dealing({{3, 22}}, 4, {}));
  EXPECT_NO_THROW(check_dealing({{3, 1}}, 4, {}));
  EXPECT_NO_THROW(check_dealing({{3, 4}}, 4, exact));
  EXPECT_THROW(check_dealing({{3, 3}}, 4, exact), InputError);
  EXPECT_THROW(check_dealing({{3, 0}}, 4, {}), InputError);
  EXPECT_THROW(check_dealing({}, 4, {}), InputError);
  EXPECT_THROW(check_dealing({{2, 0}, {3, 5}}, 4, {}), InputError);
  EXPECT_THROW(check_dealing({{3, 5}}, 4, {.min_blocks = 6}), InputError);
  EXPECT_THROW(check_dealing({{3, 5}}, 2, {.mode = PartitionMode::exact, .min_blocks = 2}), InputError);
}

TEST(Assignment, RefusesABlockThatNobodyHolds) {
  EXPECT_THROW(Assignment({{0}, {0}}, 2), Error);
}

}  // namespace
}  // namespace resist
