#include <gtest/gtest.h>

#include "resist/tensorboard/event_writer.h"
#include "support/input_error.h"

namespace resist {
namespace {

TEST(EventWriter, ABuildWithoutItWritesNothingUnlessAsked) {
  Config config;
  EXPECT_FALSE(writes_events(config));
  config.run.tensorboard = false;
  EXPECT_FALSE(writes_events(config));
  config.run.tensorboard = true;
  const std::string message = input_error([&] { writes_events(config); });
  EXPECT_TRUE(contains(message, "--tensorboard"));
  EXPECT_TRUE(contains(message, "RESIST_WITH_TENSORBOARD=ON"));
}

}  // namespace
}  // namespace resist
