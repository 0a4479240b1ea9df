#include "resist/telemetry/run_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

RoundRecord record_of(std::int64_t round) {
  RoundRecord record;
  record.round = round;
  record.loss = 1.0 / static_cast<double>(round);
  return record;
}

void append_rounds(RunFolder& run, std::int64_t first, std::int64_t last) {
  for (std::int64_t round = first; round <= last; ++round) {
    run.append(record_of(round));
  }
}

std::vector<std::int64_t> rounds_in(const fs::path& run_dir) {
  std::vector<std::int64_t> rounds;
  for (const RoundRecord& record : read_metrics(run_dir)) {
    rounds.push_back(record.round);
  }
  return rounds;
}

std::string message_of_input_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(RunFolder, HoldsConfigAndMetrics) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "runs" / "a";
  RunFolder run = RunFolder::create(path, "lr = 0.03\n");
  EXPECT_EQ(run.path(), path);
  EXPECT_EQ(read_file(path / "config.toml"), "lr = 0.03\n");
  EXPECT_TRUE(read_metrics(path).empty());
  run.append(record_of(1));
  EXPECT_EQ(rounds_in(path), std::vector<std::int64_t>{1}) << "a line must be there at once";
  RunFolder moved = std::move(run);
  moved.append(record_of(2));
  EXPECT_EQ(read_metrics(path).back().loss, 0.5);
}

TEST(RunFolder, HistoryEndsWithTheMetrics) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "run";
  {
    RunFolder run = RunFolder::create(path, "");
    run.append(StartRecord{.round = 0, .workers = 2});
    for (std::int64_t round = 1; round <= 5; ++round) {
      run.append(CommitRecord{.round = round, .generation = 0, .members = {0, 1}});
      if (round < 5) {  // it ended in between
        run.append(record_of(round));
      }
    }
    EXPECT_EQ(read_history(path).size(), 6U);
    run.go_on_after(5, "");
    EXPECT_EQ(read_history(path).size(), 5U);
    run.go_on_after(3, "");
    run.append(GenerationRecord{.generation = 1, .round = 3, .members = {0}, .lost = {1}});
  }
  const auto history = read_history(path);
  ASSERT_EQ(history.size(), 5U);
  EXPECT_EQ(std::get<StartRecord>(history[0]).workers, 2);
  EXPECT_EQ(std::get<CommitRecord>(history[3]).round, 3);
  EXPECT_EQ(std::get<GenerationRecord>(history[4]).lost, std::vector<int>{1});
  std::ofstream(path / "history.jsonl", std::ios::app) << "{\"event\":\"start\"}\n";
  EXPECT_NE(message_of_input_error([&] { read_history(path); }).find("line 6"), std::string::npos);
}

TEST(RunFolder, IsItsOwnersAloneUnlessItWasThereBefore) {
  const TemporaryFolder folder;
  const fs::path made = folder.path() / "runs" / "a";
  RunFolder::create(made, "");
  EXPECT_EQ(fs::status(made).permissions(), fs::perms::owner_all);
  const fs::path given = folder.path() / "b";
  fs::create_directory(given);
  const auto shared = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec;
  fs::permissions(given, shared);
  RunFolder::create(given, "");
  EXPECT_EQ(fs::status(given).permissions(), shared);
}

TEST(RunFolder, TakesAnEmptyFolderAndNeverOverwritesARun) {
  const TemporaryFolder folder;
  RunFolder::create(folder.path(), "first\n");
  EXPECT_NE(message_of_input_error([&] { RunFolder::create(folder.path(), "second\n"); }).find("never overwritten"),
            std::string::npos);
  EXPECT_EQ(read_file(folder.path() / "config.toml"), "first\n");
  const TemporaryFolder other;
  write_file_atomically(other.path() / "mine", "");
  EXPECT_THROW(RunFolder::create(other.path(), ""), InputError);
  EXPECT_EQ(std::distance(fs::directory_iterator(other.path()), {}), 1);
}

TEST(RunFolder, AnUnwritableFolderIsAnInputErrorThatNamesIt) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "file", "");
  for (const fs::path& path : {folder.path() / "file", folder.path() / "file" / "run", fs::path("/proc/run")}) {
    const std::string message = message_of_input_error([&] { RunFolder::create(path, ""); });
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
  }
}

TEST(RunFolder, NothingStaysBehindWhenItCantBeCreated) {
  const TemporaryFolder folder;
  {
    const FileSizeLimit full(0);
    EXPECT_THROW(RunFolder::create(folder.path() / "run", "lr = 0.03\n"), InputError);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(RunFolder, WhatAFullDiskHasNoRoomForIsWrittenLaterAndNeverByHalves) {
  const TemporaryFolder folder;
  RunFolder run = RunFolder::create(folder.path() / "run", "");
  run.append(record_of(1));
  std::string message;
  {
    const FileSizeLimit full(fs::file_size(run.path() / "metrics.jsonl") + 10);
    run.append(record_of(2));
    run.append(record_of(3));
    try {
      run.write_waiting();
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_EQ(read_file(run.path() / "metrics.jsonl").back(), '\n');
    EXPECT_EQ(rounds_in(run.path()), std::vector<std::int64_t>{1});
  }
  EXPECT_NE(message.find("metrics.jsonl"), std::string::npos) << message;
  run.append(record_of(4));
  EXPECT_EQ(rounds_in(run.path()), (std::vector<std::int64_t>{1, 2, 3, 4}));
  run.write_waiting();
  EXPECT_EQ(rounds_in(run.path()), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_TRUE(fs::is_empty(run.path() / "history.jsonl"));
}

TEST(RunFolder, ResumeCutsLaterRoundsAndATornLine) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "run";
  {
    RunFolder run = RunFolder::create(path, "");
    append_rounds(run, 1, 5);
  }
  const std::string before = read_file(path / "metrics.jsonl");
  std::ofstream(path / "metrics.jsonl", std::ios::app) << R"({"round":6,"loss)";
  EXPECT_EQ(rounds_in(path), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
  RunFolder::open(path).go_on_after(5, "config");
  EXPECT_EQ(read_file(path / "metrics.jsonl"), before) << "kept lines must stay as they are";
  {
    RunFolder run = RunFolder::open(path);
    run.go_on_after(3, "config");
    run.append(record_of(4));
  }
  EXPECT_EQ(rounds_in(path), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_FALSE(fs::exists(path / "metrics.jsonl.tmp"));
  RunFolder::open(path).go_on_after(0, "config");
  EXPECT_TRUE(read_metrics(path).empty());
}

TEST(RunFolder, ResumeRefusesWhatIsNotARun) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of_input_error([&] { RunFolder::open(folder.path()); }).find("config.toml"), std::string::npos);
  EXPECT_THROW(RunFolder::open(folder.path() / "missing"), InputError);
}

TEST(ReadMetrics, NamesTheLineThatCantBeRead) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "run";
  {
    RunFolder run = RunFolder::create(path, "");
    append_rounds(run, 1, 2);
  }
  const std::string good = read_file(path / "metrics.jsonl");
  for (const std::string bad : {"{\"round\":", "", "[]", "{}", "\xff", "nonsense"}) {
    write_file_atomically(path / "metrics.jsonl", fmt::format("{}{}\n{}", good, bad, good));
    const std::string message = message_of_input_error([&] { read_metrics(path); });
    EXPECT_NE(message.find("metrics.jsonl"), std::string::npos) << message;
    EXPECT_NE(message.find("line 3"), std::string::npos) << message;
    EXPECT_THROW(RunFolder::open(path).go_on_after(1, "config"), InputError);
  }
  EXPECT_THROW(read_metrics(folder.path()), InputError);
}

TEST(RunFolder, FreePathIsTheFirstThatDoesNotExist) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_EQ(RunFolder::free_path("a"), "runs/a");
  fs::create_directories("runs/a");
  EXPECT_EQ(RunFolder::free_path("a"), "runs/a-2");
  fs::create_directories("runs/a-2");
  EXPECT_EQ(RunFolder::free_path("a"), "runs/a-3");
  fs::current_path(before);
}

}  // namespace
}  // namespace resist
