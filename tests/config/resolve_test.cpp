#include "resist/config/resolve.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "resist/config/option.h"
#include "resist/config/recipe.h"
#include "resist/config/toml_file.h"
#include "resist/core/file.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

using Flags = std::vector<std::pair<std::string, std::string>>;

std::vector<Setting> settings(const Flags& flags) {
  std::vector<Setting> result;
  for (const auto& [name, text] : flags) {
    result.push_back({name, find_option(name).parse(text), "--"});
  }
  return result;
}

// A stored run and a configuration file beside it.
class ResolveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Config config;
    set_option(config, "lr", "0.2");
    set_option(config, "workers", "4");
    set_option(config, "run-dir", "elsewhere/before/it/was/moved");
    std::filesystem::create_directory(run());
    write_file_atomically(run() / "config.toml", to_toml(config));
  }

  std::filesystem::path run() const { return folder_.path() / "run"; }
  std::filesystem::path file(const std::string& text) const {
    write_file_atomically(folder_.path() / "my.toml", text);
    return folder_.path() / "my.toml";
  }
  std::string resume_error(Flags flags) const {
    flags.emplace_back("resume", run().string());
    return input_error([&] { resolve_train({}, settings(flags)); });
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(ResolveTest, FlagsWinOverTheFileAndTheFileOverDefaults) {
  const auto resolved = resolve_train(file("lr = 0.5\nbatch-size = 16\n"), settings({{"lr", "0.7"}, {"seed", "9"}}));
  EXPECT_EQ(resolved.config.train.lr, 0.7);
  EXPECT_EQ(resolved.config.train.batch_size, 16);
  EXPECT_EQ(resolved.config.train.seed, 9U);
  EXPECT_EQ(resolved.config.train.momentum, 0.9);
  EXPECT_EQ(resolved.given, (std::set<std::string>{"batch-size", "lr", "seed"}));
}

TEST_F(ResolveTest, EverythingStartsFromARecipe) {
  EXPECT_EQ(to_json(resolve_train({}, {}).config), to_json(recipe_config(Recipe::best)));
  EXPECT_EQ(to_json(resolve_train({}, settings({{"recipe", "paper"}})).config), to_json(Config()));
  EXPECT_EQ(to_json(resolve_train(file("recipe = \"paper\"\n"), {}).config), to_json(Config()));
  EXPECT_EQ(to_json(resolve_train(file("recipe = \"paper\"\n"), settings({{"recipe", "best"}})).config),
            to_json(recipe_config(Recipe::best)));
}

// An outer step is for the mean of parameters.
TEST_F(ResolveTest, ARecipeIsWhatItsMethodHasAUseFor) {
  EXPECT_GT(resolve_train({}, settings({{"method", "local-sgd"}})).config.outer.momentum, 0);
  EXPECT_EQ(resolve_train({}, settings({{"method", "data-parallel"}})).config.outer.momentum, 0);
  EXPECT_EQ(resolve_train(file("method = 'data-parallel'\n"), {}).config.outer.momentum, 0);
  EXPECT_GT(resolve_train(file("method = 'data-parallel'\n"), settings({{"method", "resist"}})).config.outer.momentum,
            0);
}

TEST_F(ResolveTest, WhatIsGivenWinsOverTheRecipe) {
  const Config config = resolve_train(file("lr = 0.5\n"), settings({{"schedule", "constant"}})).config;
  EXPECT_EQ(config.train.lr, 0.5);
  EXPECT_EQ(config.train.schedule, Schedule::constant);
  EXPECT_EQ(config.train.label_smoothing, recipe_config(Recipe::best).train.label_smoothing);
}

TEST_F(ResolveTest, AResumedRunKeepsItsRecipe) {
  const Config config = resolve_train({}, settings({{"resume", run().string()}})).config;
  EXPECT_EQ(config.train.recipe, Recipe::paper);
  EXPECT_EQ(config.train.schedule, Schedule::step);
  EXPECT_TRUE(contains(resume_error({{"recipe", "best"}}), "--recipe (was 'paper', now 'best')"));
}

// Whatever else is given.
TEST_F(ResolveTest, ARecipeGoesWithEveryMethod) {
  for (const std::string method : {"resist", "local-sgd", "data-parallel"}) {
    for (const std::string recipe : {"paper", "best"}) {
      EXPECT_NO_THROW(resolve_train({}, settings({{"method", method}, {"recipe", recipe}}))) << method << ' ' << recipe;
    }
  }
  EXPECT_NO_THROW(resolve_train({}, settings({{"overlap", "true"}})));
  EXPECT_NO_THROW(resolve_train({}, settings({{"epochs", "0.01"}})));
}

TEST_F(ResolveTest, AnOverlappedAverageLandsWithinARound) {
  const auto refusal = [](const Flags& flags) { return input_error([&] { resolve_train({}, settings(flags)); }); };
  EXPECT_TRUE(contains(refusal({{"overlap-iterations", "3"}}), "give --overlap too"));
  EXPECT_TRUE(contains(refusal({{"overlap", "true"}, {"local-iterations", "20"}, {"overlap-iterations", "21"}}),
                       "allowed are 1 to 20"));
  EXPECT_NO_THROW(
      resolve_train({}, settings({{"overlap", "true"}, {"local-iterations", "20"}, {"overlap-iterations", "20"}})));
  EXPECT_NO_THROW(resolve_train({}, settings({{"overlap", "true"}, {"outer-momentum", "0.4"}})));
}

// Every round would be synchronised in full.
TEST_F(ResolveTest, WhatOtherRoundsSaveNeedsOtherRounds) {
  for (const char* saves : {"overlap", "last-section-every"}) {
    const std::string value = saves == std::string("overlap") ? "true" : "2";
    for (const char* every : {"eval-every", "checkpoint-every"}) {
      const std::string refused = input_error([&] { resolve_train({}, settings({{saves, value}, {every, "1"}})); });
      EXPECT_TRUE(contains(refused, fmt::format("--{} does nothing with --{} 1", saves, every))) << refused;
      EXPECT_NO_THROW(resolve_train({}, settings({{saves, value}, {every, "2"}})));
    }
  }
}

TEST_F(ResolveTest, TheResultIsValidated) {
  EXPECT_TRUE(contains(input_error([&] {
                         resolve_train(file("partition = 'exact'\n"), settings({{"min-blocks", "4"}}));
                       }),
                       "--min-blocks"));
}

TEST_F(ResolveTest, RoundsAndEpochsReplaceEachOtherInALaterLayerOnly) {
  EXPECT_EQ(resolve_train(file("epochs = 3\n"), settings({{"rounds", "5"}})).config.train.rounds, 5);
  const auto epochs = resolve_train(file("rounds = 5\n"), settings({{"epochs", "3"}})).config.train;
  EXPECT_EQ(epochs.rounds, 0);
  EXPECT_EQ(epochs.epochs, 3);
  EXPECT_EQ(resolve_train({}, settings({{"epochs", "3"}, {"rounds", "0"}})).config.train.epochs, 3);
  EXPECT_EQ(input_error([] {
              resolve_train({}, settings({{"epochs", "3"}, {"rounds", "5"}}));
            }),
            "--rounds is 5 and --epochs is 3; give only one of them");
}

TEST_F(ResolveTest, AResumedRunKeepsItsOptions) {
  const auto resolved = resolve_train({}, settings({{"resume", run().string()}, {"epochs", "9"}}));
  EXPECT_EQ(resolved.config.train.lr, 0.2);
  EXPECT_EQ(resolved.config.train.epochs, 9);
  EXPECT_EQ(resolved.config.cluster.workers.most, 4);
  EXPECT_EQ(resolved.config.run.run_dir, run());
  EXPECT_EQ(resolved.config.run.resume, run());
  EXPECT_EQ(resolved.given, (std::set<std::string>{"epochs", "resume"}));
}

TEST_F(ResolveTest, AResumedRunMayBeNamedInTheFile) {
  const auto resolved = resolve_train(file("resume = '" + run().string() + "/'\nworkers = 2\n"), {});
  EXPECT_EQ(resolved.config.train.lr, 0.2);
  EXPECT_EQ(resolved.config.cluster.workers.most, 2);
}

TEST_F(ResolveTest, RepeatingAStoredValueIsNoChange) {
  EXPECT_NO_THROW(resolve_train(file("lr = 0.2\n"), settings({{"resume", run().string()}, {"seed", "1"}})));
}

TEST_F(ResolveTest, ChangesThatAResumedRunCannotTakeAreNamed) {
  const auto message = resume_error({{"lr", "0.3"}, {"method", "local-sgd"}, {"threads", "1"}});
  EXPECT_TRUE(contains(message, "--lr (was 0.2, now 0.3)"));
  EXPECT_TRUE(contains(message, "--method (was 'resist', now 'local-sgd')"));
  EXPECT_EQ(message.find("--threads"), std::string::npos);
}

TEST_F(ResolveTest, PicturesMayHaveMovedBeforeARunIsResumed) {
  Config config;
  set_option(config, "data", "/old/pictures");
  write_file_atomically(run() / "config.toml", to_toml(config));
  EXPECT_EQ(resolve_train({}, settings({{"resume", run().string()}, {"data", "./new"}})).config.data.data, "./new");
  EXPECT_TRUE(contains(resume_error({{"data", "mnist"}}), "--data (was '/old/pictures', now 'mnist')"));
}

TEST_F(ResolveTest, AResumedRunStaysInItsFolder) {
  EXPECT_TRUE(contains(resume_error({{"run-dir", "other"}}), "--run-dir is 'other'"));
  EXPECT_NO_THROW(resolve_train({}, settings({{"resume", run().string()}, {"run-dir", run().string() + "/"}})));
}

TEST_F(ResolveTest, AReplayHasTheRunsOptionsAndAFolderOfItsOwn) {
  const auto resolved = resolve_train({}, settings({{"replay-membership", run().string()}}));
  EXPECT_EQ(resolved.config.train.lr, 0.2);
  EXPECT_TRUE(resolved.config.run.run_dir.empty());
  EXPECT_EQ(resolved.config.run.replay_membership, run());
  EXPECT_TRUE(stored_config(resolved.config).run.replay_membership.empty());
  EXPECT_TRUE(contains(input_error([&] {
                         resolve_train({}, settings({{"replay-membership", run().string()}, {"lr", "0.3"}}));
                       }),
                       "can't replay '" + run().string() + "' with changed --lr (was 0.2, now 0.3)"));
  EXPECT_TRUE(
      contains(input_error([&] {
                 resolve_train({}, settings({{"replay-membership", run().string()}, {"resume", run().string()}}));
               }),
               "--resume and --replay-membership are both given"));
}

TEST_F(ResolveTest, ARunWhoseFolderIsElsewhereTakesItsOptionsFromWorker0) {
  const auto resolved = resolve_train({}, settings({{"resume", (run() / "missing").string()}, {"epochs", "9"}}));
  EXPECT_TRUE(resolved.run_elsewhere);
  Config first;
  first.train.lr = 0.7;
  first.train.epochs = 9;
  first.cluster.threads = 5;
  const Config adopted = adopt_shared(shared_json(first), resolved.config, resolved.given);
  EXPECT_EQ(shared_json(adopted), shared_json(first));
  EXPECT_EQ(adopted.run.resume, run() / "missing");
  EXPECT_EQ(adopted.cluster.threads, Config().cluster.threads);

  const auto other = resolve_train({}, settings({{"resume", (run() / "missing").string()}, {"lr", "0.1"}}));
  EXPECT_EQ(adopt_shared(shared_json(first), other.config, other.given).train.lr, 0.1);
}

TEST_F(ResolveTest, ADamagedRunIsNamed) {
  write_file_atomically(run() / "config.toml", "lr = ");
  EXPECT_TRUE(contains(resume_error({}), "config.toml:1: not valid TOML"));
}

}  // namespace
}  // namespace resist
