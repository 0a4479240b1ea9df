#include "resist/simulate/job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "resist/model/operations.h"
#include "resist/plan/round_exchanges.h"
#include "simulate/simulated.h"

namespace resist {
namespace {

// Two workers without latency: each holds 11 of the 22 blocks. Times are reckoned by hand from a round's local
// iterations and its exchange.
class JobTest : public testing::Test {
 protected:
  JobTest() { simulated_.workers(2); }

  Job job() {
    setup_.emplace(simulated_.setup());
    return {*setup_, 0, simulated_.options.cluster.workers};
  }
  void known(std::vector<Outage> outages) { simulated_.options.cluster.known_outages = std::move(outages); }

  double local(int blocks) const {
    std::vector<int> held(static_cast<std::size_t>(blocks));
    std::iota(held.begin(), held.end(), 0);
    return simulated_.samples_per_round() * kTrainingFactor *
           static_cast<double>(forward_operations(simulated_.spec, simulated_.layout, held)) / 1e11;
  }
  double exchange(std::int64_t round) const {
    const auto exchanges = round_exchanges(simulated_.config, simulated_.layout, 2, round);
    return exchange_seconds(transfer_steps(exchanges.front().plan), {{.bandwidth = 1e9}, {.bandwidth = 1e9}});
  }
  double samples() const { return simulated_.samples_per_round(); }

  Simulated simulated_;

 private:
  std::optional<SimulationSetup> setup_;
};

TEST_F(JobTest, ARoundIsLocalIterationsAndAnExchange) {
  Job job = this->job();
  double clock = 0;
  for (std::int64_t round = 0; round < 4; ++round) {
    ASSERT_TRUE(job.run_round());
    clock += local(11) + exchange(round);
    EXPECT_NEAR(job.clock(), clock, 1e-9 * clock);
  }
  EXPECT_EQ(job.tally().samples, 4 * 2 * samples());
  EXPECT_EQ(job.tally().blocks.block_rounds, 4 * 22);
  EXPECT_EQ(job.tally().blocks.holders, 4 * 22);
  EXPECT_EQ(job.tally().blocks.unheld, 0);
}

TEST_F(JobTest, WhoDiesWhileTrainingIsMissedAndItsWorkIsLost) {
  const double first = local(11) + exchange(0);
  known({{.seconds = first + local(11) / 4, .worker = 1}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round() && job.run_round());
  const double second = first + local(11) + kGroupSeconds;
  EXPECT_NEAR(job.clock(), second, 1e-9 * second);
  EXPECT_EQ(job.tally().samples, 3 * samples());
  EXPECT_NEAR(job.tally().samples_lost, samples() / 4, 1e-6 * samples());
  EXPECT_EQ(job.tally().failures, 1);
  EXPECT_EQ(job.tally().blocks.unheld, 11);
  EXPECT_EQ(job.tally().blocks.from_checkpoint, 11);
  EXPECT_EQ(job.tally().blocks.rounds_lost, 11);  // the first round's training of these
  EXPECT_EQ(job.tally().blocks.rounds_with_unheld, 1);
  ASSERT_TRUE(job.run_round());  // alone with all blocks
  EXPECT_NEAR(job.clock(), second + local(22), 1e-9 * second);
  EXPECT_EQ(job.tally().samples, 4 * samples());
}

TEST_F(JobTest, ABlocksRoundsAreLostOnce) {
  simulated_.config.run.checkpoint_every = 0;
  const double first = local(11) + exchange(0);
  const Outage death{.seconds = first + 1, .worker = 1};
  const Outage back{.seconds = first + 1.5 * local(11), .worker = 1, .returns = true};  // in the third round
  known({death, back});
  Job quiet = this->job();
  ASSERT_TRUE(quiet.run_round());
  const std::vector<int> lost_first = quiet.assignment().held(1);
  ASSERT_TRUE(quiet.run_round() && quiet.run_round());
  const std::vector<int> lost_again = quiet.assignment().held(1);
  known({death, back, {.seconds = quiet.clock() + 1, .worker = 1}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round() && job.run_round() && job.run_round() && job.run_round());
  double lost = 11;  // the first round
  for (const int block : lost_again) {
    lost += std::ranges::binary_search(lost_first, block) ? 1 : 3;
  }
  EXPECT_EQ(job.tally().blocks.from_checkpoint, 22);
  EXPECT_EQ(job.tally().blocks.rounds_lost, lost);
}

TEST_F(JobTest, ABuddyHasWhatTheDeadOneHeld) {
  simulated_.config.sync.protect = Protection::buddy;
  known({{.seconds = 2 * local(11), .worker = 1}});  // about the middle of the second round or later
  Job job = this->job();
  ASSERT_TRUE(job.run_round() && job.run_round());
  EXPECT_EQ(job.tally().blocks.from_buddy, 11);
  EXPECT_EQ(job.tally().blocks.from_checkpoint, 0);
  EXPECT_EQ(job.tally().blocks.rounds_lost, 0);
}

TEST_F(JobTest, InTheFirstRoundBlocksHaveNothingToLose) {
  simulated_.config.sync.protect = Protection::buddy;
  known({{.seconds = 1, .worker = 1}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  EXPECT_EQ(job.tally().blocks.from_checkpoint, 11);  // initial values, which anybody can draw
  EXPECT_EQ(job.tally().blocks.rounds_lost, 0);
}

TEST_F(JobTest, WhoIsCutOffIsWaitedForUntilTheDeadline) {
  simulated_.config.cluster.timeout = std::chrono::seconds(30);
  known({{.seconds = 1, .worker = 0, .cut_off = true}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  EXPECT_NEAR(job.clock(), local(11) + 30 + kGroupSeconds, 1e-9 * job.clock());
  EXPECT_EQ(job.tally().cut_off, 1);
}

TEST_F(JobTest, WhoIsCutOffDuringADeadlineIsWaitedForUntilItsOwn) {
  simulated_.workers(3).config.cluster.timeout = std::chrono::seconds(30);
  Job quiet = this->job();
  ASSERT_TRUE(quiet.run_round());
  const double trained = quiet.tally().compute_seconds;
  for (const double first : {1.0, trained + quiet.tally().sync_seconds / 4}) {  // while training, in the exchange
    const double noticed = std::max(trained, first) + 30;
    known({{.seconds = first, .worker = 1, .cut_off = true}, {.seconds = noticed - 5, .worker = 2, .cut_off = true}});
    Job job = this->job();
    ASSERT_TRUE(job.run_round());
    EXPECT_NEAR(job.clock(), noticed + 30 + kGroupSeconds, 1e-9 * job.clock());
    EXPECT_EQ(job.tally().cut_off, 2);
  }
}

TEST_F(JobTest, AWaitForADeadlineHidesNoExchange) {
  simulated_.workers(3).config.sync.overlap = true;
  simulated_.options.cluster.bandwidths = {1e6};
  simulated_.config.cluster.timeout = std::chrono::seconds(10'000);
  const auto sync_seconds = [&](bool cut_off) {
    known({{.seconds = 1, .worker = 2, .cut_off = cut_off}});
    Job job = this->job();
    EXPECT_TRUE(job.run_round());
    return job.tally().sync_seconds;
  };
  EXPECT_NEAR(sync_seconds(true), sync_seconds(false), 1e-9 * sync_seconds(false));
}

TEST_F(JobTest, ADeathStopsAnExchangeWhichBeginsAnew) {
  simulated_.config.cluster.timeout = std::chrono::seconds(30);
  for (const bool cut_off : {false, true}) {
    const double death = local(11) + exchange(0) / 4;
    known({{.seconds = death, .worker = 1, .cut_off = cut_off}});
    Job job = this->job();
    ASSERT_TRUE(job.run_round());
    EXPECT_NEAR(job.clock(), death + (cut_off ? 30 : kNoticeSeconds) + kGroupSeconds, 1e-9 * job.clock());
    EXPECT_EQ(job.tally().stopped, 1);
    EXPECT_EQ(job.tally().samples, samples());
    EXPECT_EQ(job.tally().samples_lost, samples());
    EXPECT_GT(job.tally().wasted_bytes, 0);
    EXPECT_EQ(job.tally().bytes, job.tally().wasted_bytes);
  }
}

TEST_F(JobTest, WhoReturnsEntersAtTheRoundsEndAndIsSentItsState) {
  known({{.seconds = 1, .worker = 1}, {.seconds = 2, .worker = 1, .returns = true}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  const Tally& tally = job.tally();
  // All from worker 0: the shared parameters and the 11 blocks that are worker 1's next.
  const double state = 4.0 * static_cast<double>(simulated_.layout.shared_size + 11 * simulated_.layout.blocks[0].size);
  EXPECT_EQ(tally.joined, 1);
  EXPECT_DOUBLE_EQ(tally.state_bytes, state);
  EXPECT_NEAR(tally.bytes, state, 1);
  EXPECT_NEAR(job.clock(), local(11) + state * kByteSeconds + kGroupSeconds, 1e-6 * job.clock());
  EXPECT_EQ(tally.samples, samples());
  ASSERT_TRUE(job.run_round());
  EXPECT_EQ(tally.samples, 3 * samples());
}

// Whoever trained goes on with gradients alone.
TEST_F(JobTest, WithDataParallelWhoReturnsIsSentParametersAndMomentum) {
  simulated_.config.train.method = Method::data_parallel;
  known({{.seconds = 1, .worker = 1}, {.seconds = 2, .worker = 1, .returns = true}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  const double state = 2 * 4.0 * static_cast<double>(simulated_.layout.total_size());
  EXPECT_DOUBLE_EQ(job.tally().state_bytes, state);
  EXPECT_NEAR(job.tally().bytes, state, 1);
  EXPECT_NEAR(job.tally().sync_seconds, state * kByteSeconds + kGroupSeconds, 1e-6 * job.tally().sync_seconds);
}

// 50 exchanges of gradients stop in the last one, which is what is left to be done; what is sent to a worker that joins
// is not among those that were done.
TEST_F(JobTest, WhatIsDoneOfADataParallelRoundLastsButNotTheJoinersState) {
  simulated_.workers(3).config.train.method = Method::data_parallel;
  simulated_.options.cluster.bandwidths = {1e7};
  const Outage death{.seconds = 1, .worker = 2};
  const Outage back{.seconds = 2, .worker = 2, .returns = true};
  known({death});
  Job gradients = this->job();
  ASSERT_TRUE(gradients.run_round());
  known({death, back});
  Job quiet = this->job();
  ASSERT_TRUE(quiet.run_round());
  const double state_seconds = quiet.clock() - gradients.clock();
  EXPECT_NEAR(quiet.tally().bytes - gradients.tally().bytes, quiet.tally().state_bytes, 1);
  known({death, back, {.seconds = quiet.clock() - 1, .worker = 1}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  EXPECT_NEAR(job.clock(), quiet.clock() - 1 + kNoticeSeconds + kGroupSeconds + state_seconds, 1e-6 * job.clock());
}

TEST_F(JobTest, DataParallelWithManyWorkersTakesInWhoReturns) {
  simulated_.workers(40).config.train.method = Method::data_parallel;
  known({{.seconds = 1, .worker = 7}, {.seconds = 2, .worker = 7, .returns = true}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  EXPECT_EQ(job.tally().joined, 1);
  known({{.seconds = 1, .worker = 7}});
  Job without = this->job();
  ASSERT_TRUE(without.run_round());
  EXPECT_NEAR(job.tally().bytes - without.tally().bytes, job.tally().state_bytes, 1e-6 * job.tally().bytes);
  EXPECT_NEAR(job.clock() - without.clock(), job.tally().state_bytes * kByteSeconds, 1e-6 * job.clock());
}

TEST_F(JobTest, WhenNobodyIsLeftItBeginsAnewAtTheCheckpoint) {
  simulated_.config.run.checkpoint_every = 2;
  const double three_rounds = 3 * local(11) + exchange(0) + exchange(1) + exchange(2);
  const double back = three_rounds + 1000;
  known({{.seconds = three_rounds + 1, .worker = 0},
         {.seconds = three_rounds + 2, .worker = 1},
         {.seconds = back, .worker = 1, .returns = true}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round() && job.run_round() && job.run_round() && job.run_round());
  const double state = 4.0 * static_cast<double>(simulated_.layout.total_size());
  EXPECT_NEAR(job.clock(), back + state * kByteSeconds + kGroupSeconds + local(22), 1e-6 * job.clock());
  EXPECT_EQ(job.tally().restarted, 1);
  EXPECT_EQ(job.tally().rounds_rolled_back, 1);
  EXPECT_EQ(job.tally().samples_rolled_back, 2 * samples());
  EXPECT_EQ(job.tally().samples, (4 + 1) * samples());
}

TEST_F(JobTest, ARoundIsRolledBackOnce) {
  simulated_.workers(1).config.run.checkpoint_every = 0;
  simulated_.options.cluster.failures_per_hour = 20;
  simulated_.options.cluster.return_seconds = 60;
  Job job = this->job();
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(job.run_round());
  }
  EXPECT_GT(job.tally().restarted, 2);
  EXPECT_EQ(static_cast<double>(job.tally().rounds_rolled_back) * samples(), job.tally().samples_rolled_back);
  EXPECT_LE(job.tally().rounds_rolled_back, 200);
}

TEST_F(JobTest, WithoutAnybodyWhoReturnsItIsStalled) {
  known({{.seconds = 1, .worker = 0}, {.seconds = 2, .worker = 1}});
  Job job = this->job();
  EXPECT_FALSE(job.run_round());
  EXPECT_TRUE(job.stalled());
}

TEST_F(JobTest, AWorkerThatDiesTwiceOrReturnsAliveChangesNothing) {
  known({{.seconds = 1, .worker = 0, .returns = true},
         {.seconds = 2, .worker = 1},
         {.seconds = 3, .worker = 1},
         {.seconds = 4, .worker = 1, .returns = true},
         {.seconds = 5, .worker = 1}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  EXPECT_NEAR(job.clock(), local(11) + kGroupSeconds, 1e-9 * job.clock());
  EXPECT_EQ(job.tally().failures, 2);  // once while it waited to enter
  EXPECT_EQ(job.tally().joined, 0);
}

TEST_F(JobTest, TheSlowestIsWaitedForUnlessItDies) {
  simulated_.options.cluster.speeds = {1e11, 1e10};
  {
    Job job = this->job();
    ASSERT_TRUE(job.run_round());
    EXPECT_NEAR(job.clock(), 10 * local(11) + exchange(0), 1e-9 * job.clock());
  }
  const double death = 3 * local(11);
  known({{.seconds = death, .worker = 1}});
  Job job = this->job();
  ASSERT_TRUE(job.run_round());
  EXPECT_NEAR(job.clock(), death + kNoticeSeconds + kGroupSeconds, 1e-9 * job.clock());
}

// A block that stays with its only holder goes to a buddy as well.
TEST_F(JobTest, ProtectionTakesSomeBytes) {
  const auto bytes = [&](Protection protection) {
    simulated_.config.sync.protect = protection;
    Job job = this->job();
    for (int round = 0; round < 50; ++round) {
      EXPECT_TRUE(job.run_round());
    }
    return job.tally().bytes;
  };
  simulated_.workers(4);
  const double plain = bytes(Protection::none);
  const double buddy = bytes(Protection::buddy);
  EXPECT_GT(buddy, 1.02 * plain);
  EXPECT_LT(buddy, 1.10 * plain);
}

}  // namespace
}  // namespace resist
