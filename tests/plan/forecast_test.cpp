#include "resist/plan/forecast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <optional>

#include "resist/model/operations.h"
#include "resist/plan/prediction.h"
#include "resist/plan/recommendation.h"

namespace resist {
namespace {

constexpr double kGflops = 1e9;

class ForecastTest : public testing::Test {
 protected:
  ForecastTest() {
    config_.model.model = "preact-resnet101";
    config_.train.batch_size = 32;
    config_.train.epochs = 1;
    spec_ = make_network_spec(config_, {.channels = 3, .height = 32, .width = 32, .classes = 100});
    layout_ = make_layout(spec_);
  }
  Forecaster forecaster(Method method, int workers) {
    configs_.push_back(std::make_unique<Config>(config_));
    configs_.back()->train.method = method;
    return Forecaster(*configs_.back(), spec_, layout_, workers);
  }
  static Circumstances alike(int workers, double speed, double bandwidth, double latency = 0) {
    const auto count = static_cast<std::size_t>(workers);
    return {.speeds = std::vector<WorkerSpeed>(count, {.training = speed, .evaluation = speed, .handling = 0}),
            .links = std::vector<Link>(count, {.bandwidth = bandwidth, .latency = latency}),
            .training_samples = 50'000,
            .evaluation_samples = 10'000};
  }

  Config config_;
  NetworkSpec spec_;
  Layout layout_;

 private:
  std::vector<std::unique_ptr<Config>> configs_;  // forecasters refer to theirs
};

TEST_F(ForecastTest, LocalStepsTakeTheirOperations) {
  std::vector<int> all(layout_.blocks.size());
  std::iota(all.begin(), all.end(), 0);
  const double step = 3.0 * 32 * static_cast<double>(forward_operations(spec_, layout_, all));
  const Forecast local = forecaster(Method::local_sgd, 4).forecast(alike(4, 100 * kGflops, 1e9));
  EXPECT_NEAR(local.round.compute_seconds, 50 * step / (100 * kGflops), 1e-9);
  EXPECT_NEAR(local.round.operations, 4 * 50 * step, 1);
  const Forecast resist = forecaster(Method::resist, 4).forecast(alike(4, 100 * kGflops, 1e9));
  EXPECT_LT(resist.round.compute_seconds, 0.7 * local.round.compute_seconds);
}

TEST_F(ForecastTest, TheSlowestWorkerIsWaitedFor) {
  Circumstances circumstances = alike(2, 100 * kGflops, 1e9);
  const Forecaster local = forecaster(Method::local_sgd, 2);
  const double even = local.forecast(circumstances).round.compute_seconds;
  circumstances.speeds[1].training /= 4;
  EXPECT_DOUBLE_EQ(local.forecast(circumstances).round.compute_seconds, 4 * even);
}

TEST_F(ForecastTest, WithBalanceBlocksFollowTheSpeeds) {
  Circumstances circumstances = alike(4, 100 * kGflops, 1e9);
  circumstances.speeds[2].training = 40 * kGflops;
  config_.train.method = Method::resist;
  EXPECT_TRUE(hands_for(config_, spec_, layout_, circumstances.speeds).empty());
  const double equal = Forecaster(config_, spec_, layout_, 4).forecast(circumstances).round.compute_seconds;

  config_.partition.balance = Balance::speed;
  const Hands hands = hands_for(config_, spec_, layout_, circumstances.speeds);
  ASSERT_EQ(hands.size(), 4);
  EXPECT_LT(hands[2][0], hands[0][0]);
  const Forecaster balanced(config_, spec_, layout_, 4, hands);
  EXPECT_LT(balanced.forecast(circumstances).round.compute_seconds, 0.95 * equal);

  config_.train.method = Method::local_sgd;
  EXPECT_TRUE(hands_for(config_, spec_, layout_, circumstances.speeds).empty());
}

TEST_F(ForecastTest, ASynchronisationTakesItsFloorAndTheFraming) {
  for (const int workers : {2, 4}) {
    const Forecast resist = forecaster(Method::resist, workers).forecast(alike(workers, kGflops, 1e8));
    Config config = config_;
    const Prediction prediction = predict(config, spec_, layout_, workers, 10);
    const double floor =
        std::accumulate(prediction.busiest_link_bytes.begin(), prediction.busiest_link_bytes.end(), 0.0) / 10 * 8 / 1e8;
    EXPECT_GE(resist.round.sync_seconds, floor * kFraming * 0.9999);
    EXPECT_LE(resist.round.sync_seconds, floor * kFraming * 1.1);
    EXPECT_NEAR(resist.round.bytes,
                std::accumulate(prediction.payload_bytes.begin(), prediction.payload_bytes.end(), 0.0) / 10, 1);
  }
}

TEST_F(ForecastTest, DataParallelSynchronisesInEveryStep) {
  const Forecast once = forecaster(Method::local_sgd, 4).forecast(alike(4, kGflops, 1e8));
  const Forecast always = forecaster(Method::data_parallel, 4).forecast(alike(4, kGflops, 1e8));
  EXPECT_NEAR(always.round.sync_seconds, 50 * once.round.sync_seconds, 1e-6 * always.round.sync_seconds);
  EXPECT_EQ(always.rounds, once.rounds);
}

TEST_F(ForecastTest, OverlapHidesTheAverageBehindLocalSteps) {
  const Circumstances slow_steps = alike(4, kGflops, 1e8);
  const double plain = forecaster(Method::resist, 4).forecast(slow_steps).round.sync_seconds;
  config_.sync.overlap = true;
  const double hidden = forecaster(Method::resist, 4).forecast(slow_steps).round.sync_seconds;
  EXPECT_LT(hidden, 0.7 * plain);  // the blocks still travel
  const double fast_steps = forecaster(Method::resist, 4).forecast(alike(4, 1e15, 1e8)).round.sync_seconds;
  EXPECT_GT(fast_steps, 0.95 * plain);  // nothing to hide behind
  // Steps that take as long as blocks and average together hide the average, and a fifth of them a part of it.
  const double steps = forecaster(Method::resist, 4).forecast(slow_steps).round.compute_seconds;
  const Circumstances longer_steps = alike(4, kGflops * steps / plain, 1e8);
  const double by_a_fifth = forecaster(Method::resist, 4).forecast(longer_steps).round.sync_seconds;
  config_.sync.overlap_iterations = config_.train.local_iterations;
  const double by_all = forecaster(Method::resist, 4).forecast(longer_steps).round.sync_seconds;
  EXPECT_NEAR(by_all, hidden, 0.01 * plain);
  EXPECT_GT(by_a_fifth, by_all + 0.05 * plain);
}

TEST_F(ForecastTest, ACheckpointBringsWorker0WhatTheOthersAloneHave) {
  const auto bytes = [&](Method method) {
    const Forecast forecast = forecaster(method, 4).forecast(alike(4, kGflops, 1e8));
    return forecast.checkpoint_seconds * 1e8 / 8 / kFraming;
  };
  const double block = static_cast<double>(layout_.blocks[0].size) * 4;
  const double shared = static_cast<double>(layout_.shared_size) * 4;
  const double whole = shared + 22 * block;
  EXPECT_NEAR(bytes(Method::resist), 16 * block, 1);  // of 22 worker 0 holds 6
  EXPECT_NEAR(bytes(Method::local_sgd), 0, 1);
  config_.train.momentum_sync = MomentumSync::carry;
  EXPECT_NEAR(bytes(Method::resist), 16 * block + 3 * (shared + 6 * block), 1);
  EXPECT_NEAR(bytes(Method::local_sgd), 3 * whole, 1);
  config_.sync.compress = Compression::int6;
  EXPECT_NEAR(bytes(Method::local_sgd), 3 * (whole + shared), 1);
  EXPECT_NEAR(bytes(Method::data_parallel), 0, 1);  // all have the same
}

TEST_F(ForecastTest, CheckpointsAreCountedWithTheLastOne) {
  const auto checkpoints = [&](int every) {
    config_.run.checkpoint_every = every;
    return forecaster(Method::resist, 4).forecast(alike(4, kGflops, 1e8)).checkpoints;
  };
  EXPECT_EQ(checkpoints(0), 1);
  EXPECT_EQ(checkpoints(3), 3);  // 3, 6 and 8
  EXPECT_EQ(checkpoints(8), 1);
}

TEST_F(ForecastTest, RoundsInFullHideAndLeaveOutNothing) {
  const Circumstances circumstances = alike(4, kGflops, 1e8);  // 8 rounds
  for (const Method method : {Method::resist, Method::local_sgd}) {
    config_.sync = {};
    const RoundForecast plain = forecaster(method, 4).forecast(circumstances).round;
    for (const bool overlap : {true, false}) {
      config_.sync.overlap = overlap;
      config_.sync.last_section_every = overlap ? 1 : 1000;
      const auto round = [&](int eval_every, int checkpoint_every) {
        config_.evaluation.eval_every = eval_every;
        config_.run.checkpoint_every = checkpoint_every;
        return forecaster(method, 4).forecast(circumstances).round;
      };
      const RoundForecast all = round(0, 1);
      EXPECT_DOUBLE_EQ(all.sync_seconds, plain.sync_seconds);
      EXPECT_DOUBLE_EQ(all.bytes, plain.bytes);
      // The last one of 8; 2, 4, 6 and 8; and with 3 five of them.
      const double saved = plain.sync_seconds - round(0, 0).sync_seconds;
      EXPECT_GT(saved, 0);
      EXPECT_NEAR(plain.sync_seconds - round(2, 0).sync_seconds, saved * 4 / 7, 1e-9);
      EXPECT_NEAR(plain.sync_seconds - round(2, 3).sync_seconds, saved * 3 / 7, 1e-9);
    }
  }
}

TEST_F(ForecastTest, AnyLengthIsForecastAtOnce) {
  config_.sync.overlap = true;
  config_.train.rounds = 1'000'000'000'000;
  config_.evaluation.eval_every = 2;
  config_.run.checkpoint_every = 3;
  const double often = forecaster(Method::resist, 4).forecast(alike(4, kGflops, 1e8)).round.sync_seconds;
  config_.train.rounds = 6;
  EXPECT_NEAR(forecaster(Method::resist, 4).forecast(alike(4, kGflops, 1e8)).round.sync_seconds, often, 1e-9 * often);
}

// Whatever the method: half of the rounds, and the last one.
TEST_F(ForecastTest, ARarerLastSectionIsAveragedInItsRounds) {
  const Circumstances circumstances = alike(4, kGflops, 1e8);
  for (const Method method : {Method::resist, Method::local_sgd}) {
    const auto bytes = [&](int every) {
      config_.sync.last_section_every = every;
      return forecaster(method, 4).forecast(circumstances).round.bytes;
    };
    EXPECT_NEAR(bytes(1) - bytes(2), (bytes(1) - bytes(8)) * 4 / 7, 1);
  }
}

TEST_F(ForecastTest, RoundsAreCountedAsTrainingCountsThem) {
  const Circumstances circumstances = alike(4, kGflops, 1e8);
  EXPECT_EQ(forecaster(Method::resist, 4).forecast(circumstances).rounds, 8);  // 50 000 / (4 * 50 * 32)
  config_.train.warmup_epochs = 0.5;
  config_.evaluation.eval_every = 3;
  const Forecast forecast = forecaster(Method::resist, 4).forecast(circumstances);
  EXPECT_EQ(forecast.warmup_rounds, 4);
  EXPECT_EQ(forecast.rounds, 4);
  EXPECT_EQ(forecast.evaluations, 3);
  EXPECT_GT(forecast.warmup_round.compute_seconds, forecast.round.compute_seconds);
  EXPECT_NEAR(forecast.seconds(),
              4 * forecast.round.seconds() + 4 * forecast.warmup_round.seconds() + 3 * forecast.evaluation_seconds +
                  forecast.checkpoint_seconds + forecast.calibration_seconds,
              1e-9);
}

TEST_F(ForecastTest, RoundsThatLengthenAreFewerAndTakeAsMuchComputation) {
  const Circumstances circumstances = alike(4, kGflops, 1e8);
  const Forecast before = forecaster(Method::resist, 4).forecast(circumstances);
  config_.train.max_local_iterations = 100;  // 391 iterations; from the 200th on a tenth of the learning rate
  const Forecast now = forecaster(Method::resist, 4).forecast(circumstances);
  EXPECT_EQ(now.rounds, 6);
  EXPECT_NEAR(6 * now.round.compute_seconds, 391.0 / 50 * before.round.compute_seconds, 1e-6);
  EXPECT_DOUBLE_EQ(now.round.bytes, before.round.bytes);
  const Forecast data_parallel = forecaster(Method::data_parallel, 4).forecast(circumstances);
  config_.train.max_local_iterations = 0;
  EXPECT_EQ(data_parallel.bytes(), forecaster(Method::data_parallel, 4).forecast(circumstances).bytes());
}

TEST_F(ForecastTest, ADepthThatGrowsTakesItsMean) {
  const Circumstances circumstances = alike(4, kGflops, 1e8);
  const auto round = [&](std::optional<int> least, std::optional<int> last) {
    config_.partition.min_blocks = least;
    config_.partition.final_min_blocks = last;
    return forecaster(Method::resist, 4).forecast(circumstances).round;
  };
  const RoundForecast grows = round(6, 22);
  EXPECT_GT(grows.compute_seconds, round(6, {}).compute_seconds);
  EXPECT_LT(grows.compute_seconds, round(22, {}).compute_seconds);
  EXPECT_NEAR(grows.compute_seconds, round(14, {}).compute_seconds, 0.05 * grows.compute_seconds);
}

TEST_F(ForecastTest, EvaluationIsSharedOutAndLocalSgdSendsNoBlocks) {
  const Circumstances alone = alike(1, kGflops, 1e8);
  const Circumstances four = alike(4, kGflops, 1e8);
  const double one = forecaster(Method::local_sgd, 1).forecast(alone).evaluation_seconds;
  EXPECT_NEAR(forecaster(Method::local_sgd, 4).forecast(four).evaluation_seconds, one / 4, 1e-6 * one);
  const Circumstances slow_links = alike(4, 1000 * kGflops, 1e6);
  EXPECT_GT(forecaster(Method::resist, 4).forecast(slow_links).evaluation_seconds,
            2 * forecaster(Method::local_sgd, 4).forecast(slow_links).evaluation_seconds);
}

TEST_F(ForecastTest, VisitingBlocksKeepAllLinksBusy) {
  Circumstances slow_links = alike(4, 1e6 * kGflops, 1e6);
  double bits = 0;
  for (const BlockLayout& block : layout_.blocks) {
    bits += static_cast<double>(block.size) * 32 * kFraming;
  }
  // A worker holds 6 of 22 blocks and takes in the others; it sends a quarter of all, to three.
  const double floor = bits * 16 / 22 / 1e6;
  const double seconds = forecaster(Method::resist, 4).forecast(slow_links).evaluation_seconds;
  EXPECT_GT(seconds, floor);
  EXPECT_LT(seconds, 2 * floor);
  slow_links.links[2].bandwidth /= 10;
  EXPECT_GT(forecaster(Method::resist, 4).forecast(slow_links).evaluation_seconds, 9 * floor);
}

TEST_F(ForecastTest, AtTheBalancedBandwidthBothPhasesTakeAsLong) {
  const Forecaster resist = forecaster(Method::resist, 4);
  Circumstances circumstances = alike(4, 100 * kGflops, 1e8);
  const double bandwidth = resist.balanced_bandwidth(circumstances);
  for (Link& link : circumstances.links) {
    link.bandwidth = bandwidth;
  }
  const RoundForecast round = resist.forecast(circumstances).round;
  EXPECT_NEAR(round.sync_seconds, round.compute_seconds, 0.01 * round.compute_seconds);
  EXPECT_TRUE(std::isinf(resist.balanced_bandwidth(alike(4, 1e15, 1e8, 1))));
}

MethodForecast method_of(Method method, double seconds, double bandwidth) {
  MethodForecast result{.method = method, .forecast = {}, .balanced_bandwidth = bandwidth};
  result.forecast.rounds = 1;
  result.forecast.round.compute_seconds = seconds;
  return result;
}

TEST(Recommendation, NamesTheFirstAndItsBottleneck) {
  EXPECT_EQ(recommend({method_of(Method::local_sgd, 310, 9e8), method_of(Method::resist, 100, 2.4e8),
                       method_of(Method::data_parallel, 2000, 4e9)}),
            "resist finishes 3.1 times sooner than local-sgd and 20 times sooner than data-parallel; the link is its "
            "bottleneck below 240 Mbit/s");
  EXPECT_EQ(recommend({method_of(Method::local_sgd, 1, 9e8)}),
            "local-sgd: the link is its bottleneck below 900 Mbit/s");
}

}  // namespace
}  // namespace resist
