#include "resist/cluster/interface.h"

#include <gtest/gtest.h>

#include "resist/core/error.h"

namespace resist {
namespace {

TEST(Interface, TheRouteToThisHostIsLoopback) {
  EXPECT_EQ(address_towards("127.0.0.1", 1234), "127.0.0.1");
  EXPECT_TRUE(is_loopback(address_towards("localhost", 1234)));
}

TEST(Interface, KnowsLoopback) {
  EXPECT_TRUE(is_loopback("127.0.1.1"));
  EXPECT_TRUE(is_loopback("::1"));
  EXPECT_FALSE(is_loopback("10.0.0.1"));
  EXPECT_FALSE(is_loopback("12.7.0.1"));
}

TEST(Interface, HasAnAddressOrTheOthersAreListed) {
  EXPECT_EQ(address_of_interface("lo"), "127.0.0.1");
  try {
    address_of_interface("no-such-link");
    FAIL() << "found an interface that is not there";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-link"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("lo"), std::string::npos);
  }
}

TEST(Interface, AHostThatCantBeResolvedIsNamed) {
  try {
    address_towards("no-such-host.invalid", 1234);
    FAIL() << "resolved a host that is not there";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-host.invalid"), std::string::npos);
  }
}

TEST(Interface, TheStackIsTheSameWithinAProcess) {
  EXPECT_EQ(network_stack_id(), network_stack_id());
  EXPECT_GT(network_stack_id().size(), 40U);
}

}  // namespace
}  // namespace resist
