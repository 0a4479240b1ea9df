#include "resist/report/figures.h"

#include <gtest/gtest.h>

#include <limits>

#include "report/sample_run.h"

namespace resist {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

RunHistory run_of(std::vector<RoundRecord> records) {
  return {.name = "a", .config = sample_config(), .records = std::move(records)};
}

// The values of a figure; empty if there is no such figure.
std::vector<std::optional<double>> values(const std::vector<RunHistory>& runs, const std::string& label) {
  for (const Figure& figure : final_figures(runs)) {
    if (figure.label == label) {
      return figure.values;
    }
  }
  return {};
}

using Values = std::vector<std::optional<double>>;

TEST(Figures, AddUpARunsRounds) {
  const std::vector<RunHistory> runs = {
      run_of({sample_record(1), evaluated(sample_record(2), 0.9), evaluated(sample_record(3), 0.8)})};
  EXPECT_EQ(values(runs, "accuracy"), Values{0.8});
  EXPECT_EQ(values(runs, "best accuracy"), Values{0.9});
  EXPECT_EQ(values(runs, "training loss"), Values{2.0 / 3});
  EXPECT_EQ(values(runs, "rounds"), Values{3});
  EXPECT_EQ(values(runs, "samples"), Values{960});
  EXPECT_EQ(values(runs, "epochs"), Values{0.96});
  EXPECT_EQ(values(runs, "time"), Values{3 * (2 + 0.5) + 2 * 0.25});
  EXPECT_EQ(values(runs, "of it computing"), Values{3 * 1.5});
  EXPECT_EQ(values(runs, "of it synchronising"), Values{3 * 0.5});
  EXPECT_EQ(values(runs, "of it waiting for slower workers"), Values{3 * 0.5});
  EXPECT_EQ(values(runs, "of it evaluating"), Values{2 * 0.25});
  EXPECT_EQ(values(runs, "samples per second"), Values{960 / 7.5});
  EXPECT_EQ(values(runs, "bytes sent"), Values{900});
  EXPECT_EQ(values(runs, "bytes sent a round"), Values{300});
  EXPECT_EQ(values(runs, "bytes sent by the worker that sends most"), Values{600});
  EXPECT_EQ(values(runs, "memory of the largest worker"), Values{1003});
}

TEST(Figures, TheWayToAnAccuracyThatAllReached) {
  const RunHistory slow =
      run_of({evaluated(sample_record(1), 0.5), sample_record(2), evaluated(sample_record(3), 0.7)});
  const RunHistory fast = run_of({evaluated(sample_record(1), 0.8), evaluated(sample_record(2), 0.9)});
  const RunHistory never_evaluated = run_of({sample_record(1)});
  const std::vector<RunHistory> runs = {slow, fast, never_evaluated};
  EXPECT_EQ(values(runs, "to reach 70.00 %: time"), (Values{3 * 2.5 + 2 * 0.25, 2.75, std::nullopt}));
  EXPECT_EQ(values(runs, "to reach 70.00 %: samples"), (Values{960, 320, std::nullopt}));
  EXPECT_EQ(values(runs, "to reach 70.00 %: bytes sent"), (Values{900, 300, std::nullopt}));
  EXPECT_TRUE(values({slow, never_evaluated}, "to reach 70.00 %: time").empty()) << "one run alone is no comparison";
}

TEST(Figures, FurtherTestSetsHaveARowEach) {
  RoundRecord first = evaluated(sample_record(1), 0.5);
  first.further = {{.name = "v2", .accuracy = 0.25}};
  RoundRecord second = evaluated(sample_record(1), 0.5);
  second.further = {{.name = "sketch", .accuracy = 0.125}};
  EXPECT_EQ(values({run_of({first}), run_of({second})}, "accuracy on v2"), (Values{0.25, std::nullopt}));
  EXPECT_EQ(values({run_of({first}), run_of({second})}, "accuracy on sketch"), (Values{std::nullopt, 0.125}));
}

TEST(Figures, WhatNoRunHasIsLeftOut) {
  const std::vector<RunHistory> runs = {run_of({sample_record(1)}), run_of({})};
  EXPECT_TRUE(values(runs, "accuracy").empty());
  EXPECT_EQ(values(runs, "rounds"), (Values{1, std::nullopt}));
  EXPECT_TRUE(final_figures({run_of({})}).empty());
}

TEST(Figures, WhatIsNotFiniteOrNegativeCountsAsNothing) {
  RoundRecord bad = evaluated(sample_record(2), kNan);
  bad.loss = kNan;
  bad.seconds_compute = kNan;
  bad.seconds_sync = -5;
  bad.bytes_sent = std::numeric_limits<std::int64_t>::min();
  bad.worker_seconds_compute[0] = std::numeric_limits<double>::infinity();
  const std::vector<RunHistory> runs = {run_of({evaluated(sample_record(1), 0.5), bad})};
  EXPECT_TRUE(values(runs, "accuracy").empty());
  EXPECT_EQ(values(runs, "best accuracy"), Values{0.5});
  EXPECT_TRUE(values(runs, "training loss").empty());
  EXPECT_EQ(values(runs, "time"), Values{2.5 + 2 * 0.25});
  EXPECT_EQ(values(runs, "of it computing"), Values{1.5 + 1});
  EXPECT_EQ(values(runs, "bytes sent"), Values{300});
}

}  // namespace
}  // namespace resist
