#include "resist/simulate/asynchronous.h"

#include <gtest/gtest.h>

#include "simulate/simulated.h"

namespace resist {
namespace {

Simulated asynchronous(int workers, std::int64_t rounds) {
  Simulated simulated;
  simulated.workers(workers).options.asynchronous = true;
  simulated.options.rounds = rounds;
  return simulated;
}

TEST(Asynchronous, AloneAWorkerJustTrains) {
  Simulated simulated = asynchronous(1, 3);
  const Outcome outcome = run_asynchronous(simulated.setup());
  EXPECT_EQ(outcome.tally.bytes, 0);
  EXPECT_EQ(outcome.tally.samples, 3 * simulated.samples_per_round());
  EXPECT_NEAR(outcome.seconds, outcome.tally.compute_seconds, 1e-9 * outcome.seconds);
  EXPECT_EQ(outcome.tally.staleness, 0);
}

TEST(Asynchronous, AMergeTakesItsBytesOverTheWorkersLink) {
  Simulated simulated = asynchronous(2, 1);
  simulated.options.cluster.speeds = {1e11, 0.9e11};  // so that they never merge at the same time
  const Outcome outcome = run_asynchronous(simulated.setup());
  const double state = 4.0 * static_cast<double>(simulated.layout.shared_size + 11 * simulated.layout.blocks[0].size);
  EXPECT_EQ(outcome.tally.merges, 2);
  EXPECT_NEAR(outcome.tally.bytes, 2 * state, 1e-6 * state);  // half there and half back: the other half is its own
  EXPECT_NEAR(outcome.tally.sync_seconds, state / 2 * kByteSeconds, 1e-6 * outcome.tally.sync_seconds);
}

TEST(Asynchronous, NobodyWaitsForTheSlow) {
  Simulated simulated = asynchronous(10, 20);
  const Outcome even = run_asynchronous(simulated.setup());
  simulated.options.cluster.speeds = std::vector<double>(10, 1e11);
  simulated.options.cluster.speeds[3] = 1e10;
  const Outcome uneven = run_asynchronous(simulated.setup());
  // Nine of ten go on as before.
  const double share = (uneven.tally.samples / uneven.seconds) / (even.tally.samples / even.seconds);
  EXPECT_NEAR(share, 0.91, 0.04);
  EXPECT_GT(uneven.tally.most_staleness, 5);
  EXPECT_NEAR(even.tally.staleness / static_cast<double>(even.tally.merges), 1, 0.2);
}

TEST(Asynchronous, ADeadWorkersIterationsAreLostAndItReturns) {
  Simulated simulated = asynchronous(4, 10);
  const Outcome quiet = run_asynchronous(simulated.setup());
  simulated.options.cluster.known_outages = {{.seconds = 5, .worker = 2},
                                             {.seconds = quiet.seconds / 2, .worker = 2, .returns = true}};
  const Outcome outcome = run_asynchronous(simulated.setup());
  EXPECT_EQ(outcome.tally.failures, 1);
  EXPECT_EQ(outcome.tally.joined, 1);
  EXPECT_GT(outcome.tally.samples_lost, 0);
  EXPECT_LT(outcome.tally.samples_lost, simulated.samples_per_round());
  EXPECT_LT(outcome.tally.samples / outcome.seconds, quiet.tally.samples / quiet.seconds);
}

TEST(Asynchronous, AnOwnerThatIsCutOffHoldsUpMerges) {
  Simulated simulated = asynchronous(4, 4);
  simulated.config.cluster.timeout = std::chrono::seconds(1000);
  simulated.options.cluster.known_outages = {{.seconds = 5, .worker = 2, .cut_off = true}};
  EXPECT_GT(run_asynchronous(simulated.setup()).seconds, 1005);
}

TEST(Asynchronous, BlocksComeBackFromTheBuddyOrTheCheckpoint) {
  for (const Protection protection : {Protection::none, Protection::buddy}) {
    Simulated simulated = asynchronous(3, 30);
    simulated.config.sync.protect = protection;
    simulated.options.cluster.known_outages = {{.seconds = 1000, .worker = 0}, {.seconds = 1001, .worker = 1}};
    const Outcome outcome = run_asynchronous(simulated.setup());
    const BlockTally& blocks = outcome.tally.blocks;
    EXPECT_GT(protection == Protection::buddy ? blocks.from_buddy : blocks.from_checkpoint, 0);
    EXPECT_EQ(protection == Protection::buddy ? blocks.from_checkpoint : blocks.from_buddy, 0);
  }
}

// Nobody is left each time that a worker alone dies.
TEST(Asynchronous, ARoundIsRolledBackOnce) {
  Simulated simulated = asynchronous(1, 200);
  simulated.config.run.checkpoint_every = 0;
  simulated.options.cluster.failures_per_hour = 20;
  simulated.options.cluster.return_seconds = 60;
  const Outcome outcome = run_asynchronous(simulated.setup());
  EXPECT_GT(outcome.tally.restarted, 2);
  EXPECT_EQ(static_cast<double>(outcome.tally.rounds_rolled_back) * simulated.samples_per_round(),
            outcome.tally.samples_rolled_back);
}

TEST(Asynchronous, OfALostBlockOnlyTheOwnersPartIsLost) {
  Simulated simulated = asynchronous(3, 60);
  simulated.config.run.checkpoint_every = 0;
  constexpr double kDeath = 2000;
  simulated.options.cluster.known_outages = {{.seconds = kDeath, .worker = 0}};
  const Outcome outcome = run_asynchronous(simulated.setup());
  double seconds = 0;
  double rounds = 0;  // until then
  for (const double round : outcome.tally.round_seconds) {
    seconds += round;
    rounds += seconds < kDeath ? 1 : 0;
  }
  const BlockTally& blocks = outcome.tally.blocks;
  ASSERT_GT(blocks.from_checkpoint, 0);
  ASSERT_GT(rounds, 10);
  const double most = static_cast<double>(blocks.from_checkpoint) * rounds / 3;
  EXPECT_LE(blocks.rounds_lost, most);
  EXPECT_GT(blocks.rounds_lost, 0.5 * most);  // blocks are left out of some rounds
}

TEST(Asynchronous, TheSlowestLinkThatLivesHoldsUpMerges) {
  Simulated simulated = asynchronous(10, 20);
  simulated.options.cluster.bandwidths = std::vector<double>(10, 1e9);
  simulated.options.cluster.bandwidths[0] = 1e6;
  simulated.options.cluster.known_outages = {{.seconds = 1, .worker = 0}};
  const double fast = run_asynchronous(simulated.setup()).seconds;
  simulated.options.cluster.bandwidths[1] = 2e6;
  EXPECT_GT(run_asynchronous(simulated.setup()).seconds, 2 * fast);
}

TEST(Asynchronous, EndsWhenNobodyReturns) {
  Simulated simulated = asynchronous(2, 10);
  simulated.options.cluster.known_outages = {{.seconds = 1, .worker = 0}, {.seconds = 2, .worker = 1}};
  EXPECT_EQ(run_asynchronous(simulated.setup()).stalled_groups, 1);
}

}  // namespace
}  // namespace resist
