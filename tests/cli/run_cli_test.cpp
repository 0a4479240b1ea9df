#include "resist/cli/run_cli.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "resist/config/resolve.h"
#include "resist/config/toml_file.h"
#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/telemetry/run_folder.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

struct Answer {
  int code;
  std::string out;
  std::string err;
};

Answer ask(const std::vector<std::string>& args) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_cli(args, out, err);
  return {code, out.str(), err.str()};
}

TEST(RunCli, HelpAndVersionGoToTheOutput) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--help"}, {"train", "--help"}, {"--version"}}) {
    const Answer answer = ask(args);
    EXPECT_EQ(answer.code, kExitDone);
    EXPECT_NE(answer.out.find("resist"), std::string::npos);
    EXPECT_EQ(answer.err, "");
  }
}

TEST(RunCli, WrongInputIsOneLineAndExitCode2) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{},
                                               {"trian"},
                                               {"train", "--lr", "-1"},
                                               {"plan", "--workers", "0"},
                                               {"train", "--data", "fasion-mnist"},
                                               {"evaluate", "/nowhere/run"},
                                               {"train", "--data", "synthetic:64,1,8,8,2", "--crop-padding", "9"}}) {
    const Answer answer = ask(args);
    EXPECT_EQ(answer.code, kExitUsage);
    EXPECT_EQ(answer.out, "");
    EXPECT_TRUE(answer.err.starts_with("resist: ")) << answer.err;
    EXPECT_EQ(answer.err.find('\n'), answer.err.size() - 1) << answer.err;
  }
  EXPECT_NE(ask({"train", "--data", "fasion-mnist"}).err.find("did you mean 'fashion-mnist'"), std::string::npos);
}

TEST(RunCli, PlanPrintsATableOrJson) {
  const std::vector<std::string> plan = {"plan", "--model", "preact-resnet101", "--classes", "100", "--workers", "4"};
  const Answer table = ask(plan);
  EXPECT_EQ(table.code, kExitDone);
  EXPECT_NE(table.out.find("0.720"), std::string::npos) << table.out;

  std::vector<std::string> with_json = plan;
  with_json.insert(with_json.end(), {"--format", "json", "--warmup-epochs", "1", "--bandwidth", "100mbit"});
  const auto json = nlohmann::json::parse(ask(with_json).out);
  for (const auto& row : json.at("plans")) {
    const bool resist = row.at("method") == "resist";
    EXPECT_EQ(row.contains("memory_per_worker_in_warmup"), resist);
    EXPECT_GT(row.at("synchronisation_floor_seconds"), 0);
    if (resist) {
      EXPECT_EQ(row["memory_per_worker_in_warmup"]["arena_bytes"], 41'396'900 * 4);
    }
  }
}

TEST(RunCli, TrainsAndEvaluatesInThisProcess) {
  const TemporaryFolder folder;
  const std::string run = folder.path() / "run";
  const Answer trained =
      ask({"train", "--data", "synthetic:64,1,8,8,2", "--depths", "1,1,5,1", "--width", "4", "--batch-size", "8",
           "--rounds", "2", "--local-iterations", "2", "--threads", "1", "--run-dir", run});
  EXPECT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_NE(trained.out.find("next: resist evaluate " + run), std::string::npos) << trained.out;
  const Answer evaluated = ask({"evaluate", run, "--format", "json"});
  EXPECT_EQ(evaluated.code, kExitDone) << evaluated.err;
  const auto json = nlohmann::json::parse(evaluated.out);
  EXPECT_EQ(json.at("round"), 2);
  EXPECT_EQ(json.at("eval_permutation_seed"), 0);
}

TEST(RunCli, EvaluatesOnHeldOutSamplesWithoutATestSet) {
  const TemporaryFolder folder;
  const std::string run = folder.path() / "run";
  const std::string held = folder.path() / "held";
  std::vector<std::string> train = {"train",
                                    "--data=synthetic:96,1,8,8,2",
                                    "--depths=1,1,5,1",
                                    "--width=4",
                                    "--rounds=2",
                                    "--batch-size=8",
                                    "--threads=1",
                                    "--run-dir=" + run};
  ASSERT_EQ(ask(train).code, kExitDone);
  const Answer refused = ask({"evaluate", run, "--on", "held-out"});
  EXPECT_EQ(refused.code, kExitUsage);
  EXPECT_NE(refused.err.find("--holdout"), std::string::npos) << refused.err;

  train.back() = "--run-dir=" + held;
  train.emplace_back("--holdout=24");
  ASSERT_EQ(ask(train).code, kExitDone);
  // A further test set that is not there is not asked for.
  Config config = load_run_config(held);
  config.evaluation.eval = {"gone=/nowhere"};
  write_file_atomically(std::filesystem::path(held) / "config.toml", to_toml(config));
  EXPECT_EQ(ask({"evaluate", held}).code, kExitUsage);
  const Answer evaluated = ask({"evaluate", held, "--on", "held-out", "--format", "json"});
  ASSERT_EQ(evaluated.code, kExitDone) << evaluated.err;
  const auto rows = nlohmann::json::parse(evaluated.out).at("sets");
  const RoundRecord last = read_metrics(held).back();
  ASSERT_EQ(rows.size(), 2) << rows;  // with batch and with running statistics
  for (const auto& row : rows) {
    EXPECT_EQ(row.at("set"), "held-out");
    EXPECT_EQ(row.at("samples"), 24);
  }
  const Answer of_others = ask({"evaluate", held, "--on", "held-out", "--data", "synthetic:192,1,8,8,2"});
  EXPECT_EQ(of_others.code, kExitUsage) << "other samples would be held out of other data";
  EXPECT_EQ(rows[0].at("norms"), "batch");
  EXPECT_EQ(rows[0].at("accuracy"), last.accuracy.value());
  EXPECT_EQ(rows[0].at("test_loss"), last.test_loss.value());
}

}  // namespace
}  // namespace resist
