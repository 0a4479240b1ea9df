#include <gtest/gtest.h>

#include <fstream>

#include "checkpoint/checkpoint_samples.h"
#include "resist/core/file.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using Names = std::vector<std::string>;

TEST(CheckpointWriter, LeavesAFolderWithPartsAndManifest) {
  const TemporaryFolder run;
  write_sample(run.path(), 120);
  EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{"round-000120"});
  EXPECT_EQ(names_in(run.path() / "checkpoints" / "round-000120"),
            (Names{"blocks.safetensors", "manifest.json", "shared.safetensors"}));
  expect_right_values(open_checkpoint(run.path(), "last"));
}

TEST(CheckpointWriter, NothingShowsBeforeCommit) {
  const TemporaryFolder run;
  {
    CheckpointWriter writer(run.path(), {.round = 1});
    writer.begin_part("shared", {{"x", {0}}});
    writer.finish_part();
    EXPECT_TRUE(checkpoint_rounds(run.path()).empty());
    EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{".round-000001.tmp"});
  }
  EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{});
}

TEST(CheckpointWriter, ReplacesACheckpointOfTheSameRound) {
  const TemporaryFolder run;
  write_sample(run.path(), 5, 0.5, 1);
  write_sample(run.path(), 5, 0.6, 2);
  EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{"round-000005"});
  const Checkpoint checkpoint = open_checkpoint(run.path(), "5");
  EXPECT_EQ(checkpoint.state().samples, 2);
  expect_right_values(checkpoint);
}

TEST(CheckpointWriter, RefusesPartsOutOfOrder) {
  const TemporaryFolder run;
  CheckpointWriter writer(run.path(), {.round = 1});
  EXPECT_THROW(writer.finish_part(), Error);
  EXPECT_THROW(writer.begin_part("../x", {}), Error);
  EXPECT_THROW(writer.begin_part("", {}), Error);
  writer.begin_part("a", {{"x", {1}}}).append(std::vector<float>(1));
  EXPECT_THROW(writer.begin_part("b", {}), Error);
  EXPECT_THROW(writer.commit(), Error);
  writer.finish_part();
  EXPECT_THROW(writer.begin_part("a", {}), Error);
  writer.commit();
  EXPECT_THROW(writer.commit(), Error);
  EXPECT_THROW(CheckpointWriter(run.path(), {.round = -1}), Error);
}

TEST(CheckpointWriter, AMissingValueIsNeverCommitted) {
  const TemporaryFolder run;
  {
    CheckpointWriter writer(run.path(), {.round = 1});
    writer.begin_part("a", {{"x", {2}}}).append(std::vector<float>(1));
    EXPECT_THROW(writer.finish_part(), Error);
    EXPECT_THROW(writer.commit(), Error);
  }
  EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{});
}

TEST(CheckpointWriter, NamesTheFolderThatCantBeMade) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "file", "");
  const std::string message = message_of<Error>([&] { CheckpointWriter(folder.path() / "file", {.round = 1}); });
  EXPECT_NE(message.find((folder.path() / "file").string()), std::string::npos) << message;
}

TEST(CheckpointWriter, AFullDiskNamesTheFileAndLeavesEarlierOnesUntouched) {
  const TemporaryFolder run;
  write_sample(run.path(), 1, std::nullopt, 1);
  const auto part_bytes = std::filesystem::file_size(run.path() / "checkpoints/round-000001/shared.safetensors");
  const auto manifest_bytes = std::filesystem::file_size(run.path() / "checkpoints/round-000001/manifest.json");
  // The limit strikes in a part's header, in its values, at its last byte; at the same round and at a new one.
  for (const rlim_t limit : {rlim_t{0}, rlim_t{10}, rlim_t{manifest_bytes}, rlim_t{part_bytes - 1}}) {
    for (const std::int64_t round : {1, 2}) {
      std::string message;
      {
        const FileSizeLimit full(limit);
        message = message_of<Error>([&] { write_sample(run.path(), round, std::nullopt, 2); });
      }
      EXPECT_NE(message.find(".tmp/shared.safetensors"), std::string::npos) << message;
      EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{"round-000001"});
      const Checkpoint checkpoint = open_checkpoint(run.path(), "last");
      EXPECT_EQ(checkpoint.state().samples, 1);
      expect_right_values(checkpoint);
    }
  }
}

TEST(CheckpointWriter, ADiskThatIsFullForTheManifestLeavesNothing) {
  const TemporaryFolder run;
  write_sample(run.path(), 1);
  std::string message;
  {
    CheckpointWriter writer(run.path(), {.round = 2});
    writer.begin_part("empty", {});
    writer.finish_part();
    const FileSizeLimit full(100);
    message = message_of<Error>([&] { writer.commit(); });
  }
  EXPECT_NE(message.find("manifest.json"), std::string::npos) << message;
  EXPECT_EQ(names_in(run.path() / "checkpoints"), Names{"round-000001"});
}

}  // namespace
}  // namespace resist
