#include "resist/simulate/block_dealing.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "resist/partition/training_method.h"
#include "simulate/simulated.h"

namespace resist {
namespace {

std::vector<int> consecutive(int first, int count) {
  std::vector<int> workers(static_cast<std::size_t>(count));
  std::iota(workers.begin(), workers.end(), first);
  return workers;
}

// The homes of a block, of `homes` equal ones of `workers` workers.
std::set<int> homes_of(const Assignment& assignment, int block, int homes, int workers) {
  std::set<int> found;
  for (const int worker : assignment.holders(block)) {
    found.insert(worker * homes / workers);
  }
  return found;
}

TEST(BlockDealing, IsTheMethodsWhereNothingElseIsAskedFor) {
  for (const Method method : {Method::resist, Method::local_sgd}) {
    for (const int workers : {1, 2, 5, 40}) {
      Simulated simulated;
      simulated.workers(workers).config.train.method = method;
      const BlockDealing dealing(simulated.config, simulated.layout, simulated.options, workers);
      const auto real = make_method(simulated.config, deck_sizes(simulated.layout), workers);
      for (const std::int64_t round : {0, 1, 77}) {
        EXPECT_EQ(dealing.deal(consecutive(0, workers), round), real->assignment(round, false));
      }
      EXPECT_EQ(dealing.hand_sizes(workers), real->slots(false));
    }
  }
}

TEST(BlockDealing, GoesByPlacesSoSurvivorsAreDealtToAsTheyStand) {
  Simulated simulated;
  const BlockDealing dealing(simulated.config, simulated.layout, simulated.workers(8).options, 8);
  EXPECT_EQ(dealing.deal({1, 5, 6}, 3), dealing.deal({0, 1, 2}, 3));
}

TEST(BlockDealing, ReplicationGivesEachBlockSoManyHolders) {
  Simulated simulated;
  simulated.workers(12).options.replication = 5;
  const BlockDealing dealing(simulated.config, simulated.layout, simulated.options, 12);
  for (const int workers : {12, 9, 5, 3}) {
    for (std::int64_t round = 0; round < 20; ++round) {
      const Assignment assignment = dealing.deal(consecutive(0, workers), round);
      for (int block = 0; block < assignment.blocks(); ++block) {
        EXPECT_GE(assignment.holders(block).size(), static_cast<std::size_t>(std::min(5, workers)));
      }
    }
  }
}

TEST(BlockDealing, ABlockStaysAtItsHomesForAPeriod) {
  constexpr int kWorkers = 60;
  constexpr int kHomes = 5;
  Simulated simulated;
  simulated.workers(kWorkers).options.homes = kHomes;
  simulated.options.home_rounds = 4;
  const BlockDealing dealing(simulated.config, simulated.layout, simulated.options, kWorkers);
  int moved = 0;
  for (std::int64_t round = 0; round < 12; ++round) {
    const Assignment now = dealing.deal(consecutive(0, kWorkers), round);
    const Assignment next = dealing.deal(consecutive(0, kWorkers), round + 1);
    bool inside = false;  // blocks go from worker to worker at home
    for (int block = 0; block < now.blocks(); ++block) {
      const bool stays = homes_of(now, block, kHomes, kWorkers) == homes_of(next, block, kHomes, kWorkers);
      EXPECT_TRUE(stays || round % 4 == 3);
      moved += stays ? 0 : 1;
      inside = inside || now.holders(block) != next.holders(block);
    }
    EXPECT_TRUE(inside);
    for (int worker = 0; worker < kWorkers; ++worker) {
      EXPECT_EQ(now.held(worker).size(), 4U);
    }
  }
  EXPECT_GT(moved, 20);
}

TEST(BlockDealing, WithoutAHomesWorkersTheOthersHaveItsBlocks) {
  Simulated simulated;
  simulated.workers(60).options.homes = 5;
  const BlockDealing dealing(simulated.config, simulated.layout, simulated.options, 60);
  const Assignment assignment = dealing.deal(consecutive(12, 30), 2);  // homes 1, 2 and half of 3
  for (int block = 0; block < assignment.blocks(); ++block) {
    EXPECT_FALSE(assignment.holders(block).empty());
  }
}

}  // namespace
}  // namespace resist
