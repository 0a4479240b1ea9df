#include "resist/config/toml_file.h"

#include <gtest/gtest.h>

#include "config/changed_options.h"
#include "resist/config/option.h"
#include "resist/core/file.h"
#include "resist/core/random.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

Config from_toml(const std::string& text) {
  Config config;
  apply_settings(config, parse_toml(text, "my.toml"));
  return config;
}

std::string toml_error(const std::string& text) {
  return input_error([&] { from_toml(text); });
}

TEST(Toml, RoundTripsEveryOption) {
  EXPECT_EQ(to_json(from_toml(to_toml(Config()))), to_json(Config()));
  for (const auto& [name, text] : changed_options()) {
    Config config;
    set_option(config, name, text);
    EXPECT_EQ(to_json(from_toml(to_toml(config))), to_json(config)) << name;
  }
}

TEST(Toml, LeavesEpochsOutWhereRoundsDecide) {
  Config config;
  set_option(config, "epochs", "7");
  set_option(config, "rounds", "3");
  const Config again = from_toml(to_toml(config));
  EXPECT_EQ(again.train.rounds, 3);
}

TEST(Toml, ReadsWhatAPersonWrites) {
  const Config config = from_toml(
      "# comment\n"
      "method = 'local-sgd'\n"
      "lr = 1\n"
      "depths = [\n  1, 2,\n  12, 1,\n]\n"
      "batch-size = 1_000\n"
      "flip = false\n"
      "min-blocks = \"auto\"\n"
      "timeout = 60\n");
  EXPECT_EQ(config.train.method, Method::local_sgd);
  EXPECT_EQ(config.train.lr, 1.0);
  EXPECT_EQ(config.model.depths, (std::vector<int>{1, 2, 12, 1}));
  EXPECT_EQ(config.train.batch_size, 1000);
  EXPECT_EQ(config.data.flip, false);
  EXPECT_EQ(config.cluster.timeout.count(), 60);
  EXPECT_EQ(to_json(from_toml("")), to_json(Config()));
}

TEST(Toml, MessagesNameFileLineKeyValueAndWhatIsAllowed) {
  EXPECT_EQ(toml_error("lr = 0.1\nworkers = -3\n"),
            "my.toml:2: workers is -3; it must be an integer from 0 to 1024, or "
            "MIN:MAX with 1 to 1024 each");
  EXPECT_EQ(toml_error("\n\nbatchsize = 1\n"), "my.toml:3: unknown option 'batchsize'; did you mean 'batch-size'?");
  EXPECT_EQ(toml_error("method = 'resits'\n"),
            "my.toml:1: method is 'resits'; it must be resist, local-sgd or data-parallel; did you mean 'resist'?");
  EXPECT_EQ(toml_error("lr = 0.1\nlr = 0.2\n").substr(0, 29), "my.toml:2: not valid TOML: Er");
  EXPECT_EQ(toml_error("rounds = 3\nepochs = 2\n"),
            "my.toml:1: rounds is 3 and my.toml:2: epochs is 2; give only one of them");
  // The first mistake in the file is the one that is named.
  EXPECT_TRUE(contains(toml_error("workers = 'x'\nbatch-size = 'x'\n"), "my.toml:1: workers"));
}

TEST(Toml, RefusesWhatItCannotUse) {
  for (const std::string text : {"lr = nan",
                                 "lr = inf",
                                 "lr = -inf",
                                 "lr = '0.1'",
                                 "lr = true",
                                 "lr = [0.1]",
                                 "lr = 1979-05-27",
                                 "lr = 99999999999999999999",
                                 "lr = 1e999",
                                 "workers = 2.0",
                                 "workers = 99999999999999999999",
                                 "partition-sections = []",
                                 "partition-sections = [1979-05-27]",
                                 "partition-sections = [{a = 1}]",
                                 "depths = 3",
                                 "depths = ['3']",
                                 "depths = [[1], [2]]",
                                 "depths = [0]",
                                 "data = 3",
                                 "data = 07:32:00",
                                 "data = ''",
                                 "run-dir = \"a\\u0000b\"",
                                 "[train]\nlr = 0.1",
                                 "train.lr = 0.1",
                                 "[[train]]\nlr = 0.1",
                                 "lr = {x = 1}",
                                 "lr",
                                 "lr =",
                                 "= 3",
                                 "lr = 0.1 0.2",
                                 "'' = 3",
                                 "\"a\\nb\" = 3",
                                 "lr = \"unterminated",
                                 "lr = 0.1\xff",
                                 "\x01",
                                 "depths = [1, 2",
                                 "seed = 0xFFFFFFFFFFFFFFFFF",
                                 "\xEF\xBB\xBFlr = 'x'"}) {
    EXPECT_TRUE(toml_error(text).starts_with("my.toml:")) << text;
  }
  toml_error("depths = " + std::string(10000, '['));
  toml_error(std::string(100000, 'a') + " = 1");
  toml_error(std::string("lr = 1\0", 7));
}

TEST(Toml, LoadsAFileAndNamesOneThatCannotBeRead) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.toml";
  write_file_atomically(path, "workers = 4\n");
  Config config;
  load_toml(path, config);
  EXPECT_EQ(config.cluster.workers.most, 4);
  EXPECT_TRUE(contains(input_error([&] { load_toml(folder.path() / "b.toml", config); }), "b.toml"));
  EXPECT_TRUE(contains(input_error([&] { load_toml(folder.path(), config); }), folder.path().string()));
  write_file_atomically(path, std::string(std::size_t{2} << 20, '#'));
  EXPECT_TRUE(contains(input_error([&] { load_toml(path, config); }), "too large"));
}

// Deletes, repeats, swaps and overwrites pieces of the text.
std::string mutate(std::string text, RandomStream& random) {
  static const std::vector<std::string> pieces = {
      "[",      "]",          "\"",      "'",          "\n",  "=",  ".",   ",",           "{",    "}",
      "#",      "-",          "\\u0000", "\\",         "nan", "e9", "inf", "\0",          "\xff", "lr",
      "epochs", "9999999999", "\"\"\"",  "2020-01-01", "'''", "0x", "1_",  "\xEF\xBB\xBF"};
  for (std::uint32_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
    const std::size_t length = 1 + random.below(12);
    switch (random.below(4)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, pieces[random.below(static_cast<std::uint32_t>(pieces.size()))]);
        break;
      case 2:
        text[at] = static_cast<char>(random.below(256));
        break;
      default:
        text.insert(random.below(static_cast<std::uint32_t>(text.size())), text.substr(at, length));
    }
  }
  return text;
}

TEST(Toml, MutatedFilesOnlyEverThrowInputError) {
  const std::string valid =
      "model = \"preact-small\"\ndepths = [1, 2, 12, 1]\nlr = 3e-2\nflip = false\nepochs = 2.5\n"
      "data = 'synthetic:64,3,8,8,4'\nworkers = 4\nmethod = \"resist\"\nseed = 0x2A\n";
  RandomStream random(7, RandomPurpose::synthetic_data, {});
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string text = mutate(valid, random);
    try {
      const Config config = from_toml(text);
      validate(config);
      EXPECT_EQ(to_json(from_toml(to_toml(config))), to_json(config)) << text;
    } catch (const InputError& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << text;
    }
  }
  EXPECT_GT(refused, 2500);
  EXPECT_LT(refused, 5000);
}

}  // namespace
}  // namespace resist
