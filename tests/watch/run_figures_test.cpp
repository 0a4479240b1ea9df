#include "resist/watch/run_figures.h"

#include <gtest/gtest.h>

#include <limits>

#include "watch/watched_rounds.h"

namespace resist {
namespace {

constexpr double kNear = 1e-9;

RunAim aim_of_epochs(double epochs) {
  RunAim aim;
  aim.epochs = epochs;
  return aim;
}

RunAim aim_of_rounds(std::int64_t rounds) {
  RunAim aim = aim_of_epochs(2);
  aim.rounds = rounds;
  return aim;
}

TEST(RunFigures, AreEmptyWithoutRounds) {
  const RunFigures figures = figures_of(aim_of_epochs(2), {});
  EXPECT_EQ(figures.round, 0);
  EXPECT_FALSE(figures.finished);
  EXPECT_EQ(figures.slowest, -1);
  EXPECT_EQ(delay_in_words(figures), "not known yet");
}

TEST(RunFigures, SayHowFarARunIs) {
  const auto records = rounds_of(50, {1, 1}, 0.25);
  RunFigures figures = figures_of(aim_of_epochs(2), records);
  EXPECT_EQ(figures.total_rounds, 200);
  EXPECT_NEAR(figures.done, 0.25, kNear);
  EXPECT_NEAR(figures.seconds, 50 * 1.25, kNear);
  EXPECT_NEAR(figures.seconds_left.value(), 150 * 1.25, kNear);
  EXPECT_NEAR(figures.samples_per_second, 600 / 1.25, kNear);
  EXPECT_EQ(figures.bytes_sent, 50 * 2 * std::int64_t{23'000'000});
  EXPECT_FALSE(figures.finished);
  figures = figures_of(aim_of_rounds(100), records);
  EXPECT_EQ(figures.total_rounds, 100);
  EXPECT_NEAR(figures.done, 0.5, kNear);
}

TEST(RunFigures, ExpectRoundsAsLongAsTheLatest) {
  auto records = rounds_of(30, {1, 1}, 0.25);
  for (std::size_t i = 10; i < records.size(); ++i) {  // twice as many samples
    records[i].samples += 600 * static_cast<std::int64_t>(i - 9);
    records[i].epoch = static_cast<double>(records[i].samples) / 60'000;
  }
  EXPECT_EQ(figures_of(aim_of_epochs(1), records).total_rounds, 30 + 25);  // 30 000 samples are left
  records.back().samples = 0;                                              // nonsense does no harm
  EXPECT_GE(figures_of(aim_of_epochs(1), records).total_rounds, 30);
}

TEST(RunFigures, KnowTheEnd) {
  const auto records = rounds_of(50, {1, 1}, 0.25);
  EXPECT_TRUE(figures_of(aim_of_rounds(50), records).finished);
  EXPECT_FALSE(figures_of(aim_of_rounds(51), records).finished);
  EXPECT_TRUE(figures_of(aim_of_epochs(0.5), records).finished);
  EXPECT_TRUE(figures_of(aim_of_epochs(0.495), records).finished);  // the last round went past it
  EXPECT_FALSE(figures_of(aim_of_epochs(0.51), records).finished);
  EXPECT_EQ(figures_of(aim_of_epochs(0.495), records).total_rounds, 50);
  EXPECT_EQ(figures_of(aim_of_rounds(40), records).done, 1);
}

TEST(RunFigures, KnowTheLatestAndTheBestAccuracy) {
  auto records = rounds_of(12, {1, 1}, 0.25);
  records[4].accuracy = 0.9;
  records[9].accuracy = 0.8;
  records[11].accuracy = std::numeric_limits<double>::quiet_NaN();
  const RunFigures figures = figures_of(aim_of_epochs(2), records);
  EXPECT_EQ(figures.accuracy, 0.8);
  EXPECT_EQ(figures.best_accuracy, 0.9);
  EXPECT_EQ(figures.best_round, 5);
}

TEST(RunFigures, TimesAreOfTheLatestRoundsAndEvaluationsOfAll) {
  auto records = rounds_of(20, {1, 1}, 0.25);
  records[0].seconds_compute = 1000;
  records[2].seconds_evaluation = 20;
  const RunFigures figures = figures_of(aim_of_rounds(21), records);
  EXPECT_NEAR(figures.seconds_per_round, 1.25 + 1, kNear);
  EXPECT_NEAR(figures.seconds_left.value(), 2.25, kNear);
}

TEST(RunFigures, AWorkerThatComputesLongerIsNamed) {
  const RunFigures figures = figures_of(aim_of_epochs(2), rounds_of(20, {1.0, 1.0, 1.5, 1.0}, 0.25));
  EXPECT_EQ(figures.slowest, 2);
  EXPECT_EQ(figures.delay, Delay::compute);
  EXPECT_EQ(delay_in_words(figures), "worker 2 (compute): 50 % above the median; others wait 29 % of a round");
  EXPECT_NEAR(figures.workers[0].seconds_wait, 0.5, kNear);
  EXPECT_NEAR(figures.workers[2].seconds_wait, 0, kNear);
}

TEST(RunFigures, WaitingForAnotherOneEachRoundIsWait) {
  std::vector<RoundRecord> records;
  for (int round = 1; round <= 12; ++round) {
    std::vector<double> compute(4, 1.0);
    compute[static_cast<std::size_t>(round % 4)] = 1.5;
    records.push_back(round_of(round, compute, 0.1));
  }
  const RunFigures figures = figures_of(aim_of_epochs(2), records);
  EXPECT_EQ(figures.delay, Delay::wait);
  EXPECT_TRUE(delay_in_words(figures).starts_with("another one each round (wait): 31 %")) << delay_in_words(figures);
}

TEST(RunFigures, LongSynchronisationsAreSyncAndNameTheWorkerWhoseTakesLongest) {
  auto records = rounds_of(20, {1.0, 1.02}, 2);
  for (RoundRecord& record : records) {
    record.worker_seconds_sync = {1.9, 2};
  }
  const RunFigures figures = figures_of(aim_of_epochs(2), records);
  EXPECT_EQ(figures.delay, Delay::sync);
  EXPECT_EQ(figures.slowest, 1);
  EXPECT_TRUE(delay_in_words(figures).starts_with("worker 1 (sync): 66 % of a round")) << delay_in_words(figures);
  EXPECT_NEAR(figures.workers[1].bits_per_second, 8 * 23e6 / 2, 1);
}

TEST(RunFigures, EvenWorkersAreNoDelay) {
  const RunFigures figures = figures_of(aim_of_epochs(2), rounds_of(20, {1.0, 1.02}, 0.05));
  EXPECT_EQ(figures.delay, Delay::none);
  EXPECT_EQ(delay_in_words(figures), "worker 1, by 2 % only; computing is 95 % of a round");
  EXPECT_EQ(delay_in_words(figures_of(aim_of_epochs(2), rounds_of(3, {1}, 0))), "there is one worker only");
}

TEST(RunFigures, TrafficThatRunsBesideTheComputingIsSpreadOverBoth) {
  RunAim aim = aim_of_epochs(2);
  aim.overlap = true;
  EXPECT_NEAR(figures_of(aim, rounds_of(3, {1.0, 1.0}, 0.25)).workers[0].bits_per_second, 8 * 23e6 / 1.25, 1);
  EXPECT_EQ(figures_of(aim_of_epochs(2), rounds_of(3, {1.0, 1.0}, 0)).workers[0].bits_per_second, 0);
}

TEST(RunFigures, OnlyRoundsOfTheSameWorkersAreCompared) {
  auto records = rounds_of(20, {9.0, 1.0}, 0.25);  // then the run was resumed with three
  for (int round = 21; round <= 23; ++round) {
    records.push_back(round_of(round, {1, 1, 1}, 0.25));
  }
  const RunFigures figures = figures_of(aim_of_epochs(2), records);
  ASSERT_EQ(figures.workers.size(), 3U);
  EXPECT_NEAR(figures.workers[0].seconds_compute, 1, kNear);
}

TEST(RunFigures, RecordsThatLackWorkersOrNumbersAreBorne) {
  RoundRecord record = round_of(1, {1.0, 2.0}, 0.25);
  record.worker_seconds_sync.clear();
  record.worker_bytes_sent.resize(1);
  record.worker_peak_memory_bytes.clear();
  record.worker_seconds_compute[0] = std::numeric_limits<double>::quiet_NaN();
  record.loss = std::numeric_limits<double>::quiet_NaN();
  const RunFigures figures = figures_of(aim_of_epochs(2), std::vector{record, record});
  EXPECT_EQ(figures.workers.size(), 2U);
  EXPECT_EQ(figures.workers[1].bytes_sent, 0);
  EXPECT_EQ(figures.workers[1].peak_memory_bytes, 264'000'000);
  RoundRecord none = record;
  none.worker_seconds_compute.clear();
  EXPECT_TRUE(figures_of(aim_of_epochs(2), std::vector{none}).workers.empty());
}

}  // namespace
}  // namespace resist
