#include "resist/cluster/host_facts.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace resist {
namespace {

TEST(HostFacts, ListInterfacesWithTheirAddresses) {
  const auto interfaces = network_interfaces();
  const auto loopback = std::find_if(interfaces.begin(), interfaces.end(),
                                     [](const NetworkInterface& interface) { return interface.loopback; });
  ASSERT_NE(loopback, interfaces.end());
  EXPECT_TRUE(loopback->up);
  EXPECT_EQ(loopback->addresses.front(), "127.0.0.1");
  EXPECT_EQ(loopback->megabits, std::nullopt);
}

TEST(HostFacts, MemoryIsNotMoreThanThereIs) {
  const MemoryFacts memory = memory_facts();
  EXPECT_GT(memory.total_bytes, 1 << 20);
  EXPECT_GT(memory.available_bytes, 0);
  EXPECT_LE(memory.available_bytes, memory.total_bytes);
  EXPECT_GE(memory.limit_bytes, 0);
}

TEST(HostFacts, TheHostHasAName) {
  EXPECT_FALSE(host_name_and_address().name.empty());
}

TEST(HostFacts, EphemeralPortsAreARange) {
  const auto range = ephemeral_ports();
  ASSERT_TRUE(range.has_value());
  EXPECT_GT(range->first, 0);
  EXPECT_LE(range->first, range->last);
  EXPECT_LT(range->last, 65536);
}

TEST(HostFacts, ATakenPortIsAProblemAndAFreeOneIsNot) {
  EXPECT_EQ(port_problem(0), std::nullopt);
  const int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT_NE(port_problem(ntohs(address.sin_port)), std::nullopt);
  ::close(taken);
  EXPECT_EQ(port_problem(ntohs(address.sin_port)), std::nullopt);
}

}  // namespace
}  // namespace resist
