#include "resist/telemetry/metrics_tail.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "resist/telemetry/run_folder.h"
#include "resist/telemetry/run_lock.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

RoundRecord record_of(std::int64_t round) {
  RoundRecord record;
  record.round = round;
  record.loss = 1.0 / static_cast<double>(round);
  return record;
}

std::vector<std::int64_t> rounds_of(const MetricsTail& tail) {
  std::vector<std::int64_t> rounds;
  for (const RoundRecord& record : tail.records()) {
    rounds.push_back(record.round);
  }
  return rounds;
}

using Rounds = std::vector<std::int64_t>;

class MetricsTailTest : public ::testing::Test {
 protected:
  std::filesystem::path run() const { return folder_.path() / "run"; }
  std::filesystem::path file() const { return run() / "metrics.jsonl"; }
  void write(const std::string& text) const { std::ofstream(file(), std::ios::app) << text; }
  static std::string line(std::int64_t round) { return to_json(record_of(round)).dump() + '\n'; }

 private:
  TemporaryFolder folder_;
};

TEST_F(MetricsTailTest, ReadsWhatIsAppended) {
  RunFolder folder = RunFolder::create(run(), "");
  MetricsTail tail(run());
  EXPECT_TRUE(tail.look());  // there is a file
  EXPECT_TRUE(tail.records().empty());
  EXPECT_FALSE(tail.look());
  folder.append(record_of(1));
  folder.append(record_of(2));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2}));
  EXPECT_FALSE(tail.look());
  folder.append(record_of(3));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2, 3}));
  EXPECT_EQ(tail.records()[1].loss, 0.5);
  EXPECT_EQ(tail.problem(), "");
  EXPECT_TRUE(tail.written().has_value());
}

TEST_F(MetricsTailTest, FollowsAResumedRunWhoseFileWasCut) {
  MetricsTail tail(run());
  {
    RunFolder folder = RunFolder::create(run(), "");
    for (std::int64_t round = 1; round <= 5; ++round) {
      folder.append(record_of(round));
    }
  }
  tail.look();
  EXPECT_EQ(tail.records().size(), 5U);
  RunFolder folder = RunFolder::open(run());
  folder.go_on_after(3, "");
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2, 3}));
  folder.append(record_of(4));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2, 3, 4}));
}

TEST_F(MetricsTailTest, SeesACutBetweenTwoLooksAlsoWhereTheFileGrewBack) {
  MetricsTail tail(run());
  RunFolder folder = RunFolder::create(run(), "");
  folder.append(record_of(1));
  folder.append(record_of(2));
  tail.look();
  folder.go_on_after(1, "");
  RoundRecord other = record_of(2);
  other.loss = 7;
  folder.append(other);
  folder.append(record_of(3));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2, 3}));
  EXPECT_EQ(tail.records()[1].loss, 7);
}

TEST_F(MetricsTailTest, WaitsForTheRestOfATornLine) {
  RunFolder::create(run(), "");
  MetricsTail tail(run());
  const std::string second = line(2);
  write(line(1) + second.substr(0, 20));
  tail.look();
  EXPECT_EQ(rounds_of(tail), (Rounds{1}));
  EXPECT_EQ(tail.problem(), "");
  EXPECT_FALSE(tail.look());
  write(second.substr(20));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2}));
}

TEST_F(MetricsTailTest, AHalfLineThatIsTakenBackIsForgotten) {
  RunFolder::create(run(), "");
  MetricsTail tail(run());
  write(line(1) + "{\"round\": 99");
  tail.look();
  std::filesystem::resize_file(file(), line(1).size());  // as after a full disk
  tail.look();
  write(line(2));
  tail.look();
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2}));
  EXPECT_EQ(tail.problem(), "");
}

TEST_F(MetricsTailTest, LeavesOutALineThatCannotBeReadAndNamesIt) {
  RunFolder::create(run(), "");
  MetricsTail tail(run());
  write(line(1) + "nonsense\n" + line(3));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 3}));
  EXPECT_NE(tail.problem().find("line 2 is not JSON"), std::string::npos) << tail.problem();
  write("{\"round\": 4}\n");
  EXPECT_TRUE(tail.look());
  EXPECT_NE(tail.problem().find("line 4"), std::string::npos) << tail.problem();
}

TEST_F(MetricsTailTest, LinesMayBeLongerThanWhatIsReadAtOnce) {
  RunFolder::create(run(), "");
  MetricsTail tail(run());
  RoundRecord record = record_of(1);
  record.worker_loss.assign(40'000, 0.125);
  write(to_json(record).dump() + '\n' + line(2));
  tail.look();
  EXPECT_EQ(rounds_of(tail), (Rounds{1, 2}));
  EXPECT_EQ(tail.records()[0].worker_loss.size(), 40'000U);
}

TEST_F(MetricsTailTest, SaysThatThereIsNoFileUntilThereIsOne) {
  MetricsTail tail(run());
  EXPECT_TRUE(tail.look());
  EXPECT_NE(tail.problem().find("metrics.jsonl"), std::string::npos);
  EXPECT_FALSE(tail.look());
  RunFolder folder = RunFolder::create(run(), "");
  folder.append(record_of(1));
  EXPECT_TRUE(tail.look());
  EXPECT_EQ(rounds_of(tail), (Rounds{1}));
  EXPECT_EQ(tail.problem(), "");
  std::filesystem::remove_all(run());
  EXPECT_TRUE(tail.look());
  EXPECT_TRUE(tail.records().empty());
  EXPECT_NE(tail.problem(), "");
}

TEST_F(MetricsTailTest, TheRunsLockTellsWhetherItsProcessLives) {
  EXPECT_EQ(probe_run_lock(run()), RunLock::unknown);
  {
    const RunFolder folder = RunFolder::create(run(), "");
    EXPECT_EQ(probe_run_lock(run()), RunLock::held);
    EXPECT_EQ(probe_run_lock(run()), RunLock::held);
  }
  EXPECT_EQ(probe_run_lock(run()), RunLock::free);
  const RunFolder folder = RunFolder::open(run());  // looking took nothing away
  EXPECT_EQ(probe_run_lock(run()), RunLock::held);
}

}  // namespace
}  // namespace resist
