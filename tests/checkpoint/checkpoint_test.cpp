#include "resist/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "checkpoint/checkpoint_samples.h"
#include "resist/core/file.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& run_dir, int round) {
  return run_dir / "checkpoints" / ("round-00000" + std::to_string(round));
}

void flip_byte(const fs::path& path, std::streamoff place) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(place);
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(place);
  file.put(byte);
}

TEST(OpenCheckpoint, FindsLastBestAndRounds) {
  const TemporaryFolder run;
  write_sample(run.path(), 1, 0.7);
  write_sample(run.path(), 2, 0.8);
  write_sample(run.path(), 3, 0.8);
  write_sample(run.path(), 4, 0.2);
  write_sample(run.path(), 5);
  EXPECT_EQ(checkpoint_rounds(run.path()), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(open_checkpoint(run.path(), "last").state().round, 5);
  EXPECT_EQ(open_checkpoint(run.path(), "best").state().round, 3);
  EXPECT_EQ(open_checkpoint(run.path(), "2").state().round, 2);
  EXPECT_EQ(open_checkpoint(run.path(), "last").folder(), folder_of(run.path(), 5));
}

TEST(OpenCheckpoint, BestIsLastWhereNoneWasEvaluated) {
  const TemporaryFolder run;
  write_sample(run.path(), 1);
  write_sample(run.path(), 2);
  EXPECT_EQ(open_checkpoint(run.path(), "best").state().round, 2);
}

TEST(OpenCheckpoint, SaysWhichRoundsThereAre) {
  const TemporaryFolder run;
  const auto message = [&](const std::string& which) {
    return message_of<InputError>([&] { open_checkpoint(run.path(), which); });
  };
  EXPECT_NE(message("last").find("no complete checkpoint"), std::string::npos) << message("last");
  write_sample(run.path(), 3);
  write_sample(run.path(), 7);
  for (const char* which : {"4", "-1", "", "first", "3x", " 3", "99999999999999999999"}) {
    EXPECT_NE(message(which).find("rounds 3, 7"), std::string::npos) << message(which);
  }
  EXPECT_NE(message_of<InputError>([&] { open_checkpoint(run.path() / "missing", "last"); }).find("no run folder"),
            std::string::npos);
}

struct Damage {
  const char* name;
  const char* file;  // that the warning must name
  std::function<void(const fs::path&)> inflict;
};

std::vector<Damage> damages() {
  return {
      {"part truncated", "shared.safetensors",
       [](const fs::path& folder) {
         fs::resize_file(folder / "shared.safetensors", fs::file_size(folder / "shared.safetensors") - 1);
       }},
      {"part longer", "blocks.safetensors",
       [](const fs::path& folder) { std::ofstream(folder / "blocks.safetensors", std::ios::app) << "x"; }},
      {"byte flipped in a header", "shared.safetensors",
       [](const fs::path& folder) { flip_byte(folder / "shared.safetensors", 30); }},
      {"byte flipped in values", "blocks.safetensors",
       [](const fs::path& folder) { flip_byte(folder / "blocks.safetensors", 9000); }},
      {"part missing", "blocks.safetensors", [](const fs::path& folder) { fs::remove(folder / "blocks.safetensors"); }},
      {"part is a folder", "blocks.safetensors",
       [](const fs::path& folder) {
         fs::remove(folder / "blocks.safetensors");
         fs::create_directory(folder / "blocks.safetensors");
       }},
      {"manifest missing", "manifest.json", [](const fs::path& folder) { fs::remove(folder / "manifest.json"); }},
      {"manifest empty", "manifest.json", [](const fs::path& folder) { fs::resize_file(folder / "manifest.json", 0); }},
      {"manifest cut", "manifest.json", [](const fs::path& folder) { fs::resize_file(folder / "manifest.json", 100); }},
      {"byte flipped in the manifest", "manifest.json",
       [](const fs::path& folder) { flip_byte(folder / "manifest.json", 60); }},
      {"other JSON", "manifest.json",
       [](const fs::path& folder) { write_file_atomically(folder / "manifest.json", "{\"round\": []}"); }},
  };
}

TEST(OpenCheckpoint, ADamagedNewestIsNamedAndTheOneBeforeItUsed) {
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    const TemporaryFolder run;
    write_sample(run.path(), 1, 0.5);
    write_sample(run.path(), 2, 0.6);
    damage.inflict(folder_of(run.path(), 2));
    const std::string file = (folder_of(run.path(), 2) / damage.file).string();
    for (const char* which : {"last", "best"}) {
      const CapturedLog log;
      const Checkpoint checkpoint = open_checkpoint(run.path(), which);
      EXPECT_EQ(checkpoint.state().round, 1);
      expect_right_values(checkpoint);
      EXPECT_NE(log.text().find(file), std::string::npos) << log.text();
      EXPECT_NE(log.text().find("warn"), std::string::npos) << log.text();
    }
    const std::string message = message_of<InputError>([&] { open_checkpoint(run.path(), "2"); });
    EXPECT_NE(message.find(file), std::string::npos) << message;
  }
}

TEST(OpenCheckpoint, SaysSoWhenAllAreDamaged) {
  const TemporaryFolder run;
  write_sample(run.path(), 1);
  flip_byte(folder_of(run.path(), 1) / "shared.safetensors", 9000);
  const CapturedLog log;
  const std::string message = message_of<InputError>([&] { open_checkpoint(run.path(), "last"); });
  EXPECT_NE(message.find("every checkpoint"), std::string::npos) << message;
  EXPECT_NE(message.find("shared.safetensors"), std::string::npos) << message;
}

TEST(Checkpoint, KnowsItsParts) {
  const TemporaryFolder run;
  write_sample(run.path(), 1);
  const Checkpoint checkpoint(folder_of(run.path(), 1));
  EXPECT_TRUE(checkpoint.has_part("shared"));
  EXPECT_FALSE(checkpoint.has_part("momentum"));
  EXPECT_EQ(checkpoint.part("blocks").metadata().at("round"), "1");
  EXPECT_NE(message_of<InputError>([&] { checkpoint.part("momentum"); }).find("blocks, shared"), std::string::npos);
  EXPECT_EQ(checkpoint.state().config.at("seed"), 1);
  EXPECT_EQ(checkpoint.state().workers, 4);
}

}  // namespace
}  // namespace resist
