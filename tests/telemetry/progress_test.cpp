#include "resist/telemetry/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <sstream>

namespace resist {
namespace {

// A round of 4 seconds, 1000 samples and 2 MB; 10 rounds make a run.
RoundRecord record_of(std::int64_t round) {
  RoundRecord record;
  record.round = round;
  record.loss = 2.5;
  record.samples = 1000 * round;
  record.seconds_compute = 3;
  record.seconds_sync = 1;
  record.seconds_wait = 100;  // no extra time
  record.bytes_sent = 2'000'000;
  return record;
}

RoundRecord evaluated(std::int64_t round, double accuracy) {
  RoundRecord record = record_of(round);
  record.seconds_evaluation = 4;
  record.accuracy = accuracy;
  return record;
}

constexpr ProgressOptions kPlain = {.total_rounds = 10, .total_samples = 10'000};
constexpr ProgressOptions kTerminal = {.total_rounds = 10, .total_samples = 10'000, .terminal = true, .columns = 90};

TEST(ProgressPlain, WritesALineEvery10SecondsAndForEvaluatedAndLastRounds) {
  std::ostringstream out;
  Progress progress(out, kPlain);
  progress.show(record_of(1));          // second 4: the first
  progress.show(record_of(2));          // 8
  progress.show(record_of(3));          // 12
  progress.show(record_of(4));          // 16: 12 seconds later
  progress.show(evaluated(5, 0.8765));  // 24
  progress.show(record_of(6));          // 28
  progress.show(record_of(7));          // 32
  progress.show(record_of(8));          // 36: 12 seconds later
  progress.show(record_of(9));          // 40
  progress.show(record_of(10));         // 44: the last
  progress.finish();
  EXPECT_EQ(out.str(),
            "round 1/10  loss 2.5000  250 samples/s  2.0 MB sent  36s left\n"
            "round 4/10  loss 2.5000  250 samples/s  8.0 MB sent  24s left\n"
            "round 5/10  loss 2.5000  accuracy 87.65 %  250 samples/s  10.0 MB sent  24s left\n"
            "round 8/10  loss 2.5000  accuracy 87.65 %  250 samples/s  16.0 MB sent  9s left\n"
            "round 10/10  loss 2.5000  accuracy 87.65 %  250 samples/s  20.0 MB sent\n");
}

TEST(ProgressPlain, GoesOnFromWhatWasSentAndToTheRoundsThatThereAreNow) {
  std::ostringstream out;
  Progress progress(out, {.total_rounds = 10, .total_samples = 10'000, .bytes_before = 7'000'000});
  progress.show(record_of(3));
  progress.set_length(5, 5'000);
  progress.show(record_of(4));
  progress.show(record_of(5));
  EXPECT_EQ(out.str(),
            "round 3/10  loss 2.5000  250 samples/s  9.0 MB sent  28s left\n"
            "round 5/5  loss 2.5000  250 samples/s  13.0 MB sent\n");
}

TEST(ProgressPlain, ShowsTheRoundInWhichARunStoppedEarly) {
  std::ostringstream out;
  Progress progress(out, kPlain);
  progress.show(record_of(1));
  progress.show(record_of(2));
  progress.finish();
  progress.finish();
  EXPECT_EQ(out.str(),
            "round 1/10  loss 2.5000  250 samples/s  2.0 MB sent  36s left\n"
            "round 2/10  loss 2.5000  250 samples/s  4.0 MB sent  32s left\n");
}

TEST(ProgressPlain, AResumedRunCountsOnlyItsOwnRoundsForSpeed) {
  std::ostringstream out;
  Progress progress(out, kPlain);
  progress.show(record_of(6));
  EXPECT_EQ(out.str(), "round 6/10  loss 2.5000  250 samples/s  2.0 MB sent  16s left\n");
}

TEST(ProgressPlain, LargeNumbersGetLargerUnits) {
  std::ostringstream out;
  Progress progress(out, {.total_rounds = 1000, .total_samples = 1'000'000});
  RoundRecord record = record_of(1);
  record.bytes_sent = 2'345'000'000;
  record.seconds_compute = 9;
  progress.show(record);
  record = record_of(2);
  record.seconds_compute = 500'000;
  progress.show(record);
  EXPECT_EQ(out.str(),
            "round 1/1000  loss 2.5000  100 samples/s  2.35 GB sent  2h46m left\n"
            "round 2/1000  loss 2.5000  0 samples/s  2.35 GB sent  2887d19h left\n");
}

TEST(ProgressPlain, UnknownTotalsAndRoundsWithoutTimeAreLeftOut) {
  std::ostringstream out;
  Progress progress(out, {});
  RoundRecord record;
  record.round = 1;
  record.loss = std::numeric_limits<double>::quiet_NaN();
  progress.show(record);
  EXPECT_EQ(out.str(), "round 1  loss nan  0.0 MB sent\n");
}

TEST(ProgressTerminal, RewritesOneLineAndLeavesEvaluatedOnes) {
  std::ostringstream out;
  Progress progress(out, kTerminal);
  progress.show(record_of(9));
  EXPECT_EQ(out.str(),
            "\r\x1b[K[#######################---] round 9/10  loss 2.5000  250 samples/s  2.0 MB sent  4s left");
  out.str("");
  progress.show(evaluated(9, 0.5));
  EXPECT_EQ(out.str(),
            "\r\x1b[Kround 9/10  loss 2.5000  accuracy 50.00 %  125 samples/s  4.0 MB sent  12s left\n"
            "\r\x1b[K[######-] round 9/10  loss 2.5000  accuracy 50.00 %  125 samples/s  4.0 MB sent  12s left");
  out.str("");
  progress.show(record_of(10));
  progress.finish();
  EXPECT_EQ(out.str(), "\r\x1b[Kround 10/10  loss 2.5000  accuracy 50.00 %  167 samples/s  6.0 MB sent\n");
}

TEST(ProgressTerminal, FinishLeavesTheLastRoundsLine) {
  std::ostringstream out;
  Progress progress(out, kTerminal);
  progress.show(record_of(5));
  out.str("");
  progress.finish();
  EXPECT_EQ(out.str(), "\r\x1b[Kround 5/10  loss 2.5000  250 samples/s  2.0 MB sent  20s left\n");
}

TEST(ProgressTerminal, FitsAnyWidthWithAndWithoutColour) {
  for (int columns = 0; columns < 120; ++columns) {
    std::string plain;
    for (const bool color : {false, true}) {
      std::ostringstream out;
      ProgressOptions options = kTerminal;
      options.columns = columns;
      options.color = color;
      Progress progress(out, options);
      progress.show(record_of(5));
      std::string text = out.str().substr(std::string("\r\x1b[K").size());
      for (const std::string escape : {"\x1b[32m", "\x1b[0m"}) {
        if (const std::size_t place = text.find(escape); place != std::string::npos) {
          EXPECT_TRUE(color);
          text.erase(place, escape.size());
        }
      }
      EXPECT_LE(text.size(), static_cast<std::size_t>(std::max(columns - 1, 0)));
      EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) << text;
      EXPECT_TRUE(!color || text == plain);
      plain = text;
    }
  }
}

class DetectTerminal : public testing::Test {
 protected:
  void SetUp() override {
    controller_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (controller_ < 0 || ::grantpt(controller_) != 0 || ::unlockpt(controller_) != 0) {
      GTEST_SKIP() << "no pseudo terminal can be made here";
    }
    terminal_ = ::open(::ptsname(controller_), O_RDWR | O_NOCTTY);
    if (terminal_ < 0) {
      GTEST_SKIP() << "no pseudo terminal can be opened here";
    }
    const winsize size = {.ws_row = 20, .ws_col = 123, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(terminal_, TIOCSWINSZ, &size);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
  }
  void TearDown() override {
    ::close(terminal_);
    ::close(controller_);
    ::unsetenv("NO_COLOR");
  }

  int controller_ = -1;
  int terminal_ = -1;
};

TEST_F(DetectTerminal, KnowsWidthAndColour) {
  const ProgressOptions options = detect_terminal(terminal_);
  EXPECT_TRUE(options.terminal);
  EXPECT_TRUE(options.color);
  EXPECT_EQ(options.columns, 123);
}

TEST_F(DetectTerminal, ObeysNoColorAndDumbTerminals) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_TRUE(detect_terminal(terminal_).terminal);
  EXPECT_FALSE(detect_terminal(terminal_).color);
  ::setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(detect_terminal(terminal_).color);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(detect_terminal(terminal_).terminal);
  EXPECT_FALSE(detect_terminal(terminal_).color);
}

TEST(DetectTerminalOfAPipe, IsNone) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_FALSE(detect_terminal(pipe[1]).terminal);
  EXPECT_FALSE(detect_terminal(pipe[1]).color);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace resist
