#include "resist/simulate/simulation.h"

#include <gtest/gtest.h>

#include "resist/plan/forecast.h"
#include "resist/simulate/simulation_report.h"
#include "simulate/simulated.h"
#include "support/input_error.h"

namespace resist {
namespace {

SimulationResult result_of(const Simulated& simulated) {
  return simulate(simulated.config, simulated.spec, simulated.layout, simulated.options);
}

void make_unreliable(Simulated& simulated) {
  ClusterModel& cluster = simulated.options.cluster;
  cluster.speed_spread = 0.1;
  cluster.bandwidth_spread = 0.2;
  cluster.jitter = 0.05;
  cluster.latencies = {0.001};
  cluster.failures_per_hour = 0.5;
  cluster.cut_off_share = 0.1;
  simulated.config.cluster.timeout = std::chrono::seconds(60);
}

// Every variant of the simulation, on 12 workers.
std::vector<Simulated> variants() {
  std::vector<Simulated> all;
  for (int variant = 0; variant < 7; ++variant) {
    Simulated& simulated = all.emplace_back();
    SimulationOptions& options = simulated.workers(12).options;
    options.rounds = 30;
    options.cluster.sites = variant == 2 || variant == 3 ? 3 : 1;
    options.cluster.uplink_bandwidth = 1e9;
    options.groups = variant == 1 ? 4 : 1;
    options.hierarchical = variant == 3;
    options.homes = variant == 4 ? 3 : 0;
    options.asynchronous = variant == 5;
    simulated.config.sync.protect = variant == 6 ? Protection::buddy : Protection::none;
  }
  return all;
}

TEST(Simulate, IsAFunctionOfTheSeed) {
  for (Simulated& simulated : variants()) {
    make_unreliable(simulated);
    const nlohmann::json first = to_json(result_of(simulated));
    EXPECT_EQ(first, to_json(result_of(simulated)));
    simulated.config.train.seed = 2;
    EXPECT_NE(first, to_json(result_of(simulated)));
  }
}

TEST(Simulate, EvenWorkersThatNeverFailTakeWhatIsForecast) {
  for (const Method method : {Method::resist, Method::local_sgd, Method::data_parallel}) {
    for (const int workers : {1, 2, 4, 8}) {
      for (const bool overlap : {false, true}) {
        if (overlap && method == Method::data_parallel) {
          continue;
        }
        Simulated simulated;
        simulated.workers(workers).config.train.method = method;
        simulated.config.sync.overlap = overlap;
        simulated.options.rounds = 10;  // of which a forecast is the mean
        simulated.config.train.rounds = 10;
        simulated.options.cluster.latencies = {0.002};
        simulated.options.cluster.handling = kUsualHandling;
        const auto count = static_cast<std::size_t>(workers);
        const Forecaster forecaster(simulated.config, simulated.spec, simulated.layout, workers);
        const RoundForecast forecast =
            forecaster
                .forecast({.speeds = std::vector<WorkerSpeed>(
                               count, {.training = 1e11, .evaluation = 1e11, .handling = kUsualHandling}),
                           .links = std::vector<Link>(count, {.bandwidth = 1e9, .latency = 0.002}),
                           .training_samples = 1000,
                           .evaluation_samples = 100})
                .round;
        const SimulationResult result = result_of(simulated);
        // With overlap one of the rounds is synchronised in full, where the forecast takes a tenth of each.
        const double apart = overlap ? 0.02 : 0.01;
        EXPECT_NEAR(result.round.mean, forecast.seconds(), 0.01 * forecast.seconds());
        EXPECT_NEAR(result.sync_seconds, forecast.sync_seconds, apart * forecast.sync_seconds);
        EXPECT_NEAR(result.round_bytes, forecast.bytes, 0.01 * forecast.bytes);
        EXPECT_NEAR(result.goodput_share, 1, 1e-9);
      }
    }
  }
}

TEST(Simulate, EvenWorkersThatNeverFailLoseNothingByRoundsInFull) {
  Simulated simulated;
  simulated.config.sync.overlap = true;
  simulated.options.rounds = 100;
  for (const int every : {0, 7, 50}) {
    simulated.config.run.checkpoint_every = every;
    EXPECT_NEAR(result_of(simulated).goodput_share, 1, 1e-9) << every;
  }
}

TEST(Simulate, FailuresOnlyEverCost) {
  for (Simulated& simulated : variants()) {
    double last = 1.02;  // of even workers; chance may have it a little above
    for (const double per_hour : {0.0, 0.3, 3.0}) {
      simulated.options.cluster.failures_per_hour = per_hour;
      const SimulationResult result = result_of(simulated);
      EXPECT_LT(result.goodput_share, last);
      EXPECT_EQ(result.tally.failures > 0, per_hour > 0);
      last = result.goodput_share;
    }
    EXPECT_LT(last, 0.95);
  }
}

TEST(Simulate, WhatIsTrainedIsCommittedLostOrRolledBack) {
  for (Simulated& simulated : variants()) {
    make_unreliable(simulated);
    simulated.options.cluster.failures_per_hour = 2;
    const SimulationResult result = result_of(simulated);
    const double most = static_cast<double>(result.rounds_done) * 12 * simulated.samples_per_round();
    const Tally& tally = result.tally;
    EXPECT_LE(tally.samples + tally.samples_rolled_back, most * (1 + 1e-9));
    EXPECT_GE(tally.samples_lost, 0);
    EXPECT_LE(tally.samples_lost, static_cast<double>(tally.failures) * simulated.samples_per_round());
    EXPECT_LE(tally.wasted_bytes, tally.bytes);
    EXPECT_GT(result.contributors, 4);
    EXPECT_LE(result.contributors, 12);
    EXPECT_LE(result.round.median, result.round.percentile_99);
    EXPECT_LE(result.round.percentile_99, result.round.most);
    const BlockTally& blocks = tally.blocks;
    EXPECT_EQ(blocks.block_rounds, result.rounds_done * 22);
    if (!simulated.options.asynchronous) {
      EXPECT_EQ(blocks.unheld, blocks.from_buddy + blocks.from_group + blocks.from_checkpoint);
      EXPECT_GE(blocks.least_holders, 1);
    }
  }
}

TEST(Simulate, ManyHoldersKeepBlocksAlive) {
  Simulated simulated;
  simulated.workers(12).options.rounds = 200;
  simulated.config.partition.min_blocks = 1;
  simulated.options.cluster.failures_per_hour = 2;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  for (const int replication : {1, 2, 4}) {
    simulated.options.replication = replication;
    const SimulationResult result = result_of(simulated);
    EXPECT_GE(result.holders, replication * 0.99);
    EXPECT_LT(result.tally.blocks.unheld, last);
    last = result.tally.blocks.unheld;
  }
}

TEST(Simulate, WorkersThatDieFasterThanARoundEndsAreSaidToBeStalled) {
  for (const bool asynchronous : {false, true}) {
    Simulated simulated;
    simulated.workers(2).options.cluster.failures_per_hour = 1e6;
    simulated.options.cluster.return_seconds = 1;
    simulated.options.asynchronous = asynchronous;
    const SimulationResult result = result_of(simulated);
    EXPECT_EQ(result.stalled_groups, 1);
    EXPECT_EQ(result.rounds, 0);
    EXPECT_EQ(result.goodput, 0);
  }
}

TEST(Simulate, AStalledGroupTrainsNothing) {
  Simulated simulated;
  simulated.workers(2).options.groups = 2;
  simulated.options.rounds = 4;
  simulated.options.cluster.known_outages = {{.seconds = 1, .worker = 0}};
  const SimulationResult result = result_of(simulated);
  EXPECT_EQ(result.stalled_groups, 1);
  EXPECT_EQ(result.rounds, 0);
  EXPECT_EQ(result.most_rounds, 4);
  EXPECT_EQ(result.contributors, 1);
  simulated.options.cluster.known_outages.clear();
  EXPECT_EQ(result_of(simulated).contributors, 2);
  EXPECT_EQ(result_of(simulated).stalled_groups, 0);
}

// Their last meeting comes early where the rounds are no whole number of periods.
TEST(Simulate, EvenGroupsThatNeverFailAreAsGoodAsEvenOnes) {
  for (const std::int64_t rounds : {7, 20, 25, 101}) {
    Simulated simulated;
    simulated.workers(4).options.groups = 4;
    simulated.options.group_rounds = 10;
    simulated.options.rounds = rounds;
    simulated.options.cluster.bandwidths = {1e7};
    EXPECT_NEAR(result_of(simulated).goodput_share, 1, 1e-9) << rounds << " rounds";
  }
}

TEST(Simulate, WithoutPartitionedBlocksNobodyHoldsAny) {
  Simulated simulated;
  simulated.config.train.method = Method::local_sgd;
  simulated.config.model.depths = {1, 1, 1, 1};
  simulated.spec = make_network_spec(simulated.config, {.channels = 3, .height = 32, .width = 32, .classes = 100});
  simulated.layout = make_layout(simulated.spec);
  simulated.options.rounds = 2;
  const SimulationResult result = result_of(simulated);
  EXPECT_EQ(result.tally.blocks.block_rounds, 0);
  EXPECT_EQ(to_json(result)["blocks"]["holders"], 0);
}

TEST(Simulate, ItsOptionsAsJsonTellAllThatItIsAFunctionOf) {
  Simulated simulated;
  simulated.config.run.checkpoint_every = 7;
  nlohmann::json json = to_json(simulated.config, simulated.options);
  EXPECT_EQ(json["handling"], 0);
  EXPECT_EQ(json["options"]["model"], "preact-resnet101");
  EXPECT_EQ(json["options"]["method"], "resist");
  EXPECT_EQ(json["options"]["batch-size"], 32);
  EXPECT_EQ(json["options"]["local-iterations"], 50);
  EXPECT_EQ(json["options"]["seed"], 1);
  EXPECT_EQ(json["options"]["timeout"], 600);
  EXPECT_EQ(json["options"]["checkpoint-every"], 7);
  simulated.options.groups = 2;
  json = to_json(simulated.config, simulated.options);
  EXPECT_FALSE(json["options"].contains("checkpoint-every"));  // nobody goes back to one
}

TEST(Simulate, AThousandWorkersForAThousandRounds) {
  Simulated simulated;
  make_unreliable(simulated);
  simulated.workers(1000).options.rounds = 1000;
  simulated.options.cluster.failures_per_hour = 0.01;
  const SimulationResult result = result_of(simulated);
  EXPECT_EQ(result.rounds, 1000);
  EXPECT_GT(result.tally.failures, 100);
  EXPECT_GT(result.holders, 150);
  EXPECT_EQ(result.tally.blocks.unheld, 0);
}

TEST(Simulate, RefusesWhatDoesNotGoTogether) {
  const auto refused = [](const auto& change) {
    Simulated simulated;
    change(simulated);
    return input_error([&] { result_of(simulated); });
  };
  EXPECT_TRUE(contains(refused([](Simulated& s) { s.options.rounds = 0; }), "--rounds is 0"));
  EXPECT_TRUE(contains(refused([](Simulated& s) { s.options.groups = 5; }), "--groups is 5; it must be an integer"));
  EXPECT_TRUE(contains(refused([](Simulated& s) { s.options.hierarchical = true; }), "it needs --sites"));
  EXPECT_TRUE(contains(refused([](Simulated& s) { s.options.groups = s.options.homes = 2; }),
                       "--groups can't be used with --homes"));
  EXPECT_TRUE(contains(refused([](Simulated& s) {
                         s.options.asynchronous = true;
                         s.config.sync.overlap = true;
                       }),
                       "--asynchronous can't be used with --overlap"));
  EXPECT_TRUE(contains(refused([](Simulated& s) {
                         s.options.groups = 2;
                         s.config.train.method = Method::data_parallel;
                       }),
                       "--groups can't be used with --method data-parallel"));
  EXPECT_TRUE(contains(refused([](Simulated& s) {
                         s.workers(10).options.groups = 3;
                         s.options.replication = 4;
                       }),
                       "--replication is 4; it must be at most 3, the workers of a group"));
  EXPECT_TRUE(contains(refused([](Simulated& s) {
                         s.workers(10).options.homes = 5;
                         s.options.replication = 3;
                       }),
                       "--replication is 3; it must be at most 2, the workers of a home"));
  EXPECT_TRUE(contains(refused([](Simulated& s) {
                         s.options.asynchronous = true;
                         s.options.replication = 2;
                       }),
                       "--asynchronous can't be used with --replication"));
  EXPECT_TRUE(contains(refused([](Simulated& s) { s.workers(30).config.partition.partition = PartitionMode::exact; }),
                       "use at most"));
}

}  // namespace
}  // namespace resist
