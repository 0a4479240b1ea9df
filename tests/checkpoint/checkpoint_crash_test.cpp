#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>

#include "checkpoint/checkpoint_samples.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

struct Written {
  std::int64_t round;
  std::int64_t attempt;
};

// The child's life: checkpoints for ever, each round written twice, as after a resume; says what is committed.
[[noreturn]] void write_for_ever(const std::filesystem::path& run_dir, Written last, int report) {
  try {
    while (true) {
      last = last.attempt == 0 ? Written{last.round, 1} : Written{last.round + 1, 0};
      write_sample(run_dir, last.round, std::nullopt, last.attempt);
      if (::write(report, &last, sizeof last) != sizeof last) {
        ::_exit(1);
      }
      prune_checkpoints(run_dir, 2);
    }
  } catch (...) {
    ::_exit(1);
  }
}

TEST(CheckpointCrash, AKillAtAnyMomentLeavesTheOldStateOrTheNew) {
  const TemporaryFolder run;
  Written last{1, 0};
  write_sample(run.path(), last.round, std::nullopt, last.attempt);
  std::mt19937 random(5);  // NOLINT: a fixed seed is the point
  std::uniform_int_distribution<useconds_t> moment(500, 25'000);
  for (int kill = 0; kill < 50; ++kill) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      write_for_ever(run.path(), last, pipe[1]);
    }
    ::close(pipe[1]);
    ASSERT_EQ(::read(pipe[0], &last, sizeof last), static_cast<ssize_t>(sizeof last)) << "the child wrote nothing";
    ::usleep(moment(random));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed before it was killed";
    for (Written written{}; ::read(pipe[0], &written, sizeof written) == sizeof written;) {
      last = written;
    }
    ::close(pipe[0]);

    const CapturedLog log;
    const Checkpoint checkpoint = open_checkpoint(run.path(), "last");
    EXPECT_EQ(log.text(), "");
    expect_right_values(checkpoint);
    // What was reported is there, or the one after it, whose report was cut off.
    const Written found{checkpoint.state().round, checkpoint.state().samples};
    const Written next = last.attempt == 0 ? Written{last.round, 1} : Written{last.round + 1, 0};
    EXPECT_TRUE((found.round == last.round && found.attempt == last.attempt) ||
                (found.round == next.round && found.attempt == next.attempt))
        << found.round << " " << found.attempt << " after " << last.round << " " << last.attempt;
    last = found;
  }
}

}  // namespace
}  // namespace resist
