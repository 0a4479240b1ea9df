#include "resist/watch/curve.h"

#include <gtest/gtest.h>

#include <limits>

#include "resist/watch/styled_line.h"

namespace resist {
namespace {

using Lines = std::vector<std::string>;

constexpr CurveFrame kUnit = {.left = 0, .right = 1, .bottom = 0, .top = 1};

TEST(Curve, GoesStraightBetweenPoints) {
  EXPECT_EQ(draw_curve({{0, 0}, {1, 1}}, kUnit, 8, 4, false), (Lines{"      .'",  //
                                                                     "    .'  ",  //
                                                                     "  .'    ",  //
                                                                     ".'      "}));
  EXPECT_EQ(draw_curve({{0, 0}, {1, 1}}, kUnit, 4, 2, true), (Lines{"  ⡠⠊", "⡠⠊  "}));
}

TEST(Curve, SteepPiecesAreLinesToo) {
  EXPECT_EQ(draw_curve({{0, 0}, {1, 1}}, kUnit, 2, 3, false), (Lines{" :", ".'", ": "}));
}

TEST(Curve, ShowsTheMeanOfWhatFallsOnOneColumn) {
  EXPECT_EQ(draw_curve({{0, 0}, {0.1, 1}, {1, 0.5}}, {.left = 0, .right = 1, .bottom = 0, .top = 1}, 2, 3, false),
            (Lines{"  ", "..", "  "}));
}

TEST(Curve, StartsWhereItsFirstPointLies) {
  EXPECT_EQ(draw_curve({{0.5, 0}, {1, 0}}, kUnit, 9, 1, false), (Lines{"    ....."}));
}

TEST(Curve, SinglePointsAndFlatFramesAreDrawn) {
  EXPECT_EQ(draw_curve({{3, 7}}, {.left = 3, .right = 3, .bottom = 7, .top = 7}, 3, 1, false), (Lines{".  "}));
  EXPECT_EQ(draw_curve({{0, 5}, {1, -5}}, kUnit, 2, 1, false), (Lines{"'."}));
}

TEST(Curve, LeavesOutWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(draw_curve({{0, 0}, {0.5, nan}, {1, 0}}, kUnit, 4, 1, false), (Lines{"...."}));
  EXPECT_EQ(draw_curve({{0, nan}}, kUnit, 4, 1, true), (Lines{"    "}));
  EXPECT_EQ(draw_curve({}, kUnit, 2, 2, true), (Lines{"  ", "  "}));
}

TEST(Curve, IsAsLargeAsAskedFor) {
  for (const bool unicode : {false, true}) {
    for (int columns = -1; columns < 20; ++columns) {
      for (int rows = -1; rows < 10; ++rows) {
        const Lines lines = draw_curve({{0, 0.3}, {0.4, 1}, {1, 0}}, kUnit, columns, rows, unicode);
        EXPECT_EQ(lines.size(), static_cast<std::size_t>(std::max(rows, 0)));
        for (const std::string& line : lines) {
          EXPECT_EQ(count_characters(line), std::max(columns, 0));
        }
      }
    }
  }
}

}  // namespace
}  // namespace resist
