#include "resist/report/watched_runs.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "report/sample_run.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr double kAlways = 1;  // read again as often as asked to

class WatchedRunsTest : public testing::Test {
 protected:
  fs::path in(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

void append(const fs::path& run_dir, const RoundRecord& record) {
  std::ofstream(run_dir / "metrics.jsonl", std::ios::app) << to_json(record).dump() << '\n';
}

TEST_F(WatchedRunsTest, SeesNewRounds) {
  write_run(in("a"), sample_config(), sample_records(1));
  WatchedRuns runs({in("a")}, kAlways);
  const std::string json = runs.json();
  const std::string tag = runs.tag();
  runs.look();
  EXPECT_EQ(runs.tag(), tag) << "nothing has changed";
  append(in("a"), sample_record(2));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 2U);
  EXPECT_NE(runs.json(), json);
  EXPECT_NE(runs.tag(), tag);
}

TEST_F(WatchedRunsTest, SeesARunThatIsResumed) {
  write_run(in("a"), sample_config(), sample_records(4));
  WatchedRuns runs({in("a")}, kAlways);
  RunFolder::open(in("a")).go_on_after(2, to_toml(sample_config()));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 2U);
}

TEST_F(WatchedRunsTest, WaitsForARunToBegin) {
  fs::create_directory(in("a"));
  WatchedRuns runs({in("a")}, kAlways);
  EXPECT_FALSE(runs.runs()[0].config);
  EXPECT_EQ(runs.runs()[0].name, "a");
  EXPECT_TRUE(contains(runs.json(), "a: no round yet."));
  std::ofstream(in("a") / "metrics.jsonl").flush();  // a run claims its folder before it writes anything else
  runs.look();
  EXPECT_TRUE(runs.runs()[0].problem.empty());
  fs::remove_all(in("a"));
  write_run(in("a"), sample_config(), {});
  runs.look();
  EXPECT_TRUE(runs.runs()[0].config);
  EXPECT_TRUE(contains(runs.json(), "a: no round yet."));
  append(in("a"), sample_record(1));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 1U);
}

TEST_F(WatchedRunsTest, KeepsWhatItKnowsOfARunThatCanNotBeRead) {
  write_run(in("a"), sample_config(), sample_records(2));
  WatchedRuns runs({in("a")}, kAlways);
  std::ofstream(in("a") / "metrics.jsonl", std::ios::app) << "nonsense\n";
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 2U);
  EXPECT_TRUE(contains(runs.runs()[0].problem, "line 3 is not JSON"));
  EXPECT_TRUE(contains(runs.json(), "line 3 is not JSON"));
  fs::remove_all(in("a"));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 2U);
  EXPECT_TRUE(contains(runs.runs()[0].problem, "there is no such folder"));
  write_run(in("a"), sample_config(), sample_records(3));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 3U);
  EXPECT_TRUE(runs.runs()[0].problem.empty());
}

TEST_F(WatchedRunsTest, RefusesWhatCanBeNoRun) {
  const auto refusal = [&] { return input_error([&] { WatchedRuns({in("a")}); }); };
  EXPECT_TRUE(contains(refusal(), "there is no such folder"));
  fs::create_directory(in("a"));
  std::ofstream(in("a") / "notes.txt") << "mine\n";
  EXPECT_TRUE(contains(refusal(), "it has no config.toml"));
  fs::remove_all(in("a"));
  write_run(in("a"), sample_config(), {});
  append(in("a"), sample_record(1, 0));
  EXPECT_TRUE(contains(refusal(), "does not name every worker's values"));
}

TEST_F(WatchedRunsTest, ReadsNoOftenerThanItsShareOfTimeAllows) {
  write_run(in("a"), sample_config(), sample_records(1));
  WatchedRuns runs({in("a")}, 1e-12);
  append(in("a"), sample_record(2));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 2U);
  append(in("a"), sample_record(3));
  runs.look();
  EXPECT_EQ(runs.runs()[0].records.size(), 2U) << "reading took longer than a trillionth of the time since";
}

}  // namespace
}  // namespace resist
