#include "resist/cli/parse.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "config/changed_options.h"
#include "resist/config/option.h"
#include "resist/config/recipe.h"
#include "resist/config/toml_file.h"
#include "resist/core/file.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using Args = std::vector<std::string>;

std::string refused(const Args& args) {
  return input_error([&] { parse(args); });
}

TrainCommand train(const Args& args) {
  return std::get<TrainCommand>(parse(args));
}

std::string message(const Args& args) {
  return std::get<Message>(parse(args)).text;
}

TEST(Parse, TrainTakesEveryOptionOfTheTable) {
  // What some go with only.
  const std::map<std::string, std::pair<std::string, std::string>> needs = {
      {"outer-nesterov", {"outer-momentum", "0.5"}}, {"overlap-iterations", {"overlap", "true"}}};
  for (const auto& [name, text] : changed_options()) {
    if (name == "resume" || name == "replay-membership") {
      continue;  // needs a run; see below
    }
    Config expected = recipe_config(kUsualRecipe, name == "method" ? Method::data_parallel : Method::resist);
    set_option(expected, name, text);
    Args args = {"train", fmt::format("--{}={}", name, text)};
    if (name == "nesterov") {
      args.back() = "--nesterov";
    }
    if (const auto found = needs.find(name); found != needs.end()) {
      const auto& [other, value] = found->second;
      args.push_back(fmt::format("--{}={}", other, value));
      set_option(expected, other, value);
    }
    const TrainCommand command = train(args);
    EXPECT_EQ(to_json(command.config), to_json(expected)) << name;
    EXPECT_TRUE(command.given.contains(name)) << name;
  }
}

TEST(Parse, TrainTakesValuesBehindASpaceOrAnEqualsSign) {
  const Config config = train({"train", "--workers", "4", "--lr=1e-3", "--depths", "1,2,12,1"}).config;
  EXPECT_EQ(config.cluster.workers.most, 4);
  EXPECT_EQ(config.train.lr, 1e-3);
  EXPECT_EQ(config.model.depths, (std::vector<int>{1, 2, 12, 1}));
  EXPECT_EQ(to_json(train({"train"}).config), to_json(recipe_config(kUsualRecipe)));
}

TEST(Parse, SwitchesAreOnAloneAndTakeAValueBehindAnEqualsSign) {
  EXPECT_EQ(train({"train", "--flip"}).config.data.flip, true);
  EXPECT_EQ(train({"train", "--flip=false"}).config.data.flip, false);
  EXPECT_EQ(train({"train", "--flip=auto"}).config.data.flip, std::nullopt);
  EXPECT_FALSE(train({"train", "--in-process=false"}).config.cluster.in_process);
  EXPECT_EQ(refused({"train", "--flip", "false"}),
            "unexpected argument 'false'; a switch takes its value as --NAME=false");
  EXPECT_EQ(refused({"train", "--no-flip"}), "unknown option '--no-flip'; did you mean '--flip=false'?");
  EXPECT_EQ(refused({"train", "--nesterov=yes"}), "--nesterov is 'yes'; it must be true or false");
}

TEST(Parse, MistakesGiveOneClearLine) {
  EXPECT_EQ(refused({"train", "--wokers", "4"}), "unknown option '--wokers'; did you mean '--workers'?");
  EXPECT_EQ(refused({"train", "--wokers=4"}), "unknown option '--wokers'; did you mean '--workers'?");
  EXPECT_EQ(refused({"train", "--xyzzy"}), "unknown option '--xyzzy'; 'resist train --help' lists the options");
  EXPECT_EQ(refused({"trian", "--workers", "4"}), "unknown command 'trian'; did you mean 'train'?");
  EXPECT_EQ(
      refused({"frobnicate"}),
      "unknown command 'frobnicate'; it must be train, watch, serve, report, average, evaluate, calibrate, export, "
      "predict, plan, simulate, data, rendezvous, doctor, completion or man");
  EXPECT_EQ(refused({"train", "--workers", "four"}),
            "--workers is 'four'; it must be an integer from 0 to 1024, or MIN:MAX with 1 to 1024 each");
  EXPECT_EQ(refused({"train", "--lr", "-1"}), "--lr is -1; it must be a number from 0 to 1000");
  EXPECT_EQ(refused({"train", "--lr"}), "--lr needs a value");
  EXPECT_EQ(refused({"train", "--lr", "--flip"}), "--lr needs a value, but '--flip' follows it");
  EXPECT_EQ(refused({"train", "--lr", "1", "--lr", "2"}), "--lr is given 2 times; give it once");
  EXPECT_EQ(refused({"train", "--flip", "--flip"}), "--flip is given 2 times; give it once");
  EXPECT_TRUE(contains(refused({"train", "fashion-mnist"}), "unexpected argument 'fashion-mnist'"));
  EXPECT_TRUE(contains(refused({"train", "plan"}), "unexpected argument 'plan'"));
  EXPECT_TRUE(contains(refused({"--workers", "4"}), "unknown option '--workers'"));
  EXPECT_TRUE(contains(refused({}), "no command given; it must be train, watch, serve, "));
  for (const Args& args : std::vector<Args>{{""},
                                            {"-"},
                                            {"--"},
                                            {"train", ""},
                                            {"train", "-"},
                                            {"train", "-x"},
                                            {"train", "--=3"},
                                            {"train", "---"},
                                            {"train", "--lr="}}) {
    refused(args);
  }
}

TEST(Parse, HelpListsEveryOptionInItsGroupAndGivesExamples) {
  const std::string help = message({"train", "--help"});
  for (const auto& option : option_table()) {
    EXPECT_TRUE(contains(help, "--" + option.name)) << option.name;
    EXPECT_TRUE(contains(help, "\n" + option.group + ":")) << option.group;
  }
  EXPECT_TRUE(contains(help, "--config FILE"));
  for (const std::string command : {"train", "watch", "average", "evaluate", "calibrate", "export", "predict", "plan",
                                    "doctor", "completion", "man"}) {
    EXPECT_TRUE(contains(message({command, "--help"}), "Examples:\n  resist " + command)) << command;
    EXPECT_EQ(message({command, "-h"}), message({command, "--help"}));
    EXPECT_TRUE(contains(message({"--help"}), "\n  " + command));
    EXPECT_EQ(message({command, "--help"}).back(), '\n');
  }
  EXPECT_TRUE(message({"--version"}).starts_with("resist "));
  EXPECT_EQ(message({"--version"}).back(), '\n');
}

TEST(Parse, FlagsWinOverTheConfigFile) {
  const TemporaryFolder folder;
  const auto file = (folder.path() / "my.toml").string();
  write_file_atomically(file, "lr = 0.5\nworkers = 2\n");
  const TrainCommand command = train({"train", "--config", file, "--workers", "4"});
  EXPECT_EQ(command.config.train.lr, 0.5);
  EXPECT_EQ(command.config.cluster.workers.most, 4);
  write_file_atomically(file, "lr = 'fast'\n");
  EXPECT_EQ(refused({"train", "--config", file}), file + ":1: lr is 'fast'; it must be a number from 0 to 1000");
}

// A folder with a stored run.
class ParseWithRun : public ::testing::Test {
 protected:
  ParseWithRun() {
    Config config;
    config.train.lr = 0.5;
    config.data.data = "kmnist";
    config.cluster.workers.most = 4;
    write_file_atomically(folder_.path() / "config.toml", to_toml(config));
  }
  std::string run() const { return folder_.path().string(); }

 private:
  TemporaryFolder folder_;
};

TEST_F(ParseWithRun, TrainResumes) {
  const TrainCommand command = train({"train", "--resume", run(), "--rounds", "7"});
  EXPECT_EQ(command.config.train.lr, 0.5);
  EXPECT_EQ(command.config.train.rounds, 7);
  EXPECT_FALSE(command.given.contains("workers"));
  EXPECT_TRUE(contains(refused({"train", "--resume", run(), "--lr", "0.1"}), "--lr (was 0.5, now 0.1)"));
}

TEST_F(ParseWithRun, EvaluateTakesTheRunsOptionsAndItsOwn) {
  const auto command = std::get<EvaluateCommand>(parse({"evaluate", run()}));
  EXPECT_EQ(command.run.run_dir, run());
  EXPECT_EQ(command.run.checkpoint, "last");
  EXPECT_EQ(command.on, EvaluatedOn::test);
  EXPECT_EQ(command.run.config.data.data, "kmnist");
  EXPECT_EQ(command.format, OutputFormat::table);
  const auto other = std::get<EvaluateCommand>(parse({"evaluate", "--checkpoint", "12", run(), "--data", "mnist",
                                                      "--format=json", "--threads", "2", "--eval-batch-size", "50"}));
  EXPECT_EQ(other.run.checkpoint, "12");
  EXPECT_EQ(other.run.config.data.data, "mnist");
  EXPECT_EQ(other.run.config.cluster.threads, 2);
  EXPECT_EQ(other.run.config.evaluation.eval_batch_size, 50);
  EXPECT_EQ(other.format, OutputFormat::json);
}

TEST_F(ParseWithRun, EvaluateRefusesWhatItCannotUse) {
  EXPECT_EQ(refused({"evaluate"}),
            "evaluate needs the folder of a run: resist evaluate RUN; 'resist evaluate --help' shows more");
  EXPECT_TRUE(
      contains(refused({"evaluate", run() + "/missing"}), "is not the folder of a run: there is no such folder"));
  EXPECT_EQ(refused({"evaluate", run(), "--checkpoint", "bset"}),
            "--checkpoint is 'bset'; it must be last, best or the number of a round; did you mean 'best'?");
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--checkpoint=-1"}), "--checkpoint is '-1'"));
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--format", "jsno"}), "did you mean 'json'?"));
  EXPECT_TRUE(contains(refused({"evaluate", run(), run()}), "unexpected argument"));
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--lr", "1"}), "unknown option '--lr'"));
}

TEST_F(ParseWithRun, EvaluateOnHeldOutSamplesTakesNoTestSet) {
  EXPECT_EQ(std::get<EvaluateCommand>(parse({"evaluate", run(), "--on", "held-out"})).on, EvaluatedOn::held_out);
  EXPECT_EQ(std::get<EvaluateCommand>(parse({"evaluate", run(), "--on", "test", "--eval", "a=x"})).on,
            EvaluatedOn::test);
  EXPECT_EQ(refused({"evaluate", run(), "--on", "heldout"}),
            "--on is 'heldout'; it must be test or held-out; did you mean 'held-out'?");
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--on", "held-out", "--eval", "a=x"}), "--eval names a further"));
}

TEST_F(ParseWithRun, Average) {
  const auto plain = std::get<AverageCommand>(parse({"average", run()}));
  EXPECT_EQ(plain.run_dir, run());
  EXPECT_EQ(plain.newest, std::nullopt);
  EXPECT_EQ(plain.output, "");
  EXPECT_EQ(plain.format, OutputFormat::table);
  const auto other =
      std::get<AverageCommand>(parse({"average", run(), "--newest", "5", "-o", "mean", "--format", "json"}));
  EXPECT_EQ(other.newest, 5);
  EXPECT_EQ(other.output, "mean");
  EXPECT_EQ(other.format, OutputFormat::json);
  EXPECT_TRUE(contains(refused({"average"}), "average needs the folder of a run: resist average RUN"));
  EXPECT_TRUE(contains(refused({"average", run(), "--newest", "1"}), "--newest is '1'; it must be an integer from 2"));
  EXPECT_TRUE(contains(refused({"average", run(), "--checkpoint", "best"}), "unknown option '--checkpoint'"));
}

TEST_F(ParseWithRun, FurtherTestSetsAddUp) {
  const auto command =
      std::get<EvaluateCommand>(parse({"evaluate", run(), "--eval", "v2=a b,c", "--eval", "v3=/some/where"}));
  EXPECT_EQ(command.run.config.evaluation.eval, (std::vector<std::string>{"v2=a b,c", "v3=/some/where"}));
  const std::string allowed = "; it must be NAME=PATH, with a NAME of letters, digits, _, - and . that no other has";
  EXPECT_EQ(refused({"evaluate", run(), "--eval", "v2"}), "--eval is [\"v2\"]" + allowed);
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--eval", "v2="}), allowed));
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--eval", "v/2=x"}), allowed));
  EXPECT_TRUE(contains(refused({"evaluate", run(), "--eval", "a=x", "--eval", "a=y"}), allowed));
}

TEST_F(ParseWithRun, CalibrateAndExport) {
  const auto calibrate = std::get<CalibrateCommand>(
      parse({"calibrate", run(), "--choose-scale", "--calibrate-samples", "10", "--checkpoint", "best"}));
  EXPECT_TRUE(calibrate.choose_scale);
  EXPECT_EQ(calibrate.run.checkpoint, "best");
  EXPECT_EQ(calibrate.run.config.evaluation.calibrate_samples, 10);
  EXPECT_FALSE(std::get<CalibrateCommand>(parse({"calibrate", run()})).choose_scale);
  EXPECT_TRUE(contains(refused({"calibrate", run(), "--calibrate-samples", "0"}), "--calibrate-samples is 0"));
  EXPECT_EQ(refused({"calibrate", run(), "--choose-scale=maybe"}),
            "--choose-scale is 'maybe'; it must be true or false");

  const auto exported = std::get<ExportCommand>(parse({"export", run(), "--format", "onnx", "-o", "x.onnx"}));
  EXPECT_EQ(exported.format, ModelFormat::onnx);
  EXPECT_EQ(exported.output, "x.onnx");
  EXPECT_EQ(std::get<ExportCommand>(parse({"export", run(), "--output=y"})).output, "y");
  EXPECT_EQ(std::get<ExportCommand>(parse({"export", run()})).format, ModelFormat::safetensors);
  EXPECT_TRUE(contains(refused({"export", run(), "--format", "onx"}), "did you mean 'onnx'?"));
  EXPECT_TRUE(contains(refused({"export", run(), "--ouput", "y"}), "did you mean '--output'?"));
}

TEST(Parse, PredictTakesAnyNumberOfPictures) {
  const auto command = std::get<PredictCommand>(parse({"predict", "model", "a.jpg", "b.png", "--format", "json"}));
  EXPECT_EQ(command.model, "model");
  EXPECT_EQ(command.pictures, (std::vector<std::filesystem::path>{"a.jpg", "b.png"}));
  EXPECT_EQ(command.format, OutputFormat::json);
  EXPECT_TRUE(contains(refused({"predict"}), "predict needs a model.safetensors"));
  EXPECT_TRUE(contains(refused({"predict", "model"}), "predict needs pictures"));
}

TEST(Parse, DataCommands) {
  const auto pack = std::get<PackCommand>(
      parse({"data", "pack", "from", "to", "--storage", "pixels", "--resize", "32", "--skip-corrupt", "3"}));
  EXPECT_EQ(pack.source, "from");
  EXPECT_EQ(pack.destination, "to");
  EXPECT_EQ(pack.storage, PackStorage::pixels);
  EXPECT_EQ(pack.resize, 32);
  EXPECT_EQ(pack.skip_corrupt, 3);
  EXPECT_EQ(std::get<PackedInfoCommand>(parse({"data", "info", "x", "--format", "json"})).format, OutputFormat::json);
  EXPECT_EQ(std::get<VerifyCommand>(parse({"data", "verify", "x"})).file, "x");
  EXPECT_TRUE(contains(refused({"data"}), "no command given; it must be pack, info or verify"));
  EXPECT_TRUE(contains(refused({"data", "pak"}), "unknown command 'pak'; did you mean 'pack'?"));
  EXPECT_TRUE(contains(refused({"data", "pack", "from"}), "data pack needs the file to write"));
  EXPECT_TRUE(contains(refused({"data", "pack", "from", "to", "--resize", "0"}), "--resize is '0'"));
  EXPECT_TRUE(contains(message({"data", "pack", "--help"}), "Examples:\n  resist data pack"));
  EXPECT_TRUE(contains(message({"data", "--help"}), "verify"));
}

TEST(Parse, ShippedConfigurationsAreThereByName) {
  EXPECT_EQ(train({"train", "--config", "imagenet"}).config.model.model, "preact-bottleneck101");
  EXPECT_EQ(train({"train", "--config", "cifar100-paper"}).config.train.epochs, 160);
  EXPECT_TRUE(contains(refused({"train", "--config", "imagnet"}), "did you mean 'imagenet'?"));
  EXPECT_TRUE(contains(refused({"train", "--config", "nowhere/my.toml"}), "imagenet-paper, imagenet or quickstart"));
}

TEST(Parse, WatchDoctorCompletionAndMan) {
  const auto watch = std::get<WatchCommand>(parse({"watch", "runs/a", "--once"}));
  EXPECT_EQ(watch.run_dir, "runs/a");
  EXPECT_TRUE(watch.once);
  EXPECT_TRUE(contains(refused({"watch"}), "watch needs the folder of a run"));
  const auto doctor = std::get<DoctorCommand>(parse({"doctor", "--format", "json", "--data-dir", "/d"}));
  EXPECT_EQ(doctor.format, OutputFormat::json);
  EXPECT_EQ(doctor.data_dir, "/d");
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    EXPECT_TRUE(contains(message({"completion", shell}), "local-iterations"));
  }
  EXPECT_TRUE(contains(refused({"completion"}), "completion needs a shell"));
  EXPECT_TRUE(
      contains(refused({"completion", "fihs"}), "SHELL is 'fihs'; it must be bash, zsh or fish; did you mean 'fish'?"));
  EXPECT_EQ(std::get<ManualCommand>(parse({"man", "data", "pack"})).pages.at(0).name, "resist-data-pack.1");
  EXPECT_EQ(std::get<ManualCommand>(parse({"man"})).pages.size(), 1U);
  EXPECT_EQ(std::get<ManualCommand>(parse({"man", "--write", "man1"})).pages.at(0).name, "resist.1");
  EXPECT_TRUE(contains(refused({"man", "trian"}), "did you mean 'train'?"));
}

TEST(Parse, PlanNeedsNoData) {
  const auto command = std::get<PlanCommand>(parse({"plan", "--model", "preact-resnet101"}));
  EXPECT_FALSE(command.data_given);
  EXPECT_EQ(command.config.model.classes, 10);
  EXPECT_EQ(command.config.model.channels, 3);
  EXPECT_EQ(command.config.model.image_size, 32);
  EXPECT_EQ(command.workers, (std::vector<int>{2, 4, 8}));
  EXPECT_TRUE(command.bandwidths.empty());
  EXPECT_EQ(command.methods.size(), 3);
  EXPECT_EQ(std::get<PlanCommand>(parse({"plan", "--classes", "100"})).config.model.classes, 100);
}

TEST(Parse, PlanLeavesToTheDataWhatItKnows) {
  const auto command = std::get<PlanCommand>(parse({"plan", "--data", "cifar100", "--workers", "3,5", "--bandwidth",
                                                    "100mbit", "--format", "json", "--partition", "exact"}));
  EXPECT_TRUE(command.data_given);
  EXPECT_EQ(command.config.model.classes, 0);
  EXPECT_EQ(command.workers, (std::vector<int>{3, 5}));
  EXPECT_EQ(command.bandwidths, std::vector<double>{1e8});
  EXPECT_EQ(command.format, OutputFormat::json);
  EXPECT_EQ(command.config.partition.partition, PartitionMode::exact);
}

TEST(Parse, PlanRefusesWhatItCannotUse) {
  EXPECT_EQ(refused({"plan", "--workers", "2,0"}),
            "--workers is '2,0'; it must be a list of 1 to 64 integers from 1 to 1024");
  EXPECT_TRUE(contains(refused({"plan", "--workers="}), "--workers"));
  EXPECT_TRUE(contains(refused({"plan", "--bandwidth", "100"}), "--bandwidth is '100'"));
  const auto planned = std::get<PlanCommand>(parse({"plan", "--config", "imagenet", "--batch-size", "16"}));
  EXPECT_EQ(planned.config.train.warmup_epochs, 5);
  EXPECT_EQ(planned.config.train.batch_size, 16);
  EXPECT_TRUE(contains(refused({"plan", "--latency", "1ms,x"}), "--latency is 'x'"));
  EXPECT_TRUE(contains(refused({"plan", "--speed", "1gflops", "--measure", "2"}), "exclude each other"));
  EXPECT_TRUE(contains(refused({"plan", "--depths", "3,4"}), "--partition-sections has 3"));
  EXPECT_TRUE(contains(refused({"plan", "--run-dir", "x"}), "unknown option '--run-dir'"));
}

TEST_F(ParseWithRun, AnExportsFormatFollowsFromItsName) {
  const auto format = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"export", run()});
    return std::get<ExportCommand>(parse(more)).format;
  };
  EXPECT_EQ(format({}), ModelFormat::safetensors);
  EXPECT_EQ(format({"-o", "a.onnx"}), ModelFormat::onnx);
  EXPECT_EQ(format({"-o", "a.model"}), ModelFormat::safetensors);
  EXPECT_EQ(format({"-o", "a.model", "--format", "onnx"}), ModelFormat::onnx);
  EXPECT_TRUE(contains(refused({"export", run(), "-o", "a.safetensors", "--format", "onnx"}), "ends in .safetensors"));
}

}  // namespace
}  // namespace resist
