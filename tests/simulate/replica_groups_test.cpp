#include "resist/simulate/replica_groups.h"

#include <gtest/gtest.h>

#include "simulate/simulated.h"

namespace resist {
namespace {

// Alone in its group a worker holds the whole network and exchanges nothing, so that all bytes are the meetings'.
TEST(ReplicaGroups, OfOneWorkerEachAverageTheWholeNetworkInTheirMeetings) {
  Simulated simulated;
  simulated.workers(4).options.groups = 4;
  simulated.options.group_rounds = 5;
  simulated.options.rounds = 10;
  const Outcome outcome = run_jobs(simulated.setup());
  // Two meetings, each a reduce-scatter and an all-gather of four.
  const double network = 4.0 * static_cast<double>(simulated.layout.total_size());
  const double each = 2 * network * 3 / 4;
  EXPECT_NEAR(outcome.tally.bytes, 2 * 4 * each, 1e-6 * outcome.tally.bytes);
  EXPECT_NEAR(outcome.tally.meeting_seconds, 4 * 2 * each * kByteSeconds, 1e-6 * outcome.tally.meeting_seconds);
  EXPECT_EQ(outcome.tally.round_seconds.size(), 40U);
  EXPECT_EQ(outcome.rounds, 10);
  EXPECT_EQ(outcome.stalled_groups, 0);
}

TEST(ReplicaGroups, WaitForTheSlowestInTheirMeetingsOnly) {
  Simulated simulated;
  simulated.workers(2).options.groups = 2;
  simulated.options.group_rounds = 3;
  simulated.options.rounds = 3;
  simulated.options.cluster.speeds = {1e11, 0.5e11};
  const Outcome outcome = run_jobs(simulated.setup());
  const auto& seconds = outcome.tally.round_seconds;
  EXPECT_NEAR(seconds[3], 2 * seconds[0], 1e-9 * seconds[3]);
  EXPECT_NEAR(seconds[0] + seconds[1] + seconds[2], outcome.seconds, 1e-9 * outcome.seconds);
  EXPECT_NEAR(seconds[3] + seconds[4] + seconds[5], outcome.seconds, 1e-9 * outcome.seconds);
}

TEST(ReplicaGroups, AGroupThatLosesEverybodyGoesOnFromTheLastMeeting) {
  Simulated simulated;
  simulated.workers(4).options.groups = 2;
  simulated.options.group_rounds = 2;
  simulated.options.rounds = 6;
  const Outcome quiet = run_jobs(simulated.setup());
  const double third_round = quiet.seconds * 0.45;
  simulated.options.cluster.known_outages = {{.seconds = third_round, .worker = 2},
                                             {.seconds = third_round, .worker = 3},
                                             {.seconds = third_round + 100, .worker = 2, .returns = true},
                                             {.seconds = third_round + 100, .worker = 3, .returns = true}};
  const Outcome outcome = run_jobs(simulated.setup());
  EXPECT_EQ(outcome.tally.restarted, 1);
  EXPECT_EQ(outcome.tally.rounds_rolled_back, 0);  // the third round is the first one after a meeting
  EXPECT_EQ(outcome.tally.samples, quiet.tally.samples);
  EXPECT_GT(outcome.seconds, quiet.seconds + 100);
  EXPECT_EQ(outcome.tally.blocks.from_checkpoint, 0);
}

TEST(ReplicaGroups, ALostBlockComesFromAnotherGroup) {
  Simulated simulated;
  simulated.workers(4).options.groups = 2;
  simulated.options.rounds = 2;
  simulated.options.cluster.known_outages = {{.seconds = 1, .worker = 0}};
  const Outcome outcome = run_jobs(simulated.setup());
  EXPECT_EQ(outcome.tally.blocks.from_group, 11);
  EXPECT_EQ(outcome.tally.blocks.unheld, 11);
}

TEST(ReplicaGroups, OnSitesOfTheirOwnPayForTheWayBetweenThemInMeetingsOnly) {
  Simulated simulated;
  simulated.workers(40).options.groups = 2;
  simulated.options.group_rounds = 3;
  simulated.options.rounds = 3;
  const auto near = run_jobs(simulated.setup()).tally.round_seconds;
  simulated.options.cluster.sites = 2;
  simulated.options.cluster.uplink_bandwidth = 1e12;
  simulated.options.cluster.uplink_latency = 1;
  const auto far = run_jobs(simulated.setup()).tally.round_seconds;
  EXPECT_NEAR(far[0], near[0], 1e-9 * near[0]);
  EXPECT_NEAR(far[1], near[1], 1e-9 * near[1]);
  EXPECT_GT(far[2], near[2] + 4);  // the steps of an average of two, there and back
}

TEST(ReplicaGroups, AStalledGroupIsNotWaitedFor) {
  Simulated simulated;
  simulated.workers(2).options.groups = 2;
  simulated.options.rounds = 4;
  simulated.options.group_rounds = 2;
  simulated.options.cluster.known_outages = {{.seconds = 1, .worker = 0}};
  const Outcome outcome = run_jobs(simulated.setup());
  EXPECT_EQ(outcome.stalled_groups, 1);
  EXPECT_EQ(outcome.rounds, 0);
  EXPECT_EQ(outcome.most_rounds, 4);
  EXPECT_EQ(outcome.tally.round_seconds.size(), 4U);
}

}  // namespace
}  // namespace resist
