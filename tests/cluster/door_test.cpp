#include "resist/cluster/door.h"

#include <gtest/gtest.h>

#include "resist/core/error.h"

namespace resist {
namespace {

using namespace std::chrono_literals;

TEST(Door, IsReachedWhileItIsThere) {
  Door first("127.0.0.1");
  Door second("127.0.0.1");
  Endpoint gone;
  {
    const Door third("127.0.0.1");
    gone = third.place();
  }
  EXPECT_EQ(knock({first.place(), gone, second.place()}, 10s),
            (std::vector<Answer>{Answer::open, Answer::refused, Answer::open}));
  first.let_go();
  EXPECT_EQ(knock({first.place()}, 10s), std::vector<Answer>{Answer::open});
}

TEST(Door, WhoDoesNotAnswerIsNotWaitedForForever) {
  // Reserved for documentation, so nobody answers there; a network that says so at once is as good.
  EXPECT_NE(knock({{.host = "192.0.2.1", .port = 9}}, 50ms), std::vector<Answer>{Answer::open});
}

TEST(Door, KnockingNowhereReachesNobody) {
  EXPECT_TRUE(knock({}, 1s).empty());
  EXPECT_EQ(knock({{.host = "no address", .port = 9}}, 1s), std::vector<Answer>{Answer::none});
}

TEST(Door, AnAddressOfAnotherMachineIsRefused) {
  EXPECT_THROW(Door("192.0.2.1"), Error);
  EXPECT_THROW(Door("no address"), Error);
}

}  // namespace
}  // namespace resist
