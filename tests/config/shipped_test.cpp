#include "resist/config/shipped.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "resist/config/model_presets.h"
#include "resist/config/resolve.h"
#include "resist/core/file.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

Config config_named(const std::string& name) {
  return resolve_train(name, {}).config;
}

TEST(ShippedConfigs, AreThereAndValid) {
  std::set<std::string> names;
  for (const ShippedConfig& shipped : shipped_configs()) {
    names.insert(shipped.name);
    EXPECT_TRUE(shipped.text.starts_with("# ")) << shipped.name << " says nothing of itself";
    const Config config = config_named(shipped.name);
    EXPECT_EQ(config.train.method, Method::resist) << shipped.name;
    EXPECT_EQ(config.cluster.workers.most, 0) << shipped.name << ": how many there are is the user's to say";
    model_preset(config.model.model);  // throws if there is none
  }
  const std::set<std::string> expected = {"cifar10-paper", "cifar100-paper", "fashion-mnist",
                                          "imagenet",      "imagenet-paper", "quickstart"};
  EXPECT_EQ(names, expected);
}

// The repository itself has a file called quickstart.
TEST(ShippedConfigs, WinOverAFileOfTheirName) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("quickstart", "lr = 0.5\n");
  const Config shipped = config_named("quickstart");
  const Config file = config_named("./quickstart");
  std::filesystem::current_path(before);
  EXPECT_NE(shipped.train.lr, 0.5);
  EXPECT_EQ(file.train.lr, 0.5);
}

// What the ResIST paper trains with, in all of its experiments.
TEST(ShippedConfigs, OfThePaperHaveItsSettings) {
  for (const std::string name : {"cifar10-paper", "cifar100-paper", "imagenet-paper"}) {
    const Config config = config_named(name);
    EXPECT_EQ(config.model.model, "preact-resnet101") << name;
    EXPECT_EQ(config.train.local_iterations, 50) << name;
    EXPECT_EQ(config.train.lr, 0.03) << name;
    EXPECT_EQ(config.train.momentum, 0.9) << name;
    EXPECT_EQ(config.train.momentum_sync, MomentumSync::reset) << name;
    EXPECT_EQ(config.train.weight_decay, 5e-4) << name;
    EXPECT_TRUE(config.train.decay_norms) << name;
    EXPECT_EQ(config.train.schedule, Schedule::step) << name;
    EXPECT_EQ(config.data.data_mode, DataMode::replicated) << name;
    EXPECT_EQ(config.partition.partition_sections, std::vector<int>{3}) << name;
  }
}

TEST(ShippedConfigs, OfThePaperOnCifarTrain160EpochsInBatchesOf128) {
  for (const std::string name : {"cifar10-paper", "cifar100-paper"}) {
    const Config config = config_named(name);
    EXPECT_EQ(config.data.data + "-paper", name);
    EXPECT_EQ(config.train.epochs, 160) << name;
    EXPECT_EQ(config.train.batch_size, 128) << name;
    EXPECT_EQ(config.data.crop_padding, 4) << name;
    EXPECT_EQ(config.data.flip, true) << name;
    EXPECT_EQ(config.train.warmup_epochs, 0) << name;
  }
}

TEST(ShippedConfigs, OfThePaperOnImagenetBeginWithLocalSgd) {
  EXPECT_GT(config_named("imagenet-paper").train.warmup_epochs, 0);
}

}  // namespace
}  // namespace resist
