#include "resist/plan/quantity.h"

#include <gtest/gtest.h>

#include "support/input_error.h"

namespace resist {
namespace {

TEST(Quantity, ReadsItsUnits) {
  const auto bandwidth = [](const std::string& text) { return parse_quantity("--x", text, Quantity::bandwidth); };
  EXPECT_EQ(bandwidth("100mbit"), 1e8);
  EXPECT_EQ(bandwidth("1gbit"), 1e9);
  EXPECT_EQ(bandwidth("2.5gbit"), 2.5e9);
  EXPECT_EQ(bandwidth("800kbit"), 8e5);
  EXPECT_EQ(bandwidth("1tbit"), 1e12);
  EXPECT_DOUBLE_EQ(parse_quantity("--x", "20ms", Quantity::duration), 0.02);
  EXPECT_DOUBLE_EQ(parse_quantity("--x", "500us", Quantity::duration), 5e-4);
  EXPECT_EQ(parse_quantity("--x", "0s", Quantity::duration), 0);
  EXPECT_EQ(parse_quantity("--x", "1.5tflops", Quantity::speed), 1.5e12);
}

TEST(Quantity, RefusesEverythingElse) {
  for (const std::string text : {"", "100", "mbit", "100 mbit", "-1mbit", "0mbit", "nanmbit", "infgbit", "1e99tbit",
                                 "100mb", "100mbits", "1,5gbit", "100MBIT"}) {
    EXPECT_TRUE(contains(input_error([&] { parse_quantity("--bandwidth", text, Quantity::bandwidth); }),
                         "--bandwidth is '" + text + "'; it must be"));
  }
  for (const std::string text : {"20", "-1ms", "nans", "2h", "3601s", "40gflops"}) {
    EXPECT_TRUE(contains(input_error([&] { parse_quantity("--latency", text, Quantity::duration); }),
                         "--latency is '" + text + "'; it must be"));
  }
}

TEST(Quantity, ReadsLists) {
  EXPECT_EQ(parse_quantities("--x", "1gbit,100mbit", Quantity::bandwidth), (std::vector<double>{1e9, 1e8}));
  EXPECT_TRUE(contains(input_error([] { parse_quantities("--x", "1gbit,,1gbit", Quantity::bandwidth); }), "--x is ''"));
}

TEST(Quantity, IsSaidInTheFittingUnit) {
  EXPECT_EQ(in_words(240e6, Quantity::bandwidth), "240 Mbit/s");
  EXPECT_EQ(in_words(2.4e15, Quantity::bandwidth), "2.4e+03 Tbit/s");
  EXPECT_EQ(in_words(0, Quantity::duration), "0 us");
  EXPECT_EQ(in_words(0.02, Quantity::duration), "20 ms");
  EXPECT_EQ(in_words(1.25e12, Quantity::speed), "1.25 Tflop/s");
}

}  // namespace
}  // namespace resist
