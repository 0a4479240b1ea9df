#include "resist/config/nearest.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

const std::vector<std::string> kNames = {"lr", "workers", "momentum", "momentum-sync", "eval-batch-size"};

TEST(Nearest, FindsMisspeltWords) {
  EXPECT_EQ(nearest("wokers", kNames), "workers");
  EXPECT_EQ(nearest("owrkers", kNames), "workers");
  EXPECT_EQ(nearest("momentun", kNames), "momentum");
  EXPECT_EQ(nearest("momentum_sync", kNames), "momentum-sync");
  EXPECT_EQ(nearest("rl", kNames), "lr");
}

TEST(Nearest, TakesABeginningForTheWholeWord) {
  EXPECT_EQ(nearest("eval", kNames), "eval-batch-size");
}

TEST(Nearest, SuggestsNothingThatIsFarAway) {
  EXPECT_EQ(nearest("qwertyuiop", kNames), std::nullopt);
  EXPECT_EQ(nearest("", kNames), std::nullopt);
  EXPECT_EQ(nearest("workers", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(100000, 'w'), kNames), std::nullopt);
}

TEST(DidYouMean, WordsTheSuggestion) {
  EXPECT_EQ(did_you_mean("wokers", kNames, "--"), "; did you mean '--workers'?");
  EXPECT_EQ(did_you_mean("qwertyuiop", kNames, "", "; see the help"), "; see the help");
}

}  // namespace
}  // namespace resist
