#include "resist/run/average_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "resist/checkpoint/checkpoint.h"
#include "resist/config/option.h"
#include "resist/config/resolve.h"
#include "resist/config/toml_file.h"
#include "resist/core/file.h"
#include "resist/run/checkpointing.h"
#include "support/file_size_limit.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"
#include "support/training.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

using Values = std::vector<float>;

void write_part(CheckpointWriter& writer, const std::string& name, const std::map<std::string, Values>& tensors) {
  std::vector<TensorSpec> specs;
  specs.reserve(tensors.size());
  for (const auto& [tensor, values] : tensors) {
    specs.push_back({.name = tensor, .shape = {static_cast<std::int64_t>(values.size())}});
  }
  SafetensorsWriter& part = writer.begin_part(name, specs);
  for (const auto& [tensor, values] : tensors) {
    part.append(values);
  }
  writer.finish_part();
}

Values read(const Checkpoint& checkpoint, const std::string& part, const std::string& tensor, std::size_t size) {
  Values values(size);
  checkpoint.part(part).read(tensor, values);
  return values;
}

CheckpointState state_of(std::int64_t round) {
  return {.round = round,
          .iteration = 10 * round,
          .samples = 100 * round,
          .stream_position = 5 * round,
          .returned_batches = {round, round + 1},
          .workers = 2,
          .block_scale = {0.5},
          .hands = {{1}, {2}},
          .paces = {{0.25}, {0.5}},
          .accuracy = 0.75,
          .config = to_json(small_config())};
}

// A run that was never trained, with checkpoints made by hand.
class AverageRun : public ::testing::Test {
 protected:
  AverageRun() {
    fs::create_directory(run());
    keep(3);
    write_file_atomically(run() / "data.json", "{\"of\": \"the run\"}\n");
  }

  fs::path run() const { return folder_.path() / "run"; }
  fs::path mean() const { return folder_.path() / "mean"; }

  void keep(int checkpoints) const {
    Config config = small_config();
    config.run.keep_checkpoints = checkpoints;
    write_file_atomically(run() / "config.toml", to_toml(config));
  }
  void save(const CheckpointState& state, const Values& shared, const Values& block) const {
    CheckpointWriter writer(run(), state);
    write_part(writer, "shared", {{"conv1.weight", shared}, {"fc.bias", {static_cast<float>(state.round)}}});
    write_part(writer, "blocks", {{"layer3.1.conv1.weight", block}});
    write_part(writer, "momentum-shared", {{"conv1.weight", shared}});
    writer.commit();
  }
  void save_three() const {
    save(state_of(2), {1e8F, 1, 3}, {1, 1e-8F});
    save(state_of(4), {1, 2, 3}, {2, -1e-8F});
    save(state_of(7), {-1e8F, 4, 3}, {4, 3e-8F});
  }
  // That it is refused, with nothing left.
  std::string refused(std::optional<int> newest = std::nullopt) const {
    std::string message = input_error([&] { run_average(run(), newest, mean()); });
    EXPECT_FALSE(fs::exists(mean()));
    return message;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(AverageRun, IsTheMeanOfEveryParameterRoundedOnce) {
  save_three();
  const AverageReport report = run_average(run(), std::nullopt, mean());
  EXPECT_EQ(report.folder, mean());
  EXPECT_EQ(report.rounds, (std::vector<std::int64_t>{2, 4, 7}));
  EXPECT_EQ(report.parameters, 3 + 1 + 2);
  const Checkpoint checkpoint = open_checkpoint(mean(), "last");
  // In float the first would be 0: 1e8 + 1 is 1e8 there.
  EXPECT_EQ(read(checkpoint, "shared", "conv1.weight", 3),
            (Values{static_cast<float>(1. / 3), static_cast<float>(7. / 3), 3}));
  EXPECT_EQ(read(checkpoint, "shared", "fc.bias", 1), Values{static_cast<float>(13. / 3)});
  EXPECT_EQ(read(checkpoint, "blocks", "layer3.1.conv1.weight", 2),
            (Values{static_cast<float>(7. / 3), static_cast<float>((1e-8F + 0. - 1e-8F + 3e-8F) / 3)}));
}

TEST_F(AverageRun, IsOfTheNewestOnly) {
  save_three();
  EXPECT_EQ(run_average(run(), 2, mean()).rounds, (std::vector<std::int64_t>{4, 7}));
  EXPECT_EQ(read(open_checkpoint(mean(), "last"), "shared", "conv1.weight", 3), (Values{-49999999.5F, 3, 3}));
}

// The best one is kept besides, and may be of long ago.
TEST_F(AverageRun, IsOfAsManyAsTheRunKeeps) {
  save_three();
  keep(2);
  EXPECT_EQ(run_average(run(), std::nullopt, mean()).rounds, (std::vector<std::int64_t>{4, 7}));
  fs::remove_all(mean());
  keep(1);
  EXPECT_TRUE(contains(refused(), "--keep-checkpoints"));
}

TEST_F(AverageRun, StandsWhereTheNewestStandsAndHasNoMomentum) {
  save_three();
  run_average(run(), std::nullopt, mean());
  EXPECT_EQ(checkpoint_rounds(mean()), std::vector<std::int64_t>{7});
  const Checkpoint checkpoint = open_checkpoint(mean(), "last");
  EXPECT_FALSE(checkpoint.has_part("momentum-shared"));
  const CheckpointState expected = state_of(7);
  const CheckpointState& state = checkpoint.state();
  EXPECT_EQ(state.iteration, expected.iteration);
  EXPECT_EQ(state.samples, expected.samples);
  EXPECT_EQ(state.stream_position, expected.stream_position);
  EXPECT_EQ(state.returned_batches, expected.returned_batches);
  EXPECT_EQ(state.workers, expected.workers);
  EXPECT_EQ(state.block_scale, expected.block_scale);
  EXPECT_EQ(state.hands, expected.hands);
  EXPECT_EQ(state.paces, expected.paces);
  EXPECT_EQ(state.config, expected.config);
  EXPECT_EQ(state.accuracy, std::nullopt);
  Config config = small_config();
  config.run.run_dir = mean();
  config.run.keep_checkpoints = 3;
  EXPECT_EQ(to_json(load_run_config(mean())), to_json(config));
  EXPECT_EQ(read_file(mean() / "data.json"), read_file(run() / "data.json"));
}

TEST_F(AverageRun, NeedsAsManyCheckpointsAsAreAskedFor) {
  EXPECT_TRUE(contains(refused(), "at least 2 checkpoints can't be made: the run '" + run().string() + "' has none;"));
  save(state_of(2), {1}, {2});
  EXPECT_TRUE(contains(refused(), "has only that of round 2;"));
  save(state_of(4), {3}, {4});
  const std::string message = refused(3);
  EXPECT_TRUE(contains(message, "a mean of 3 checkpoints"));
  EXPECT_TRUE(contains(message, "has only those of rounds 2, 4;"));
  EXPECT_TRUE(contains(message, "--keep-checkpoints"));
  EXPECT_TRUE(contains(message, "--checkpoint-every"));
}

TEST_F(AverageRun, RefusesAnotherNetwork) {
  CheckpointState other = state_of(2);
  other.config["width"] = 8;
  save(other, {1}, {2});
  save(state_of(4), {3}, {4});
  EXPECT_TRUE(contains(refused(), "with another --width than"));
  save(state_of(2), {1}, {2, 3});
  EXPECT_TRUE(contains(refused(), "other tensors in their part blocks"));
  save(state_of(2), {1, 2}, {2});
  EXPECT_TRUE(contains(refused(), "other tensors in their part shared"));
}

TEST_F(AverageRun, RefusesOtherResidualScalesAndSaysHowManyAgree) {
  CheckpointState full = state_of(2);
  full.block_scale = {1};
  save(full, {1}, {2});
  save(state_of(4), {3}, {4});
  EXPECT_TRUE(contains(refused(), "rounds 2 and 4 have other residual scales, 1.0000 and 0.5000: a phase at full"));
  EXPECT_TRUE(contains(refused(), "a mean takes two of one scale"));
  save(state_of(5), {3}, {4});
  EXPECT_TRUE(contains(refused(), "; --newest 2 averages those after it"));
  EXPECT_EQ(run_average(run(), 2, mean()).rounds, (std::vector<std::int64_t>{4, 5}));
}

TEST_F(AverageRun, RefusesADamagedCheckpoint) {
  save_three();
  const fs::path part = run() / "checkpoints/round-000004/blocks.safetensors";
  std::string content = read_file(part);
  content.back() ^= 1;
  write_file_atomically(part, content);
  EXPECT_TRUE(contains(refused(), part.string() + "' is damaged"));
}

TEST_F(AverageRun, NeverOverwrites) {
  save_three();
  write_file_atomically(mean(), "a file\n");
  EXPECT_TRUE(contains(input_error([&] { run_average(run(), 2, mean()); }), "is there already"));
  EXPECT_EQ(read_file(mean()), "a file\n");
  fs::remove(mean());
  fs::create_directory(mean());
  EXPECT_TRUE(contains(input_error([&] { run_average(run(), 2, mean()); }), "is there already"));
  EXPECT_TRUE(fs::is_empty(mean()));
}

TEST_F(AverageRun, LiesBesideTheRunUnlessToldOtherwise) {
  save_three();
  const fs::path beside = run().string() + "-average";
  EXPECT_EQ(run_average(run() / ".", 2, "").folder, beside);
  fs::remove_all(beside);
  const fs::path before = fs::current_path();
  fs::current_path(run());
  const AverageReport report = run_average(".", 2, "");
  fs::current_path(before);
  EXPECT_EQ(report.folder, fs::canonical(beside));
}

TEST_F(AverageRun, LeavesNothingWhenItFails) {
  save(state_of(2), Values(10'000, 1), {2});
  save(state_of(4), Values(10'000, 3), {4});
  int calls = 0;
  EXPECT_THROW(run_average(run(), 2, mean(),
                           [&] {
                             if (++calls == 5) {  // two checkpoints, then the last of three tensors
                               EXPECT_TRUE(fs::exists(mean() / "config.toml"));
                               throw std::runtime_error("stopped");
                             }
                           }),
               std::runtime_error);
  EXPECT_EQ(calls, 5);
  EXPECT_FALSE(fs::exists(mean()));
  {
    const FileSizeLimit full(20'000);
    EXPECT_THROW(run_average(run(), 2, mean()), Error);
  }
  EXPECT_FALSE(fs::exists(mean()));
  run_average(run(), 2, mean());
}

// Trains, and keeps checkpoints of all rounds.
void train(const TrainingSetup& setup, const fs::path& run_dir) {
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    observer.after_round = [&](Trainer& now, const RoundRecord& /*record*/) {
      save_checkpoint(now, run_dir, std::nullopt);
    };
    trainer.run(observer);
  });
}

TEST(AverageOfATraining, GoesOnWithoutMomentum) {
  Config config = small_config();
  config.train.momentum_sync = MomentumSync::carry;
  config.train.rounds = 2;
  config.sync.compress = Compression::int8;
  config.outer = {.lr = 0.7, .momentum = 0.9};
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  const fs::path mean = folder.path() / "mean";
  fs::create_directory(run);
  write_file_atomically(run / "config.toml", to_toml(config));
  const TrainingSetup setup = prepare_training(config, 2);
  train(setup, run);
  run_average(run, std::nullopt, mean);
  for (const fs::path& from : {run, mean}) {
    const Checkpoint checkpoint = open_checkpoint(from, "last");
    const bool has_momentum = from == run;
    run_in_process(2, [&](Communicator& communicator) {
      const std::atomic<int> stop = 0;
      Trainer trainer(setup, communicator, position_of(checkpoint.state()), stop);
      restore_checkpoint(trainer, communicator.rank() == 0 ? &checkpoint : nullptr);
      const auto all_zero = [size = setup.layout.shared_size](const float* values) {
        return std::all_of(values, values + size, [](float value) { return value == 0; });
      };
      EXPECT_EQ(all_zero(trainer.parameters().momentum()), !has_momentum);
      EXPECT_EQ(all_zero(trainer.residual()), !has_momentum);
      EXPECT_EQ(all_zero(trainer.outer_momentum()), !has_momentum);
      for (const auto& [name, values] : named_values(trainer.parameters())) {
        const std::string part = name.starts_with("layer3.") && !name.starts_with("layer3.0.") ? "blocks" : "shared";
        EXPECT_EQ(values, read(checkpoint, part, name, values.size())) << name;
      }
    });
  }
}

}  // namespace
}  // namespace resist
