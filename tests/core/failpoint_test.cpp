#include "resist/core/failpoint.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "resist/core/error.h"

namespace resist {
namespace {

TEST(Failpoint, CallsTheHookWithEveryStep) {
  std::vector<std::string> steps;
  set_failpoint_hook([&](std::string_view step, int worker, std::int64_t round) {
    steps.push_back(std::string(step) + " " + std::to_string(worker) + " " + std::to_string(round));
  });
  failpoint("staged", 2, 7);
  set_failpoint_hook(nullptr);
  failpoint("staged", 2, 8);
  EXPECT_EQ(steps, std::vector<std::string>{"staged 2 7"});
}

TEST(FailpointDeathTest, EndsTheProcessWhereItIsAskedTo) {
  const FailpointHook hook = parse_failpoints("1:staged:3:kill,2:ready:1:stop");
  hook("staged", 1, 2);
  hook("staged", 2, 3);
  hook("ready", 1, 3);
  EXPECT_EXIT(hook("staged", 1, 3), testing::KilledBySignal(SIGKILL), "");
}

TEST(Failpoint, OneMessageIsCorrupted) {
  const FailpointHook hook = parse_failpoints("1:staged:3:corrupt");
  hook("staged", 0, 3);
  EXPECT_FALSE(takes_corruption());
  hook("staged", 1, 3);
  EXPECT_TRUE(takes_corruption());
  EXPECT_FALSE(takes_corruption());
  hook("staged", 1, 3);  // the round is mended and comes by once more
  EXPECT_FALSE(takes_corruption());
}

TEST(Failpoint, WhatMakesNoSenseIsRefused) {
  for (const char* text :
       {"", "1:staged:3", "1:nowhere:3:kill", "x:staged:3:kill", "1:staged:3:dance", "1:staged:3:kill,"}) {
    EXPECT_THROW(parse_failpoints(text), InputError) << text;
  }
}

}  // namespace
}  // namespace resist
