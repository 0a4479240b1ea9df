#include "resist/train/worker_parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace resist {
namespace {

class WorkerParametersTest : public testing::Test {
 protected:
  Placement placed(std::vector<int> held, int slots) const {
    return {.assignment = Assignment({std::move(held), {0, 1, 2, 3}}, 4), .arena = ArenaLayout(layout_, {slots})};
  }

  // All of a block's momentum, or of the shared part's (-1), is `value`.
  void fill_momentum(int block, float value) { std::ranges::fill(momentum(block), value); }
  std::vector<float> momentum_values(int block) {
    const auto values = momentum(block);
    return {values.begin(), values.end()};
  }
  std::vector<float> alike(int block, float value) { return std::vector<float>(momentum(block).size(), value); }

  // As a synchronisation does: every element in use gets a value, the others whatever was there.
  float* synchronise(const Placement& next, float value) {
    float* staged = parameters_.stage(next.arena);
    std::fill_n(staged, next.arena.size(), NAN);
    std::fill_n(staged, layout_.shared_size, value);
    const auto places = next.arena.block_offsets(next.assignment.held(0));
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::fill_n(staged + places[i], layout_.blocks[next.assignment.held(0)[i]].size, value);
    }
    parameters_.install(next, 0);
    return staged;
  }

  const NetworkSpec spec_{.depths = {1, 1, 5, 1}, .width = 2};
  const Layout layout_ = make_layout(spec_);
  WorkerParameters parameters_{spec_, layout_, placed({0, 2}, 2), 0, 1};

 private:
  std::span<float> momentum(int block) {
    if (block < 0) {
      return {parameters_.momentum(), static_cast<std::size_t>(layout_.shared_size)};
    }
    const auto place = std::ranges::find(parameters_.held(), block) - parameters_.held().begin();
    return {parameters_.momentum() + parameters_.offsets()[static_cast<std::size_t>(place)],
            static_cast<std::size_t>(layout_.blocks[static_cast<std::size_t>(block)].size)};
  }
};

TEST_F(WorkerParametersTest, WhatWasStagedBecomesLiveAndTheMemoryBeforeServesAgain) {
  const float* first = parameters_.values();
  const float* second = synchronise(placed({1, 2}, 2), 5);
  EXPECT_EQ(parameters_.values(), second);
  EXPECT_EQ(parameters_.values()[parameters_.offsets()[1]], 5);
  EXPECT_EQ(synchronise(placed({0, 1}, 2), 6), first);
  EXPECT_EQ(synchronise(placed({0, 3}, 2), 7), second);
  EXPECT_EQ(parameters_.values()[0], 7);
}

TEST_F(WorkerParametersTest, MomentumFollowsItsBlocks) {
  fill_momentum(-1, 1);
  fill_momentum(0, 2);
  fill_momentum(2, 3);
  synchronise(placed({2, 3}, 2), 5);
  EXPECT_EQ(momentum_values(-1), alike(-1, 1));
  EXPECT_EQ(momentum_values(2), alike(2, 3));
  EXPECT_EQ(momentum_values(3), alike(3, 0));
}

TEST_F(WorkerParametersTest, MomentumFollowsItsBlocksIntoAnArenaOfAnotherShape) {
  fill_momentum(-1, 1);
  fill_momentum(2, 3);
  for (const int slots : {4, 3}) {
    synchronise(placed(slots == 4 ? std::vector{0, 1, 2, 3} : std::vector{1, 2, 3}, slots), 5);
    EXPECT_EQ(momentum_values(-1), alike(-1, 1)) << slots;
    EXPECT_EQ(momentum_values(1), alike(1, 0)) << slots;
    EXPECT_EQ(momentum_values(2), alike(2, 3)) << slots;
  }
}

TEST_F(WorkerParametersTest, StagedMomentumTakesThePlaceOfTheOneBefore) {
  fill_momentum(-1, 1);
  const Placement next = placed({1, 2}, 2);
  std::fill_n(parameters_.stage_momentum(next.arena), next.arena.size(), 4.0F);
  synchronise(next, 5);
  EXPECT_EQ(momentum_values(-1), alike(-1, 4));
  EXPECT_EQ(momentum_values(1), alike(1, 4));
}

}  // namespace
}  // namespace resist
