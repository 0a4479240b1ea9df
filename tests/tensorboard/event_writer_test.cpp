#include "resist/tensorboard/event_writer.h"

#include <event.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "resist/tensorboard/record_file.h"
#include "support/captured_log.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;
using event::Event;

const std::vector<DeckSize> kDecks = {{.section = 3, .blocks = 6}};

// A clock that goes on by a second each time that it is read.
EventWriter::Clock ticking() {
  return [now = 1000.0]() mutable { return now++; };
}

fs::path file(const fs::path& run_dir, int number) {
  return run_dir / "tensorboard" / ("events.out.tfevents.00000" + std::to_string(number) + ".resist");
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<Event> events_in(const fs::path& path) {
  const std::string text = read_file(path);
  std::vector<Event> events;
  std::string_view rest = text;
  while (const auto payload = take_record(rest)) {
    EXPECT_TRUE(events.emplace_back().ParseFromArray(payload->data(), static_cast<int>(payload->size())));
  }
  EXPECT_TRUE(rest.empty()) << rest.size() << " bytes are no record";
  return events;
}

// The rounds that the file has scalars of.
std::vector<std::int64_t> rounds_in(const fs::path& path) {
  std::vector<std::int64_t> rounds;
  for (const Event& event : events_in(path)) {
    if (event.has_summary() && event.summary().value(0).has_simple_value()) {
      rounds.push_back(event.step());
    }
  }
  return rounds;
}

void add_rounds(EventWriter& writer, std::int64_t first, std::int64_t last) {
  for (std::int64_t round = first; round <= last; ++round) {
    writer.add({.round = round, .loss = 1.0 / static_cast<double>(round)});
  }
}

// A run of so many rounds.
void write_run(const fs::path& run_dir, std::int64_t rounds) {
  EventWriter writer(run_dir, 0, "width = 8\n", ticking());
  add_rounds(writer, 1, rounds);
}

std::ptrdiff_t warnings_in(const CapturedLog& log) {
  const std::string text = log.text();
  return std::ranges::count(text, '\n');
}

using Rounds = std::vector<std::int64_t>;

TEST(EventWriter, AFileBeginsWithVersionStartAndConfig) {
  const TemporaryFolder run;
  const EventWriter writer(run.path(), 0, "width = 8\n", ticking());
  EXPECT_EQ(names_in(run.path() / "tensorboard"), std::vector<std::string>{"events.out.tfevents.000001.resist"});
  const auto events = events_in(file(run.path(), 1));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_EQ(events[0].wall_time(), 1000);
  EXPECT_EQ(events[1].session_log().status(), event::SessionLog::START);
  EXPECT_EQ(events[1].step(), 1);
  EXPECT_EQ(events[2].summary().value(0).tensor().string_val(0), "    width = 8\n");
  EXPECT_EQ(events[2].step(), 1);
  EXPECT_EQ(events[2].wall_time(), 1002);
}

TEST(EventWriter, WhatIsAddedIsThereAtOnce) {
  const TemporaryFolder run;
  EventWriter writer(run.path(), 0, "", ticking());
  writer.add({.round = 1});
  EXPECT_EQ(rounds_in(file(run.path(), 1)), Rounds{1});
  writer.add_assignment(1, assign_all(kDecks, 2), kDecks);
  EXPECT_EQ(events_in(file(run.path(), 1)).back().summary().value(0).tag(), "assignment");
  EXPECT_EQ(events_in(file(run.path(), 1)).back().step(), 1);
  EventWriter moved = std::move(writer);
  moved.add({.round = 2});
  EXPECT_EQ(rounds_in(file(run.path(), 1)), (Rounds{1, 2}));
}

TEST(EventWriter, TheSameRunAtTheSameTimesGivesTheSameBytes) {
  const TemporaryFolder first;
  const TemporaryFolder second;
  for (const auto* run : {&first, &second}) {
    write_run(run->path(), 5);
  }
  EXPECT_EQ(read_file(file(first.path(), 1)), read_file(file(second.path(), 1)));
}

TEST(EventWriter, ItsFilesMayBeReadByWhoMayReadTheOthers) {
  const TemporaryFolder run;
  write_file_atomically(run.path() / "config.toml", "");
  write_run(run.path(), 1);
  EXPECT_EQ(fs::status(file(run.path(), 1)).permissions(), fs::status(run.path() / "config.toml").permissions());
}

TEST(EventWriter, AResumedRunHasAFileOfItsOwn) {
  const TemporaryFolder run;
  write_run(run.path(), 7);
  for (const int number : {2, 3}) {
    cut_events(run.path(), 5);
    EventWriter writer(run.path(), 5, "", ticking());
    EXPECT_EQ(events_in(file(run.path(), number))[1].step(), 6) << "what a running TensorBoard drops";
    add_rounds(writer, 6, 7);
  }
  EXPECT_EQ(rounds_in(file(run.path(), 1)), (Rounds{1, 2, 3, 4, 5}));
  EXPECT_EQ(rounds_in(file(run.path(), 2)), Rounds{});
  EXPECT_EQ(events_in(file(run.path(), 2)).size(), 1U) << "its config is void too";
  EXPECT_EQ(rounds_in(file(run.path(), 3)), (Rounds{6, 7}));
}

TEST(CutEvents, LeavesWhatIsNotLater) {
  const TemporaryFolder run;
  write_run(run.path(), 5);
  const std::string before = read_file(file(run.path(), 1));
  cut_events(run.path(), 5);
  EXPECT_EQ(read_file(file(run.path(), 1)), before);
  cut_events(run.path(), 2);
  EXPECT_EQ(rounds_in(file(run.path(), 1)), (Rounds{1, 2}));
  EXPECT_TRUE(before.starts_with(read_file(file(run.path(), 1))));
  cut_events(run.path(), 0);
  EXPECT_EQ(events_in(file(run.path(), 1)).size(), 1U);
  write_run(run.path(), 3);
  EXPECT_EQ(rounds_in(file(run.path(), 2)), (Rounds{1, 2, 3})) << "no name may come back";
}

TEST(CutEvents, CutsATornRecordAndWhatFollowsADamagedOne) {
  const TemporaryFolder run;
  write_run(run.path(), 3);
  const std::string whole = read_file(file(run.path(), 1));
  std::ofstream(file(run.path(), 1), std::ios::app) << whole.substr(0, 20);
  cut_events(run.path(), 9);
  EXPECT_EQ(read_file(file(run.path(), 1)), whole);
  std::string damaged = whole;
  damaged[damaged.size() - 10] ^= 1;
  write_file_atomically(file(run.path(), 1), damaged);
  cut_events(run.path(), 9);
  EXPECT_EQ(rounds_in(file(run.path(), 1)), (Rounds{1, 2}));
}

TEST(CutEvents, TouchesNoOtherFile) {
  const TemporaryFolder run;
  const CapturedLog log;
  cut_events(run.path(), 1);  // there are none
  EXPECT_TRUE(fs::is_empty(run.path()));
  write_run(run.path(), 3);
  const fs::path folder = run.path() / "tensorboard";
  const auto others = {"events.out.tfevents.1.resist", "events.out.tfevents.000002", "x000001.resist", "notes"};
  for (const char* name : others) {
    write_file_atomically(folder / name, "mine");
  }
  cut_events(run.path(), 1);
  write_run(run.path(), 1);
  for (const char* name : others) {
    EXPECT_EQ(read_file(folder / name), "mine") << name;
  }
  EXPECT_EQ(rounds_in(file(run.path(), 1)), Rounds{1});
  EXPECT_EQ(rounds_in(file(run.path(), 2)), Rounds{1});
  EXPECT_EQ(warnings_in(log), 0) << log.text();
}

TEST(CutEvents, WhatCantBeReadIsOneWarning) {
  const TemporaryFolder run;
  fs::create_directories(file(run.path(), 1));
  const CapturedLog log;
  cut_events(run.path(), 1);
  EXPECT_EQ(warnings_in(log), 1) << log.text();
  EXPECT_NE(log.text().find("000001.resist"), std::string::npos) << log.text();
}

TEST(EventWriter, AFullDiskIsOneWarning) {
  const TemporaryFolder run;
  const CapturedLog log;
  EventWriter writer(run.path(), 0, "", ticking());
  add_rounds(writer, 1, 1);
  {
    const FileSizeLimit limit(fs::file_size(file(run.path(), 1)) + 10);
    add_rounds(writer, 2, 3);
  }
  add_rounds(writer, 4, 5);
  EXPECT_EQ(warnings_in(log), 1) << log.text();
  EXPECT_NE(log.text().find(file(run.path(), 1).string()), std::string::npos) << log.text();
  cut_events(run.path(), 5);
  EXPECT_EQ(rounds_in(file(run.path(), 1)), Rounds{1}) << "nothing may follow half a record";
}

TEST(EventWriter, AFolderThatVanishesIsOneWarning) {
  const TemporaryFolder run;
  const CapturedLog log;
  EventWriter writer(run.path(), 0, "", ticking());
  fs::remove_all(run.path() / "tensorboard");
  add_rounds(writer, 1, 3);
  writer.add_assignment(3, assign_all(kDecks, 2), kDecks);
  EXPECT_EQ(warnings_in(log), 1) << log.text();
  EXPECT_FALSE(fs::exists(run.path() / "tensorboard"));
}

TEST(EventWriter, AFolderThatCantBeMadeIsOneWarning) {
  const TemporaryFolder run;
  write_file_atomically(run.path() / "tensorboard", "");
  const CapturedLog log;
  EventWriter writer(run.path(), 0, "", ticking());
  add_rounds(writer, 1, 3);
  EXPECT_EQ(warnings_in(log), 1) << log.text();
}

TEST(EventWriter, IsOnUnlessTheRunSaysNo) {
  Config config;
  EXPECT_TRUE(writes_events(config));
  config.run.tensorboard = false;
  EXPECT_FALSE(writes_events(config));
  config.run.tensorboard = true;
  EXPECT_TRUE(writes_events(config));
}

}  // namespace
}  // namespace resist
