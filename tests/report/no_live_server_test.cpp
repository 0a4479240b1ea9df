#include <gtest/gtest.h>

#include "resist/report/live_server.h"
#include "support/input_error.h"

namespace resist {
namespace {

TEST(LiveServer, WithoutTheLibrarySaysHowToGetIt) {
  const std::string message = input_error([] { const LiveServer server({"a"}, {}); });
  EXPECT_TRUE(contains(message, "RESIST_WITH_SERVER=ON"));
}

}  // namespace
}  // namespace resist
