#include "resist/cli/bandwidth.h"

#include <gtest/gtest.h>

#include "support/input_error.h"

namespace resist {
namespace {

TEST(Bandwidth, ReadsDecimalPrefixes) {
  EXPECT_EQ(parse_bandwidth("100mbit"), 1e8);
  EXPECT_EQ(parse_bandwidth("1gbit"), 1e9);
  EXPECT_EQ(parse_bandwidth("2.5gbit"), 2.5e9);
  EXPECT_EQ(parse_bandwidth("800kbit"), 8e5);
  EXPECT_EQ(parse_bandwidth("1tbit"), 1e12);
}

TEST(Bandwidth, RefusesEverythingElse) {
  for (const std::string text : {"", "100", "mbit", "100 mbit", "-1mbit", "0mbit", "nanmbit", "infgbit", "1e99tbit",
                                 "100mb", "100mbits", "1,5gbit", "100MBIT"}) {
    EXPECT_TRUE(contains(input_error([&] { parse_bandwidth(text); }), "--bandwidth is '" + text + "'; it must be"));
  }
}

}  // namespace
}  // namespace resist
