#include "resist/checkpoint/checkpoint_folder.h"

#include <gtest/gtest.h>

#include "checkpoint/checkpoint_samples.h"
#include "resist/core/file.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

TEST(CheckpointFolder, ListsOnlyItsOwnNames) {
  const TemporaryFolder run;
  for (const char* name : {"round-000003", "round-1234567", "round-3", "round-0000004", "round--00001", "round-",
                           "other", ".round-000005.tmp", ".round-000006.old", ".round-000003.old", "round-000003x"}) {
    fs::create_directories(run.path() / "checkpoints" / name);
  }
  std::vector<std::int64_t> rounds;
  for (const auto& [round, folder] : list_round_folders(run.path())) {
    rounds.push_back(round);
    EXPECT_EQ(folder, round == 6 ? replaced_folder(run.path(), 6) : round_folder(run.path(), round));
  }
  EXPECT_EQ(rounds, (std::vector<std::int64_t>{3, 6, 1234567}));
  EXPECT_TRUE(list_round_folders(run.path() / "missing").empty());
}

// The states in which a kill can leave a replacement, one after the other.
TEST(CheckpointFolder, AKillDuringAReplacementLeavesTheOldOrTheNew) {
  const TemporaryFolder run;
  write_sample(run.path(), 1, std::nullopt, 1);
  write_sample(run.path(), 9, std::nullopt, 2);
  // Before the first rename: the new one (of round 9, to be round 1) is complete, but not in place.
  fs::rename(round_folder(run.path(), 9), unfinished_folder(run.path(), 1));
  EXPECT_EQ(open_checkpoint(run.path(), "last").state().samples, 1);
  // Between the two renames.
  fs::rename(round_folder(run.path(), 1), replaced_folder(run.path(), 1));
  EXPECT_EQ(open_checkpoint(run.path(), "last").state().samples, 1);
  EXPECT_EQ(checkpoint_rounds(run.path()), std::vector<std::int64_t>{1});
  // After the second.
  fs::rename(unfinished_folder(run.path(), 1), round_folder(run.path(), 1));
  EXPECT_EQ(open_checkpoint(run.path(), "last").state().samples, 2);
  // While the replaced one is being removed.
  fs::remove(replaced_folder(run.path(), 1) / "manifest.json");
  EXPECT_EQ(open_checkpoint(run.path(), "last").state().samples, 2);
  mend_checkpoints_folder(run.path());
  EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{"round-000001"});
}

TEST(CheckpointFolder, TheNextWriterMendsWhatAKillLeft) {
  const TemporaryFolder run;
  write_sample(run.path(), 1);
  fs::rename(round_folder(run.path(), 1), replaced_folder(run.path(), 1));
  fs::create_directory(unfinished_folder(run.path(), 1));
  write_file_atomically(unfinished_folder(run.path(), 1) / "shared.safetensors", "half");
  write_sample(run.path(), 2);
  EXPECT_EQ(names_in(run.path() / "checkpoints"), (Names{"round-000001", "round-000002"}));
  expect_right_values(open_checkpoint(run.path(), "1"));
}

TEST(PruneCheckpoints, KeepsTheNewestAndTheBest) {
  const TemporaryFolder run;
  write_sample(run.path(), 1, 0.5);
  write_sample(run.path(), 2, 0.9);
  write_sample(run.path(), 3, 0.9);
  write_sample(run.path(), 4, 0.1);
  write_sample(run.path(), 5);
  write_sample(run.path(), 6);
  fs::create_directory(unfinished_folder(run.path(), 7));
  prune_checkpoints(run.path(), 10);
  EXPECT_EQ(checkpoint_rounds(run.path()).size(), 6U);
  prune_checkpoints(run.path(), 2);
  EXPECT_EQ(names_in(run.path() / "checkpoints"), (Names{"round-000003", "round-000005", "round-000006"}));
  prune_checkpoints(run.path(), 0);
  EXPECT_EQ(checkpoint_rounds(run.path()), (std::vector<std::int64_t>{3, 6}));
}

TEST(PruneCheckpoints, DamagedOnesDoNotCount) {
  const TemporaryFolder run;
  for (const std::int64_t round : {1, 2, 3, 4}) {
    write_sample(run.path(), round);
  }
  fs::remove(round_folder(run.path(), 1) / "manifest.json");
  fs::remove(round_folder(run.path(), 4) / "shared.safetensors");
  prune_checkpoints(run.path(), 1);
  EXPECT_EQ(checkpoint_rounds(run.path()), std::vector<std::int64_t>{3});
  EXPECT_EQ(names_in(run.path() / "checkpoints"), (Names{"round-000003", "round-000004"}));
  prune_checkpoints(run.path() / "missing", 1);
}

}  // namespace
}  // namespace resist
