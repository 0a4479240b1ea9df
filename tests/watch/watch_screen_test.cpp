#include "resist/watch/watch_screen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "support/input_error.h"
#include "watch/watched_rounds.h"

namespace resist {
namespace {

using Lines = std::vector<std::string>;

WatchedRun watched(std::span<const RoundRecord> records) {
  return {.name = "runs/fashion-mnist-resist",
          .aim = {.method = "resist", .model = "preact-small", .data = "fashion-mnist", .epochs = 2, .eval_every = 5},
          .state = RunState::running,
          .records = records,
          .seconds_silent = 3};
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + '\n';
  }
  return text;
}

// Cells of a line: its characters that are in no escape sequence.
int count_cells(const std::string& line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      i = line.find('m', i);
    } else {
      text += line[i];
    }
  }
  return count_characters(text);
}

TEST(WatchScreen, FillsAnOrdinaryTerminal) {
  const auto records = rounds_of(120, {1.19, 1.22, 1.61, 1.2}, 0.31);
  const std::string expected =
      "runs/fashion-mnist-resist                                                running\n"
      "resist, 4 workers, preact-small on fashion-mnist\n"
      "[###############----------]  round 120 of about 200  epoch 1.20 of 2  2m34s left\n"
      "loss 0.3996  accuracy 88.53 %  312 samples/s\n"
      "\n"
      "accuracy %                               loss\n"
      " 88.53 |                 .....'''''''''   2.251 |'.                             \n"
      "       |           ..''''                       |  '.                           \n"
      "       |       ...'                             |    '.                         \n"
      "       |      .'                                |      '..                      \n"
      "       |    .'                                  |         '..                   \n"
      "       |  .'                                    |            '''....            \n"
      " 22.28 | .'                              0.3996 |                   ''''''......\n"
      "        1                     round 120          1                     round 120\n"
      "\n"
      "worker                   compute     wait     sync     sent        link   memory\n"
      "     0 ##########...===   1.19 s   0.42 s   0.31 s  23.0 MB  594 Mbit/s   264 MB\n"
      "     1 ##########...===   1.22 s   0.39 s   0.31 s  23.0 MB  594 Mbit/s   264 MB\n"
      "     2 #############===   1.61 s   0.00 s   0.31 s  23.0 MB  594 Mbit/s   264 MB\n"
      "     3 ##########...===   1.20 s   0.41 s   0.31 s  23.0 MB  594 Mbit/s   264 MB\n"
      "\n"
      "slowest: worker 2 (compute): 34 % above the median; others wait 22 % of a round\n"
      "link: 23.0 MB a round at 594 Mbit/s, busy 16 % of the time; 11.0 GB sent in all\n"
      "3m51s of training, the last round 3s ago                                  q ends\n";
  EXPECT_EQ(joined(watch_screen(watched(records), {.columns = 80, .rows = 24}, {})), expected);
}

TEST(WatchScreen, NeverOutgrowsTheTerminal) {
  const auto records = rounds_of(40, {1.19, 1.22, 1.61, 1.2}, 0.31);
  const auto many = rounds_of(3, std::vector<double>(70, 1.0), 0.31);
  const auto one = rounds_of(1, {1.0}, 0);
  for (const std::span<const RoundRecord> rounds :
       {std::span<const RoundRecord>(), std::span(records), std::span(many), std::span(one)}) {
    WatchedRun run = watched(rounds);
    run.name = "runs/größe/a-rather-long-name-of-a-run-that-does-not-fit-everywhere";
    for (const ScreenStyle style : {ScreenStyle{}, ScreenStyle{.color = true, .unicode = true}}) {
      for (int columns = -1; columns <= 130; columns += columns < 30 ? 3 : 11) {
        for (int rows = -1; rows <= 50; rows += rows < 26 ? 1 : 8) {
          const Lines lines = watch_screen(run, {.columns = columns, .rows = rows}, style);
          ASSERT_LE(lines.size(), static_cast<std::size_t>(std::max(rows, 0)));
          for (const std::string& line : lines) {
            ASSERT_LE(count_cells(line), std::max(columns, 0)) << line;
            ASSERT_EQ(line.find('\n'), std::string::npos);
          }
        }
      }
    }
  }
}

TEST(WatchScreen, UsesEveryRowOfALargeTerminal) {
  const auto records = rounds_of(40, {1.19, 1.22, 1.61, 1.2}, 0.31);
  for (int rows = 24; rows < 80; ++rows) {
    EXPECT_EQ(watch_screen(watched(records), {.columns = 120, .rows = rows}, {}).size(),
              static_cast<std::size_t>(rows));
  }
}

TEST(WatchScreen, IsPlainAsciiUnlessTheTerminalCanMore) {
  const auto records = rounds_of(40, {1.19, 1.22, 1.61, 1.2}, 0.31);
  const std::string plain = joined(watch_screen(watched(records), {}, {}));
  EXPECT_TRUE(std::ranges::all_of(plain, [](char byte) { return byte == '\n' || (byte >= ' ' && byte < 0x7F); }));
  const std::string rich = joined(watch_screen(watched(records), {}, {.color = true, .unicode = true}));
  EXPECT_TRUE(contains(rich, "\u2588"));
  EXPECT_TRUE(contains(rich, "\x1b[32mrunning\x1b[0m"));
  EXPECT_TRUE(contains(rich, "\x1b[31m     2\x1b[0m"));  // the slowest
}

TEST(WatchScreen, ShowsTheStateAndWhatToDo) {
  const auto records = rounds_of(40, {1, 1}, 0.31);
  WatchedRun run = watched(records);
  const auto screen = [&](RunState state) {
    run.state = state;
    return joined(watch_screen(run, {}, {}));
  };
  EXPECT_TRUE(contains(screen(RunState::interrupted), "interrupted\n"));
  EXPECT_TRUE(contains(screen(RunState::interrupted), "go on: resist train --resume runs/fashion-mnist-resist"));
  EXPECT_TRUE(contains(screen(RunState::ended), " ended\n"));
  EXPECT_TRUE(contains(screen(RunState::finishing), "computing running statistics"));
  EXPECT_TRUE(contains(screen(RunState::elsewhere), "running elsewhere\n"));
  run.problem = "'x' is damaged: line 2 is not JSON";
  EXPECT_TRUE(contains(screen(RunState::running), "line 2 is not JSON"));
}

TEST(WatchScreen, SaysThatARunHasBeenSilentForLong) {
  const auto records = rounds_of(40, {1, 1}, 0.31);
  WatchedRun run = watched(records);
  run.seconds_silent = 19;
  EXPECT_TRUE(contains(joined(watch_screen(run, {}, {})), "the last round 19s ago"));
  run.seconds_silent = 95;
  EXPECT_TRUE(contains(joined(watch_screen(run, {}, {})), "no round for 1m35s; one takes 2s"));
}

TEST(WatchScreen, OfARunThatJustStartsSaysSo) {
  WatchedRun run = watched({});
  run.state = RunState::starting;
  const Lines lines = watch_screen(run, {}, {});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(contains(lines[0], "starting"));
  EXPECT_EQ(lines[1], "resist, preact-small on fashion-mnist");
  EXPECT_TRUE(contains(lines[2], "started 3s ago"));
}

TEST(WatchScreen, SaysWhyThereIsNoAccuracyYet) {
  auto records = rounds_of(3, {1, 1}, 0.31);
  WatchedRun run = watched(records);
  EXPECT_TRUE(contains(joined(watch_screen(run, {}, {})), "not evaluated yet"));
  run.aim.eval_every = 0;
  EXPECT_TRUE(contains(joined(watch_screen(run, {}, {})), "only at the end: --eval-every is 0"));
}

TEST(WatchScreen, CountsWorkersThatHaveNoRoomAndKeepsTheSlowest) {
  std::vector<double> compute(30, 1.0);
  compute[17] = 2.0;
  const auto records = rounds_of(10, compute, 0.31);
  const std::string screen = joined(watch_screen(watched(records), {}, {}));
  EXPECT_TRUE(contains(screen, "\n    17 #"));
  EXPECT_TRUE(contains(screen, " more workers, which compute less"));
  EXPECT_TRUE(contains(joined(watch_screen(watched(records), {.columns = 80, .rows = 100}, {})), "\n    29 #"));
}

TEST(WatchScreen, BearsNumbersThatAreNotFinite) {
  auto records = rounds_of(8, {1, 1}, 0.31);
  for (RoundRecord& record : records) {
    record.loss = std::numeric_limits<double>::quiet_NaN();
    record.seconds_compute = std::numeric_limits<double>::quiet_NaN();
    record.worker_seconds_compute[1] = std::numeric_limits<double>::infinity();
    record.accuracy = std::numeric_limits<double>::quiet_NaN();
  }
  EXPECT_TRUE(contains(joined(watch_screen(watched(records), {}, {})), "loss is not finite"));
}

TEST(WatchSummary, IsPlainAndNotCut) {
  const auto records = rounds_of(120, {1.19, 1.22, 1.61, 1.2}, 0.31);
  WatchedRun run = watched(records);
  run.name = std::string(200, 'x');
  const std::string summary = joined(watch_summary(run));
  EXPECT_TRUE(summary.starts_with(run.name + ": running\nresist, 4 workers, preact-small on fashion-mnist\n"))
      << summary;
  EXPECT_TRUE(contains(summary, "accuracy 88.53 %"));
  EXPECT_TRUE(contains(summary, "slowest: worker 2"));
  EXPECT_FALSE(contains(summary, "q ends"));
  EXPECT_EQ(summary.find('\x1b'), std::string::npos);
  EXPECT_EQ(summary.find("\n\n"), std::string::npos);
}

}  // namespace
}  // namespace resist
