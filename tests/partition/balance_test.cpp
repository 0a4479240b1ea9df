#include "resist/partition/balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

constexpr int kSection = 3;

Pace pace_of(double seconds, int rounds = 3) {
  Pace pace;
  for (int round = 0; round < rounds; ++round) {
    pace.add(seconds);
  }
  return pace;
}

std::vector<Pace> paces_of(const std::vector<double>& seconds) {
  std::vector<Pace> paces;
  paces.reserve(seconds.size());
  for (const double one : seconds) {
    paces.push_back(pace_of(one));
  }
  return paces;
}

std::vector<int> of_first_deck(const Hands& hands) {
  std::vector<int> sizes;
  sizes.reserve(hands.size());
  for (const std::vector<int>& hand : hands) {
    sizes.push_back(hand[0]);
  }
  return sizes;
}

const SubnetworkCost kCost = {.shared = 10, .block = {1}};
const std::vector<DeckSize> kDeck = {{.section = kSection, .blocks = 22}};

TEST(Pace, IsTheMedianOfTheLastFiveRoundsFromTheThirdOn) {
  Pace pace;
  pace.add(1);
  pace.add(2);
  EXPECT_FALSE(pace.usual());
  pace.add(0);
  pace.add(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(pace.usual()) << "what can't be is left out";
  pace.add(100);
  EXPECT_EQ(pace.usual(), 2);
  for (const double seconds : {7.0, 7.0, 1.0, 3.0}) {
    pace.add(seconds);
  }
  EXPECT_EQ(pace.rounds, Pace::kRounds);
  EXPECT_EQ(pace.usual(), 7);  // of 100, 7, 7, 1, 3
}

TEST(BalancedHands, AreEqualForEqualWorkersAndAsLongAsNothingIsKnown) {
  const Hands equal = equal_hands(kDeck, 4, {});
  EXPECT_EQ(balanced_hands(kDeck, {}, kCost, paces_of({3, 3, 3, 3}), {}), equal);
  EXPECT_EQ(balanced_hands(kDeck, {}, kCost, std::vector<Pace>(4), {}), equal);
  EXPECT_EQ(balanced_hands(kDeck, {}, kCost, {pace_of(1, 2), pace_of(9, 2), {}, {}}, {}), equal);
}

TEST(BalancedHands, GiveAFasterWorkerMore) {
  // One worker takes 1.25 times as long: 1.25 * (10 + 4) = 17.5, and 10 + 7 on the others with one block more.
  EXPECT_EQ(of_first_deck(balanced_hands(kDeck, {}, kCost, paces_of({1, 1.25, 1, 1}), {})),
            (std::vector<int>{7, 4, 7, 6}));
  // So slow that it keeps the least.
  EXPECT_EQ(of_first_deck(balanced_hands(kDeck, {}, kCost, paces_of({1, 1, 1, 9}), {})),
            (std::vector<int>{7, 7, 6, 4}));
}

TEST(BalancedHands, AreNotMovedByNoise) {
  const Hands now = balanced_hands(kDeck, {}, kCost, paces_of({1, 1.25, 1, 1}), {});
  EXPECT_EQ(balanced_hands(kDeck, {}, kCost, paces_of({1.01, 1.23, 0.99, 1}), now), now);
  EXPECT_NE(balanced_hands(kDeck, {}, kCost, paces_of({1, 1, 1, 1}), now), now);
  EXPECT_EQ(balanced_hands(kDeck, {}, kCost, paces_of({1.01, 1, 0.99, 1}), {}), equal_hands(kDeck, 4, {}));
}

TEST(BalancedHands, TakeWhoIsNewForOneOfTheOthers) {
  std::vector<Pace> paces = paces_of({1, 2, 2, 1});
  paces[3] = {};
  const Hands hands = balanced_hands(kDeck, {}, kCost, paces, {});
  EXPECT_EQ(hands[3], hands[1]);
}

// Whatever speeds there are: hands as they are allowed, dealt with all properties of equal hands; and no single block
// could be taken from the slowest worker to make the round shorter.
TEST(BalancedHands, KeepTheirPropertiesOverThousandsOfCases) {
  RandomStream random(23, RandomPurpose::dealing, {});
  for (int i = 0; i < 5000 && !testing::Test::HasFatalFailure(); ++i) {
    const int blocks = 1 + static_cast<int>(random.below(40));
    const int workers = 1 + static_cast<int>(random.below(12));
    DealingRule rule;
    if (random.below(2) == 0) {
      rule.min_blocks = 1 + static_cast<int>(random.below(blocks));
    }
    std::vector<double> seconds;
    seconds.reserve(static_cast<std::size_t>(workers));
    for (int worker = 0; worker < workers; ++worker) {
      seconds.push_back(std::exp(random.below(1000) / 300.0));
    }
    const std::uint64_t seed = random.next();
    const std::int64_t round = random.below(1000);
    SCOPED_TRACE(testing::Message() << "B=" << blocks << " S=" << workers << " seed=" << seed << " round=" << round);
    const std::vector<DeckSize> deck = {{.section = kSection, .blocks = blocks}};
    const Hands hands = balanced_hands(deck, rule, kCost, paces_of(seconds), {});
    ASSERT_NO_THROW(check_hands(deck, hands, rule));
    const int most = most_blocks_per_worker(blocks, workers, rule);
    const Assignment assignment = deal(deck, workers, rule, seed, round, hands);
    ASSERT_EQ(assignment, deal(deck, workers, rule, seed, round, hands));
    for (int worker = 0; worker < workers; ++worker) {
      const auto& held = assignment.held(worker);
      ASSERT_EQ(static_cast<int>(held.size()), hands[worker][0]);
      ASSERT_EQ(std::set(held.begin(), held.end()).size(), held.size());
      ASSERT_LE(hands[worker][0], most);
    }
    std::size_t fewest = workers;
    std::size_t most_holders = 0;
    for (int block = 0; block < blocks; ++block) {
      fewest = std::min(fewest, assignment.holders(block).size());
      most_holders = std::max(most_holders, assignment.holders(block).size());
    }
    ASSERT_GE(fewest, 1U);
    ASSERT_LE(most_holders - fewest, 1U);
  }
}

TEST(BalancedHands, DealAsBeforeWhereTheyAreEqual) {
  for (const int workers : {1, 2, 3, 4, 8}) {
    for (std::int64_t round = 0; round < 50; ++round) {
      EXPECT_EQ(deal(kDeck, workers, {}, 7, round, equal_hands(kDeck, workers, {})),
                deal(kDeck, workers, {}, 7, round));
    }
  }
}

// Any hands that are allowed can be dealt evenly, however they came about.
TEST(Deal, KeepsItsPropertiesForAllSmallUnequalHands) {
  for (int blocks = 1; blocks <= 5; ++blocks) {
    const std::vector<DeckSize> deck = {{.section = kSection, .blocks = blocks}};
    for (int code = 0; code < blocks * blocks * blocks; ++code) {
      const Hands hands = {{1 + code % blocks}, {1 + code / blocks % blocks}, {1 + code / blocks / blocks}};
      if (hands[0][0] + hands[1][0] + hands[2][0] < blocks) {
        continue;
      }
      for (std::int64_t round = 0; round < 8; ++round) {
        const Assignment assignment = deal(deck, 3, {.min_blocks = 1}, 5, round, hands);
        std::vector<std::size_t> holders;
        holders.reserve(static_cast<std::size_t>(blocks));
        for (int block = 0; block < blocks; ++block) {
          holders.push_back(assignment.holders(block).size());
        }
        ASSERT_LE(std::ranges::max(holders) - std::ranges::min(holders), 1U);
        for (int worker = 0; worker < 3; ++worker) {
          ASSERT_EQ(static_cast<int>(assignment.held(worker).size()), hands[worker][0]);
        }
      }
    }
  }
}

TEST(CheckHands, RefusesWhatCanNotBe) {
  EXPECT_NO_THROW(check_hands(kDeck, {{8}, {4}, {6}, {6}}, {}));
  EXPECT_THROW(check_hands(kDeck, {{9}, {3}, {6}, {6}}, {}), InputError);
  EXPECT_THROW(check_hands(kDeck, {{8}, {4}, {6}, {7}}, {}), InputError);
  EXPECT_THROW(check_hands(kDeck, {{23}, {4}, {4}, {4}}, {}), InputError);
  EXPECT_THROW(check_hands(kDeck, {{8}, {4}, {6}, {}}, {}), InputError);
  EXPECT_THROW(check_hands(kDeck, {{6, 1}, {6, 1}, {6, 1}, {6, 1}}, {}), InputError);
}

TEST(MakeBalance, IsNothingUnlessAskedFor) {
  EXPECT_EQ(make_balance({}, kDeck, kCost), nullptr);
  const auto balance = make_balance({.balance = Balance::speed}, kDeck, kCost);
  ASSERT_NE(balance, nullptr);
  EXPECT_EQ(of_first_deck(balance->next_hands(0, 5, paces_of({1, 1.25, 1, 1}), {})), (std::vector<int>{7, 4, 7, 6}));
}

}  // namespace
}  // namespace resist
