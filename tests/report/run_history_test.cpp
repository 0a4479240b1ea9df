#include "resist/report/run_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>

#include "report/sample_run.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

const std::vector<DeckSize> kDecks = {{.section = 3, .blocks = 5}};
constexpr DealingRule kRule = {.min_blocks = 2};

class RunHistoryTest : public testing::Test {
 protected:
  fs::path path() const { return folder_.path() / "a"; }

  RunHistory history_of(const Config& config, const std::vector<RoundRecord>& records) const {
    fs::remove_all(path());
    write_run(path(), config, records);
    return read_run_history(path());
  }

  std::string refusal() const {
    return input_error([&] { read_run_history(path()); });
  }

 private:
  TemporaryFolder folder_;
};

// What the workers held in a round; fails the test where the spans do not cover it exactly once.
Assignment held_in(const RunHistory& history, std::int64_t round) {
  std::vector<Assignment> found;
  for (const HoldingSpan& span : history.holdings) {
    if (span.first_round <= round && round <= span.last_round) {
      found.push_back(span.assignment);
    }
  }
  EXPECT_EQ(found.size(), 1U) << "round " << round;
  return found.at(0);
}

TEST_F(RunHistoryTest, HasTheRunsOptionsRoundsAndBlocks) {
  const RunHistory history = history_of(sample_config(), sample_records(4));
  EXPECT_EQ(history.name, "a");
  EXPECT_EQ(history.path, path());
  EXPECT_EQ(history.config.value().train.seed, 7U);
  ASSERT_EQ(history.records.size(), 4U);
  EXPECT_EQ(history.records.back().round, 4);
  EXPECT_EQ(history.blocks, (std::vector<std::string>{"layer3.1", "layer3.2", "layer3.3", "layer3.4", "layer3.5"}));
}

TEST_F(RunHistoryTest, ResistDealsAnewInEachRound) {
  for (const int workers : {1, 2, 3, 8}) {
    const RunHistory history = history_of(sample_config(), sample_records(20, workers));
    for (std::int64_t round = 1; round <= 20; ++round) {
      EXPECT_EQ(held_in(history, round), deal(kDecks, workers, kRule, 7, round - 1));
    }
  }
}

TEST_F(RunHistoryTest, WhatWorkersAgreedToHoldCounts) {
  std::vector<RoundRecord> records = sample_records(4);
  const Hands uneven = {{4}, {2}};
  records[1].next_blocks = uneven;
  records[2].next_blocks = Hands{};
  const RunHistory history = history_of(sample_config(), records);
  EXPECT_EQ(held_in(history, 2), deal(kDecks, 2, kRule, 7, 1));
  EXPECT_EQ(held_in(history, 3), deal(kDecks, 2, kRule, 7, 2, uneven));
  EXPECT_EQ(held_in(history, 4), deal(kDecks, 2, kRule, 7, 3));
}

TEST_F(RunHistoryTest, EachSectionHasItsOwnDeck) {
  Config config = sample_config();
  config.model.depths = {1, 4, 6, 1};
  config.partition.partition_sections = {2, 3};
  const RunHistory history = history_of(config, sample_records(3));
  EXPECT_EQ(history.blocks.front(), "layer2.1");
  EXPECT_EQ(history.blocks.size(), 8U);
  EXPECT_EQ(held_in(history, 3), deal({{.section = 2, .blocks = 3}, {.section = 3, .blocks = 5}}, 2, kRule, 7, 2));
}

TEST_F(RunHistoryTest, WholeNetworksAreOneSpan) {
  for (const Method method : {Method::local_sgd, Method::data_parallel}) {
    Config config = sample_config();
    config.train.method = method;
    const RunHistory history = history_of(config, sample_records(50));
    ASSERT_EQ(history.holdings.size(), 1U);
    EXPECT_EQ(history.holdings[0].first_round, 1);
    EXPECT_EQ(history.holdings[0].last_round, 50);
    EXPECT_EQ(history.holdings[0].assignment, assign_all(kDecks, 2));
  }
}

TEST_F(RunHistoryTest, WarmUpLastsAsLongAsARoundBeginsWithinIt) {
  // Rounds begin at 0, 320, 640, 960, 1280, ... samples of 1000.
  const std::vector<std::pair<double, std::int64_t>> last_of_warm_up = {{0, 0},    {0.001, 1}, {0.32, 1}, {0.321, 2},
                                                                        {0.96, 3}, {0.961, 4}, {1.28, 4}, {100, 10}};
  for (const auto& [epochs, last] : last_of_warm_up) {
    Config config = sample_config();
    config.train.warmup_epochs = epochs;
    const RunHistory history = history_of(config, sample_records(10));
    for (std::int64_t round = 1; round <= 10; ++round) {
      const Assignment expected = round <= last ? assign_all(kDecks, 2) : deal(kDecks, 2, kRule, 7, round - 1);
      EXPECT_EQ(held_in(history, round), expected) << epochs << " epochs, round " << round;
    }
  }
}

TEST_F(RunHistoryTest, ADepthThatGrowsIsWhatItWasInEachRound) {
  Config config = sample_config();
  config.train.epochs = 3.2;  // ten rounds
  config.partition.final_min_blocks = 4;
  const RunHistory history = history_of(config, sample_records(10));
  for (std::int64_t round = 1; round <= 10; ++round) {
    const int least = round <= 4 ? 2 : round <= 7 ? 3 : 4;
    EXPECT_EQ(held_in(history, round), deal(kDecks, 2, {.min_blocks = least}, 7, round - 1)) << round;
  }
}

// The history knows it, whatever the training's length was then.
TEST_F(RunHistoryTest, WhatTheHistorySaysOfADepthThatGrowsCounts) {
  Config config = sample_config();
  config.partition.final_min_blocks = 4;
  fs::remove_all(path());
  write_run(path(), config, sample_records(3));
  const CommitRecord commit{.round = 2,
                            .contributions = {{.worker = 0, .blocks = {0, 1, 2, 4}}, {.worker = 3, .blocks = {3}}}};
  const CommitRecord of_fewer{.round = 1, .contributions = {{.worker = 0, .blocks = {0, 1, 2, 3, 4}}}};
  const CommitRecord nonsense{.round = 3, .contributions = {{.blocks = {0, 1, 2, 3, 4, 99}}, {.blocks = {-1}}}};
  std::ofstream file(path() / "history.jsonl");
  for (const CommitRecord& record : {of_fewer, commit, nonsense}) {
    file << to_json(HistoryRecord(record)).dump() << '\n';
  }
  file.close();
  const RunHistory history = read_run_history(path());
  EXPECT_EQ(held_in(history, 2), Assignment({{0, 1, 2, 4}, {3}}, 5));
  for (const std::int64_t round : {1, 3}) {
    EXPECT_EQ(held_in(history, round), deal(kDecks, 2, kRule, 7, round - 1)) << round;
  }
}

TEST_F(RunHistoryTest, ARunMayBeResumedWithOtherWorkers) {
  std::vector<RoundRecord> records = sample_records(3, 2);
  for (std::int64_t round = 4; round <= 6; ++round) {
    records.push_back(sample_record(round, 4));
  }
  const RunHistory history = history_of(sample_config(), records);
  EXPECT_EQ(held_in(history, 3), deal(kDecks, 2, kRule, 7, 2));
  EXPECT_EQ(held_in(history, 4), deal(kDecks, 4, kRule, 7, 3));
}

TEST_F(RunHistoryTest, LostRoundsAreNobodys) {
  std::vector<RoundRecord> records = sample_records(9);
  records.erase(records.begin() + 3, records.begin() + 6);  // 4 to 6
  Config config = sample_config();
  config.train.warmup_epochs = 100;
  const RunHistory history = history_of(config, records);
  ASSERT_EQ(history.holdings.size(), 2U);
  EXPECT_EQ(history.holdings[0].last_round, 3);
  EXPECT_EQ(history.holdings[1].first_round, 7);
  // Where the round before is not there, the samples before are counted back: round 7 began with 1920.
  config.train.warmup_epochs = 1.93;
  EXPECT_EQ(held_in(history_of(config, records), 7), assign_all(kDecks, 2));
  config.train.warmup_epochs = 1.91;
  EXPECT_EQ(held_in(history_of(config, records), 7), deal(kDecks, 2, kRule, 7, 6));
}

TEST_F(RunHistoryTest, ARunThatTrainsNowMayHaveNoRoundOrATornLine) {
  EXPECT_TRUE(history_of(sample_config(), {}).records.empty());
  fs::remove(path() / "metrics.jsonl");
  EXPECT_TRUE(read_run_history(path()).records.empty());
  history_of(sample_config(), sample_records(2));
  std::ofstream(path() / "metrics.jsonl", std::ios::app) << R"({"round": 3, "los)";
  EXPECT_EQ(read_run_history(path()).records.size(), 2U);
}

TEST_F(RunHistoryTest, WhatIsNoRunIsRefused) {
  EXPECT_TRUE(contains(refusal(), "there is no such folder"));
  fs::create_directory(path());
  EXPECT_TRUE(contains(refusal(), "it has no config.toml"));
  std::ofstream(path() / "config.toml") << "learning_rte = 3\n";
  EXPECT_TRUE(contains(refusal(), "not a run folder that can be used"));
  fs::remove_all(path());
  std::ofstream(path().string()) << "text\n";
  EXPECT_TRUE(contains(refusal(), "it is a file"));
}

TEST_F(RunHistoryTest, RoundsThatContradictThemselvesAreRefused) {
  const auto refuses = [&](const std::vector<RoundRecord>& records, const Config& config = sample_config()) {
    fs::remove_all(path());
    write_run(path(), config, records);
    return refusal();
  };
  EXPECT_TRUE(contains(refuses({sample_record(2), sample_record(1)}), "its round 1 follows round 2"));
  EXPECT_TRUE(contains(refuses({sample_record(2), sample_record(2)}), "its round 2 follows round 2"));
  EXPECT_TRUE(contains(refuses({sample_record(0)}), "its round 0 follows round 0"));
  EXPECT_TRUE(contains(refuses({sample_record(1, 0)}), "does not name every worker's values"));
  RoundRecord lame = sample_record(1);
  lame.worker_bytes_sent.pop_back();
  EXPECT_TRUE(contains(refuses({lame}), "round 1 does not name every worker's values"));
  Config impossible = sample_config();
  impossible.partition.min_blocks = 9;
  EXPECT_TRUE(contains(refuses({sample_record(1)}, impossible), "not a run folder that can be used"));
}

TEST_F(RunHistoryTest, NumbersThatMakeNoSenseDoNoHarm) {
  Config config = sample_config();
  config.train.warmup_epochs = 1;
  config.train.max_local_iterations = 100;
  config.partition.final_min_blocks = 5;
  for (const double epoch : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), 1e-300}) {
    RoundRecord record = sample_record(1);
    record.epoch = epoch;
    EXPECT_EQ(history_of(config, {record}).holdings.size(), 1U);
  }
}

TEST(RunNames, AreAsLongAsIsNeededToTellThemApart) {
  EXPECT_EQ(run_names({"runs/a", "runs/b/"}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(run_names({"x/a", "y/a", "b"}), (std::vector<std::string>{"x/a", "y/a", "b"}));
  const TemporaryFolder folder;
  EXPECT_EQ(run_names({folder.path() / "a" / "."}), std::vector<std::string>{"a"});
}

TEST(RunNames, ARunGivenTwiceIsRefused) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "a");
  fs::create_directory_symlink(folder.path() / "a", folder.path() / "link");
  EXPECT_TRUE(contains(input_error([] { run_names({"a", "b/../a/"}); }), "given twice"));
  EXPECT_TRUE(contains(input_error([&] { run_names({folder.path() / "a", folder.path() / "link"}); }), "given twice"));
}

}  // namespace
}  // namespace resist
