#include "resist/report/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "report/sample_run.h"
#include "resist/core/file.h"
#include "resist/report/report_json.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

RunHistory run_of(std::vector<RoundRecord> records) {
  return {
      .name = "a", .path = "runs/a", .config = sample_config(), .records = std::move(records), .blocks = {"layer3.1"}};
}

json report_of(const RunHistory& run) {
  return json::parse(report_json({run}))["runs"][0];
}

TEST(ReportJson, HasARunsRoundsAsColumns) {
  const json run = report_of(run_of({sample_record(1), evaluated(sample_record(2), 0.5), sample_record(3)}));
  EXPECT_EQ(run["name"], "a");
  EXPECT_EQ(run["path"], "runs/a");
  EXPECT_EQ(run["method"], "resist");
  EXPECT_EQ(run["workers"], 2);
  EXPECT_EQ(run["epochs"], 2);
  EXPECT_EQ(run["columns"]["round"], json({1, 2, 3}));
  EXPECT_EQ(run["columns"]["samples"], json({320, 640, 960}));
  EXPECT_EQ(run["columns"]["seconds"], json({2.5, 5.25, 7.75}));
  EXPECT_EQ(run["columns"]["bytes"], json({300, 600, 900}));
  EXPECT_EQ(run["columns"]["compute"], json({1.5, 1.5, 1.5}));
  EXPECT_EQ(run["columns"]["wait"], json({0.5, 0.5, 0.5}));
  EXPECT_EQ(run["evaluations"]["at"], json({1}));
  EXPECT_EQ(run["evaluations"]["accuracy"], json({0.5}));
  ASSERT_EQ(run["per_worker"].size(), 2U);
  EXPECT_EQ(run["per_worker"][1]["bytes_sent"], 600);
  EXPECT_EQ(run["per_worker"][1]["most_bytes_sent"], 200);
  EXPECT_EQ(run["per_worker"][0]["seconds_wait"], 3);
}

TEST(ReportJson, NumbersAreShortAndWhatIsNotFiniteIsNull) {
  RoundRecord record = sample_record(3);
  RoundRecord bad = evaluated(sample_record(4), 0.5);
  bad.loss = std::numeric_limits<double>::quiet_NaN();
  bad.test_loss = std::numeric_limits<double>::infinity();
  const json run = report_of(run_of({record, bad}));
  EXPECT_EQ(run["columns"]["loss"], json::array({0.6666667, nullptr}));
  EXPECT_EQ(run["evaluations"]["test_loss"], json::array({nullptr}));
}

TEST(ReportJson, WhatEveryWorkerHeldIsBits) {
  RunHistory run = run_of(sample_records(3));
  run.blocks = {"layer3.1", "layer3.2", "layer3.3", "layer3.4", "layer3.5"};
  run.holdings.push_back(
      {.first_round = 1, .last_round = 2, .assignment = Assignment({{0, 1, 2, 3, 4}, {}, {0, 4}}, 5)});
  run.holdings.push_back({.first_round = 3, .last_round = 3, .assignment = Assignment({{0, 1}, {3}, {2, 4}}, 5)});
  const json holdings = report_of(run)["holdings"];
  EXPECT_EQ(holdings["blocks"].size(), 5U);
  EXPECT_EQ(holdings["first"], json({1, 3}));
  EXPECT_EQ(holdings["last"], json({2, 3}));
  EXPECT_EQ(holdings["held"], json({"f8 00 88", "c0 10 28"}));
}

TEST(ReportJson, ARunThatHasNotBegunIsThere) {
  const json run = report_of({.name = "waiting", .path = "runs/waiting"});
  EXPECT_EQ(run["name"], "waiting");
  EXPECT_FALSE(run.contains("method"));
  EXPECT_TRUE(run["columns"].empty());
}

TEST(ReportJson, StandsInsideAScriptWhateverARunIsCalled) {
  const std::string hostile = "</script><!--&\u2028\"\\'\x01";
  RunHistory run = run_of(sample_records(1));
  run.name = hostile;
  run.path = "runs/\xff";  // no UTF-8
  const std::string text = report_json({run});
  EXPECT_EQ(text.find_first_of("<>&\n"), std::string::npos);
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  EXPECT_EQ(json::parse(text)["runs"][0]["name"], hostile);
}

TEST(ReportPage, IsOneFileThatLoadsNothing) {
  const std::vector<RunHistory> runs = {run_of(sample_records(2))};
  const std::string json_text = report_json(runs);
  const std::string page = report_page(runs, json_text, PageKind::file, "0123");
  EXPECT_TRUE(contains(page, "<title>a - resist</title>"));
  EXPECT_TRUE(contains(page, "id=\"data\">" + json_text + "</script>"));
  EXPECT_TRUE(contains(page, "data-kind=\"file\""));
  EXPECT_TRUE(contains(page, "default-src 'none'; script-src 'nonce-0123'"));
  EXPECT_TRUE(contains(page, "connect-src 'none'"));
  EXPECT_TRUE(contains(page, "var uPlot="));
  EXPECT_TRUE(contains(page, "Permission is hereby granted")) << "the plotting library's licence";
  for (const char* const loads : {"<script src", "<link rel=\"stylesheet\"", "@import", "url(", "{{"}) {
    EXPECT_EQ(page.find(loads), std::string::npos) << loads;
  }
}

TEST(ReportPage, EscapesNames) {
  RunHistory run = run_of(sample_records(1));
  run.name = "</title><script>\"&{{data}}";
  const std::string page = report_page({run}, "{}", PageKind::file, "0");
  EXPECT_TRUE(contains(page, "<title>&lt;/title&gt;&lt;script&gt;&quot;&amp;{{data}} - resist</title>"));
}

TEST(ReportPage, ALiveOneMayAskItsServer) {
  EXPECT_TRUE(contains(content_security_policy(PageKind::live, "0"), "connect-src 'self'"));
  EXPECT_TRUE(contains(report_page({}, "{}", PageKind::live, "0"), "data-kind=\"live\""));
}

class WriteReport : public testing::Test {
 protected:
  fs::path in(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

TEST_F(WriteReport, WritesThePageAndReplacesAnOlderOne) {
  write_run(in("a"), sample_config(), sample_records(2));
  write_run(in("b"), sample_config(), sample_records(3));
  write_report({in("a")}, in("report.html"));
  const std::string first = read_file(in("report.html"));
  write_report({in("a"), in("b")}, in("report.html"));
  const std::string second = read_file(in("report.html"));
  EXPECT_TRUE(contains(first, "<title>a - resist</title>"));
  EXPECT_TRUE(contains(second, "<title>a, b - resist</title>"));
  write_report({in("a"), in("b")}, in("again.html"));
  EXPECT_EQ(read_file(in("again.html")), second) << "the same runs give the same bytes";
}

TEST_F(WriteReport, WritesThroughALinkAndIntoTheRunsFolder) {
  write_run(in("a"), sample_config(), sample_records(2));
  write_report({in("a")}, in("a") / "report.html");
  std::ofstream(in("real.html")) << "an older one";
  fs::create_symlink(in("real.html"), in("link.html"));
  write_report({in("a")}, in("link.html"));
  EXPECT_TRUE(fs::is_symlink(in("link.html")));
  EXPECT_EQ(read_file(in("real.html")), read_file(in("a") / "report.html"));
}

TEST_F(WriteReport, RunsOfOneNameKeepApart) {
  write_run(in("x") / "a", sample_config(), sample_records(2));
  write_run(in("y") / "a", sample_config(), sample_records(2));
  write_report({in("x") / "a", in("y") / "a"}, in("report.html"));
  EXPECT_TRUE(contains(read_file(in("report.html")), "<title>x/a, y/a - resist</title>"));
}

TEST_F(WriteReport, RefusesWhatCanNotBeReported) {
  const auto refusal = [&](const std::vector<fs::path>& runs, const fs::path& output) {
    std::string message = input_error([&] { write_report(runs, output); });
    EXPECT_FALSE(fs::exists(in("report.html")));
    return message;
  };
  write_run(in("a"), sample_config(), sample_records(2));
  write_run(in("empty"), sample_config(), {});
  write_run(in("empty too"), sample_config(), {});
  EXPECT_TRUE(contains(refusal({in("a"), in("none")}, in("report.html")), "there is no such folder"));
  EXPECT_TRUE(contains(refusal({in("empty")}, in("report.html")), "has no round yet, so there is nothing to report"));
  EXPECT_TRUE(contains(refusal({in("empty"), in("empty too")}, in("report.html")), "nor have the others"));
  EXPECT_TRUE(contains(refusal({in("a"), in("a")}, in("report.html")), "given twice"));
  for (const fs::path& output : {in("empty"), fs::path("-"), fs::path("/dev/null")}) {
    EXPECT_TRUE(contains(refusal({in("a")}, output), "which is not a file")) << output;
  }
  const std::string metrics = read_file(in("a") / "metrics.jsonl");
  fs::create_symlink(in("a") / "metrics.jsonl", in("link"));
  for (const fs::path& output : {in("a") / "metrics.jsonl", in("a") / "checkpoints" / "x", in("link")}) {
    EXPECT_TRUE(contains(refusal({in("a")}, output), "belongs to the run")) << output;
  }
  EXPECT_EQ(read_file(in("a") / "metrics.jsonl"), metrics);
  write_report({in("a"), in("empty")}, in("report.html"));
  EXPECT_TRUE(contains(read_file(in("report.html")), "empty: no round yet."));
}

}  // namespace
}  // namespace resist
