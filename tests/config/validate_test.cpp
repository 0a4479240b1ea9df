#include <gtest/gtest.h>

#include <limits>

#include "resist/config/option.h"
#include "support/input_error.h"

namespace resist {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

Config with(const Options& options) {
  Config config;
  for (const auto& [name, text] : options) {
    set_option(config, name, text);
  }
  return config;
}

TEST(Validate, RefusesOptionsThatDoNotGoTogether) {
  const std::vector<std::pair<Options, std::string>> bad = {
      {{{"partition", "exact"}, {"min-blocks", "4"}}, "--min-blocks"},
      {{{"partition", "exact"}, {"balance", "speed"}}, "--balance speed"},
      {{{"method", "local-sgd"}, {"balance", "speed"}}, "--method local-sgd"},
      {{{"method", "data-parallel"}, {"momentum-sync", "reset"}}, "--momentum-sync is reset"},
      {{{"method", "data-parallel"}, {"momentum-sync", "average"}}, "--momentum-sync is average"},
      {{{"nesterov", "true"}, {"momentum", "0"}}, "--nesterov"},
      {{{"epochs", "0"}}, "--rounds"},
      {{{"epochs", "1"}, {"warmup-epochs", "1.5"}}, "--warmup-epochs is 1.5"},
      {{{"epochs", "1"}, {"lr-warmup-epochs", "2"}}, "--lr-warmup-epochs is 2"},
      {{{"partition-sections", "3,2"}}, "ascend"},
      {{{"partition-sections", "3,3"}}, "ascend"},
      {{{"partition-sections", "5"}}, "the network has 4 sections"},
      {{{"depths", "2,2"}}, "--partition-sections has 3"},
      {{{"final-min-blocks", "3"}, {"min-blocks", "4"}}, "--min-blocks, which is 4"},
      {{{"final-min-blocks", "6"}, {"partition", "exact"}}, "--partition exact"},
      {{{"final-min-blocks", "6"}, {"balance", "speed"}}, "--balance speed"},
      {{{"final-min-blocks", "6"}, {"method", "local-sgd"}}, "--method local-sgd"},
      {{{"max-local-iterations", "49"}}, "--local-iterations, which is 50"},
      {{{"max-local-iterations", "100"}, {"schedule", "constant"}}, "--schedule constant"},
      {{{"max-local-iterations", "100"}, {"rounds", "5"}}, "--rounds 5"},
      {{{"max-local-iterations", "100"}, {"method", "data-parallel"}}, "--method data-parallel"},
      {{{"inference", "ensemble"}, {"method", "local-sgd"}}, "--method local-sgd"},
  };
  for (const auto& [options, part] : bad) {
    EXPECT_TRUE(contains(input_error([&options = options] { validate(with(options)); }), part));
  }
}

TEST(Validate, AcceptsWhatOnlyLooksOdd) {
  EXPECT_NO_THROW(validate(with({{"method", "data-parallel"}, {"momentum-sync", "carry"}})));
  EXPECT_NO_THROW(validate(with({{"method", "local-sgd"}, {"depths", "2,2"}})));
  EXPECT_NO_THROW(validate(with({{"partition", "exact"}})));
  EXPECT_NO_THROW(validate(with({{"epochs", "0"}, {"rounds", "1"}})));
  EXPECT_NO_THROW(validate(with({{"warmup-epochs", "5"}, {"rounds", "1"}})));
  EXPECT_NO_THROW(validate(with({{"partition-sections", "1,2,3,4"}})));
  EXPECT_NO_THROW(validate(with({{"final-min-blocks", "2"}})));
  EXPECT_NO_THROW(validate(with({{"max-local-iterations", "50"}, {"method", "local-sgd"}})));
}

TEST(Validate, ChecksBoundsOfValuesThatCodeSet) {
  Config config;
  config.train.lr = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(input_error([&] { validate(config); }), "--lr is nan; it must be a number from 0 to 1000");
  config = Config();
  config.train.seed = ~0ULL;
  EXPECT_TRUE(contains(input_error([&] { validate(config); }), "--seed is "));
  config = Config();
  config.train.method = static_cast<Method>(17);
  EXPECT_TRUE(contains(input_error([&] { validate(config); }), "--method is "));
  config = Config();
  config.model.model = "nothing";
  EXPECT_TRUE(contains(input_error([&] { validate(config); }), "--model is 'nothing'"));
}

}  // namespace
}  // namespace resist
