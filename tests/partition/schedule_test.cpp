#include "resist/partition/schedule.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace resist {
namespace {

TrainOptions options(double epochs) {
  TrainOptions options;
  options.epochs = epochs;
  options.batch_size = 10;
  options.local_iterations = 5;
  options.lr = 0.1;
  return options;
}

TEST(TrainLength, CountsPassesOfAllWorkersTogether) {
  // 2 epochs of 1000 samples: 4 workers take 40 an iteration, so 50 iterations, 10 rounds.
  const TrainLength length = train_length(options(2), 4, 1000, {});
  EXPECT_EQ(length.total_samples, 2000);
  EXPECT_EQ(length.total_rounds, 10);
}

TEST(TrainLength, TheLastRoundMayBeShorter) {
  const TrainOptions two = options(2.05);  // 52 iterations
  const TrainLength length = train_length(two, 4, 1000, {});
  EXPECT_EQ(length.total_rounds, 11);
  EXPECT_EQ(round_iterations(two, 4, length, {.samples = 0}), 5);
  EXPECT_EQ(round_iterations(two, 4, length, {.samples = 2000}), 2);
}

TEST(TrainLength, RoundsWinAndGoOnFromTheirPosition) {
  TrainOptions three = options(2);
  three.rounds = 3;
  EXPECT_EQ(train_length(three, 4, 1000, {}).total_samples, 3 * 5 * 40);
  const TrainLength rest = train_length(three, 2, 1000, {.round = 1, .samples = 200});
  EXPECT_EQ(rest.total_rounds, 3);
  EXPECT_EQ(rest.total_samples, 200 + 2 * 5 * 20);
  EXPECT_EQ(train_length(three, 4, 1000, {.round = 7, .samples = 900}).total_rounds, 7);
}

TEST(TrainLength, AnotherNumberOfWorkersGoesOnToTheSameSamples) {
  const TrainLength length = train_length(options(2), 2, 1000, {.round = 5, .samples = 1000});
  EXPECT_EQ(length.total_samples, 2000);
  EXPECT_EQ(length.total_rounds, 5 + 10);
}

TEST(TrainLength, WaitsForBatchesThatCameBack) {
  // 2 workers with batches of 10 have trained on 995 of 1000 samples; three batches came back, one of the next pass.
  const TrainPosition position{
      .round = 7, .samples = 995, .stream_position = 1020, .returned_batches = {970, 990, 1010}};
  const TrainLength length = train_length(options(1), 2, 1000, position);
  EXPECT_EQ(length.total_rounds, 8);
  EXPECT_EQ(round_iterations(options(1), 2, length, position), 1);
  TrainPosition all = position;
  all.samples = 1010;
  EXPECT_EQ(train_length(options(1), 2, 1000, all).total_rounds, 8);
  all.returned_batches = {1010};
  EXPECT_EQ(train_length(options(1), 2, 1000, all).total_rounds, 7);
}

TEST(TrainLength, RoundsLengthenAsTheLearningRateFalls) {
  TrainOptions grows = options(2);  // 50 iterations of 40 samples; a tenth of the rate after 25
  grows.max_local_iterations = 20;
  const TrainLength length = train_length(grows, 4, 1000, {});
  EXPECT_EQ(length.total_samples, 2000);
  std::vector<std::int64_t> rounds;
  for (TrainPosition position; position.samples < length.total_samples; ++position.round) {
    rounds.push_back(round_iterations(grows, 4, length, position));
    position.samples += rounds.back() * 40;
  }
  EXPECT_EQ(rounds, (std::vector<std::int64_t>{5, 5, 5, 5, 5, 20, 5}));
  EXPECT_EQ(length.total_rounds, 7);
  EXPECT_DOUBLE_EQ(mean_round_iterations(grows, 4, 1000), 50.0 / 7);
  EXPECT_EQ(mean_round_iterations(options(2), 4, 1000), 5);
}

TEST(TrainLength, ManyRoundsAreCountedInNoTime) {
  TrainOptions grows = options(1e6);
  grows.max_local_iterations = 50;
  const TrainLength length =
      train_length(grows, 4, 1'000'000'000, {});  // of 2.5e13 iterations a half are in rounds of 5
  EXPECT_EQ(length.total_rounds, 2'500'000'000'000 + 250'000'000'000);
}

// Also where training goes on with other workers, and with batches that came back.
TEST(TrainLength, GrowingRoundsAreAsManyAsAreSaid) {
  for (const Schedule schedule : {Schedule::step, Schedule::cosine}) {
    for (const int workers : {1, 3, 4}) {
      TrainOptions grows = options(2.03);
      grows.schedule = schedule;
      grows.max_local_iterations = 17;
      TrainPosition position{.round = 2, .samples = 210, .stream_position = 240, .returned_batches = {100, 200}};
      const TrainLength length = train_length(grows, workers, 1000, position);
      std::int64_t before = 0;
      while (position.round < length.total_rounds) {
        const std::int64_t iterations = round_iterations(grows, workers, length, position);
        EXPECT_GT(iterations, 0);
        EXPECT_LE(iterations, 17);
        if (position.round + 1 < length.total_rounds) {
          EXPECT_GE(iterations, before);
        }
        before = iterations;
        position.samples += iterations * 10 * workers;
        position.returned_batches.clear();
        ++position.round;
      }
      EXPECT_EQ(round_iterations(grows, workers, length, position), 0);
      EXPECT_GE(position.samples, length.total_samples);
    }
  }
}

TEST(ConfigAt, TheLeastDepthGrowsAndEveryDepthLastsAsLong) {
  Config config;
  EXPECT_FALSE(config_at(config, 0.9).partition.min_blocks) << "it stays what it is";
  config.partition.final_min_blocks = 6;
  for (const auto& [share, least] : {std::pair(0.0, 4), std::pair(0.33, 4), std::pair(0.34, 5), std::pair(0.66, 5),
                                     std::pair(0.67, 6), std::pair(1.0, 6)}) {
    EXPECT_EQ(config_at(config, share).partition.min_blocks, least) << share;
    EXPECT_FALSE(config_at(config, share).partition.final_min_blocks);
  }
  config.partition.final_min_blocks = 2;  // less than what is usual
  EXPECT_EQ(config_at(config, 0).partition.min_blocks, 2);
  config.partition.min_blocks = 1;
  EXPECT_EQ(config_at(config, 0).partition.min_blocks, 1);
  const TrainLength length{.total_samples = 200};
  EXPECT_EQ(share_done(length, {.samples = 50}), 0.25);
  EXPECT_EQ(share_done(length, {.samples = 210}), 1) << "a last batch may go past the end";
}

TEST(TrainPosition, TravelsAsNumbers) {
  const TrainPosition position{
      .round = 3, .iteration = 150, .samples = 9600, .stream_position = 9664, .returned_batches = {64, 128}};
  const TrainPosition same = position_from_numbers(to_numbers(position));
  EXPECT_EQ(same.round, 3);
  EXPECT_EQ(same.iteration, 150);
  EXPECT_EQ(same.samples, 9600);
  EXPECT_EQ(same.stream_position, 9664);
  EXPECT_EQ(same.returned_batches, position.returned_batches);
}

TEST(LearningRate, StepFallsAfterHalfAndThreeQuartersAlsoInsideARound) {
  const TrainOptions step = options(1);
  const TrainLength length = train_length(step, 1, 1000, {});
  EXPECT_DOUBLE_EQ(learning_rate(step, 1, 1000, length, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(step, 1, 1000, length, 490), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(step, 1, 1000, length, 500), 0.01);
  EXPECT_DOUBLE_EQ(learning_rate(step, 1, 1000, length, 750), 0.001);
}

TEST(LearningRate, CosineFallsToZeroAndConstantStays) {
  TrainOptions cosine = options(1);
  cosine.schedule = Schedule::cosine;
  const TrainLength length = train_length(cosine, 1, 1000, {});
  EXPECT_DOUBLE_EQ(learning_rate(cosine, 1, 1000, length, 0), 0.1);
  EXPECT_NEAR(learning_rate(cosine, 1, 1000, length, 500), 0.05, 1e-12);
  EXPECT_LT(learning_rate(cosine, 1, 1000, length, 990), 1e-4);
  cosine.schedule = Schedule::constant;
  EXPECT_DOUBLE_EQ(learning_rate(cosine, 1, 1000, length, 990), 0.1);
}

TEST(LearningRate, RisesLinearlyInItsWarmup) {
  TrainOptions warm = options(1);
  warm.schedule = Schedule::constant;
  warm.lr_warmup_epochs = 0.1;  // 100 samples, 10 iterations
  const TrainLength length = train_length(warm, 1, 1000, {});
  EXPECT_NEAR(learning_rate(warm, 1, 1000, length, 0), 0.01, 1e-12);
  EXPECT_NEAR(learning_rate(warm, 1, 1000, length, 40), 0.05, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(warm, 1, 1000, length, 90), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(warm, 1, 1000, length, 500), 0.1);
}

TEST(LearningRate, RisesOverATwentiethWhereNothingIsSaid) {
  TrainOptions warm = options(2);
  warm.lr = 0.1;
  warm.schedule = Schedule::constant;
  warm.lr_warmup_epochs.reset();
  const TrainLength length = train_length(warm, 1, 1000, {});
  EXPECT_NEAR(learning_rate(warm, 1, 1000, length, 0), 0.01, 1e-12);  // 100 samples of 2000, 10 iterations
  EXPECT_DOUBLE_EQ(learning_rate(warm, 1, 1000, length, 90), 0.1);
}

TEST(FullDepth, CountsEpochsFromTheStartAndFromTheEnd) {
  TrainOptions some = options(2);
  some.warmup_epochs = 0.5;
  some.full_depth_epochs = 0.25;
  const TrainLength length = train_length(some, 1, 1000, {});
  for (const auto& [samples, at_depth] : {std::pair(0, true), std::pair(499, true), std::pair(500, false),
                                          std::pair(1749, false), std::pair(1750, true)}) {
    EXPECT_EQ(at_full_depth(some, 1000, length, {.samples = samples}), at_depth) << samples;
  }
  EXPECT_FALSE(at_full_depth(options(2), 1000, length, {.samples = 2000})) << "there are no such epochs";
}

}  // namespace
}  // namespace resist
