#include "resist/report/comparison.h"

#include <gtest/gtest.h>

#include <functional>

#include "report/sample_run.h"
#include "support/input_error.h"

namespace resist {
namespace {

RunHistory run_of(
    const std::string& name, const std::function<void(Config&)>& change = [](Config&) {}) {
  Config config = sample_config();
  config.run.run_dir = name;
  change(config);
  return {.name = name, .config = config, .records = sample_records(2)};
}

TEST(Comparison, NamesTheOptionsThatDiffer) {
  const auto options = differing_options({run_of("a"), run_of("b", [](Config& config) {
                                            config.train.method = Method::local_sgd;
                                            config.train.lr = 0.5;
                                          })});
  ASSERT_EQ(options.size(), 2U) << "where a run lies is no difference";
  EXPECT_EQ(options[0].name, "method");
  EXPECT_EQ(options[0].values, (std::vector<std::string>{"resist", "local-sgd"}));
  EXPECT_EQ(options[1].name, "lr");
  EXPECT_EQ(options[1].values, (std::vector<std::string>{"0.03", "0.5"}));
}

TEST(Comparison, ARunWithoutOptionsDiffersInNone) {
  const auto options =
      differing_options({{.name = "waiting"}, run_of("a"), run_of("b", [](Config& config) { config.train.seed = 8; })});
  ASSERT_EQ(options.size(), 1U);
  EXPECT_EQ(options[0].values, (std::vector<std::string>{"", "7", "8"}));
  EXPECT_TRUE(differing_options({{.name = "waiting"}, run_of("a")}).empty());
}

TEST(Comparison, AnotherMethodIsNoReasonForANote) {
  EXPECT_TRUE(report_notes({run_of("a"), run_of("b", [](Config& c) { c.train.method = Method::local_sgd; })}).empty());
}

TEST(Comparison, WarnsOfWhatCanNotBeCompared) {
  const auto note = [](const std::function<void(Config&)>& change) {
    const auto notes = report_notes({run_of("a"), run_of("b", change), run_of("c", change)});
    EXPECT_EQ(notes.size(), 1U);
    return notes.empty() ? "" : notes[0];
  };
  const std::string data = note([](Config& config) { config.data.data = "cifar10"; });
  EXPECT_TRUE(contains(data, "--data (synthetic:1000,1,16,16,4, cifar10)"));
  EXPECT_TRUE(contains(data, "accuracies were not measured on the same test"));
  EXPECT_TRUE(
      contains(note([](Config& config) { config.evaluation.eval_batch_size = 9; }), "--eval-batch-size (250, 9)"));
  EXPECT_TRUE(contains(note([](Config& config) { config.model.width = 9; }), "they train different networks"));
  EXPECT_TRUE(contains(note([](Config& config) { config.cluster.threads = 3; }), "their times can't be compared"));
}

TEST(Comparison, WarnsOfRunsThatAreNotWhole) {
  RunHistory waiting = run_of("waiting", [](Config& config) { config.data.data = "cifar10"; });
  waiting.records.clear();
  EXPECT_EQ(report_notes({run_of("a"), waiting}), std::vector<std::string>{"waiting: no round yet."});

  RunHistory lost = run_of("lost");
  lost.records.erase(lost.records.begin());
  EXPECT_EQ(report_notes({lost}),
            std::vector<std::string>{"lost: metrics.jsonl lacks rounds 1 to 1, so its times and "
                                     "bytes are too small and its samples per second too large."});

  RunHistory resumed = run_of("resumed");
  resumed.records.push_back(sample_record(3, 4));
  EXPECT_EQ(report_notes({resumed}),
            std::vector<std::string>{"resumed: was resumed with 4 workers instead of 2 in round 3."});

  RunHistory broken = run_of("broken");
  broken.problem = "its disk is on fire";
  EXPECT_EQ(report_notes({broken}), std::vector<std::string>{"broken: its disk is on fire"});
}

}  // namespace
}  // namespace resist
