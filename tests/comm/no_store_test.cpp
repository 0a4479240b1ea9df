#include <gtest/gtest.h>

#include "resist/comm/store.h"
#include "support/input_error.h"

namespace resist {
namespace {

TEST(Store, WithoutTheLibrarySaysHowToGetItAndHowToDoWithout) {
  for (const auto& message : {input_error([] { Store::host(0, std::chrono::seconds(1)); }),
                              input_error([] { Store::join("127.0.0.1", 1, std::chrono::seconds(1)); })}) {
    EXPECT_TRUE(contains(message, "RESIST_WITH_GRPC=ON"));
    EXPECT_TRUE(contains(message, "--in-process"));
  }
}

}  // namespace
}  // namespace resist
