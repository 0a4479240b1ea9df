#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "data/environment_variable.h"
#include "resist/config/option.h"
#include "resist/config/toml_file.h"
#include "resist/telemetry/run_folder.h"
#include "resist/watch/watch.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"
#include "watch/watched_rounds.h"

namespace resist {
namespace {

TEST(RunState, FollowsFromTheLockAndTheRounds) {
  EXPECT_EQ(state_of(RunLock::held, false, false, false), RunState::starting);
  EXPECT_EQ(state_of(RunLock::held, false, true, false), RunState::running);
  EXPECT_EQ(state_of(RunLock::held, false, true, true), RunState::finishing);
  EXPECT_EQ(state_of(RunLock::free, false, true, true), RunState::ended);
  EXPECT_EQ(state_of(RunLock::free, false, true, false), RunState::interrupted);
  EXPECT_EQ(state_of(RunLock::free, false, false, false), RunState::interrupted);
  EXPECT_EQ(state_of(RunLock::free, true, true, false), RunState::elsewhere);
  EXPECT_EQ(state_of(RunLock::unknown, true, true, false), RunState::elsewhere);
  EXPECT_EQ(state_of(RunLock::unknown, false, true, false), RunState::interrupted);
}

class RunViewTest : public ::testing::Test {
 protected:
  static Config config_of(int rounds) {
    Config config;
    config.train.rounds = rounds;
    config.data.data = "kmnist";
    return config;
  }
  std::filesystem::path path() const { return folder_.path() / "run"; }

 private:
  TemporaryFolder folder_;
};

TEST_F(RunViewTest, FollowsARunFromItsStartToItsEnd) {
  std::optional<RunFolder> folder = RunFolder::create(path(), to_toml(config_of(3)));
  RunView view(path());
  EXPECT_EQ(view.run().state, RunState::starting);
  EXPECT_EQ(view.run().aim.data, "kmnist");
  folder->append(round_of(1, {1, 1}, 0.1));
  view.look();
  EXPECT_EQ(view.run().state, RunState::running);
  EXPECT_EQ(view.run().records.size(), 1U);
  EXPECT_GE(view.run().seconds_silent.value(), 0);
  folder.reset();
  view.look();
  EXPECT_EQ(view.run().state, RunState::interrupted);
  folder = RunFolder::open(path());
  folder->append(round_of(2, {1, 1}, 0.1));
  folder->append(round_of(3, {1, 1}, 0.1));
  view.look();
  EXPECT_EQ(view.run().state, RunState::finishing);
  folder.reset();
  view.look();
  EXPECT_EQ(view.run().state, RunState::ended);
}

TEST_F(RunViewTest, ARunThatGrowsWithoutALockIsOnAnotherMachine) {
  RunFolder::create(path(), to_toml(config_of(9)));
  const auto write = [&](std::int64_t round) {
    std::ofstream(path() / "metrics.jsonl", std::ios::app) << to_json(round_of(round, {1, 1}, 0.1)).dump() << '\n';
  };
  write(1);
  RunView view(path());
  EXPECT_EQ(view.run().state, RunState::interrupted);
  write(2);
  view.look();
  EXPECT_EQ(view.run().state, RunState::elsewhere);
  view.look();
  EXPECT_EQ(view.run().state, RunState::elsewhere);
  write(3);
  const RunFolder here = RunFolder::open(path());
  view.look();
  EXPECT_EQ(view.run().state, RunState::running);
}

TEST_F(RunViewTest, AResumedRunMayHaveAnotherAim) {
  RunFolder folder = RunFolder::create(path(), to_toml(config_of(1)));
  folder.append(round_of(1, {1, 1}, 0.1));
  RunView view(path());
  EXPECT_EQ(view.run().state, RunState::finishing);
  folder.go_on_after(1, to_toml(config_of(5)));
  // File systems may tell times no finer than some milliseconds.
  std::filesystem::last_write_time(path() / "config.toml",
                                   std::filesystem::file_time_type::clock::now() + std::chrono::seconds(2));
  view.look();
  EXPECT_EQ(view.run().aim.rounds, 5);
  EXPECT_EQ(view.run().state, RunState::running);
}

TEST_F(RunViewTest, RefusesWhatIsNotARun) {
  EXPECT_TRUE(contains(input_error([&] { RunView view(path()); }), "is not the folder of a run"));
}

TEST_F(RunViewTest, PrintsASummaryWhereTheOutputIsNoTerminal) {
  {
    RunFolder folder = RunFolder::create(path(), to_toml(config_of(1)));
    folder.append(round_of(1, {1, 1}, 0.1));
  }
  std::ostringstream out;
  watch_run(path(), false, out);
  EXPECT_TRUE(contains(out.str(), ": ended\n"));
  EXPECT_TRUE(contains(out.str(), "round 1 of 1"));
}

TEST(Terminal, ShowsUnicodeInAUtf8LocaleOnly) {
  const EnvironmentVariable all("LC_ALL", "");
  const EnvironmentVariable type("LC_CTYPE", "");
  const EnvironmentVariable terminal("TERM", "xterm");
  {
    const EnvironmentVariable lang("LANG", "de_DE.UTF-8");
    EXPECT_TRUE(terminal_shows_unicode());
    const EnvironmentVariable over("LC_ALL", "C");
    EXPECT_FALSE(terminal_shows_unicode());
  }
  {
    const EnvironmentVariable lang("LANG", "C.utf8");
    EXPECT_TRUE(terminal_shows_unicode());
    const EnvironmentVariable console("TERM", "linux");
    EXPECT_FALSE(terminal_shows_unicode());
  }
  const EnvironmentVariable lang("LANG", "C");
  EXPECT_FALSE(terminal_shows_unicode());
}

}  // namespace
}  // namespace resist
