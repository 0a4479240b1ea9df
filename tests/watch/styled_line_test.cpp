#include "resist/watch/styled_line.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

TEST(StyledLine, IsCutByCellsNotBytes) {
  StyledLine line("größer", Tone::strong);
  line.add(" ⣀⣀");
  EXPECT_EQ(line.width(), 9);
  EXPECT_EQ(line.text(100, {}), "größer ⣀⣀");
  EXPECT_EQ(line.text(8, {}), "größer ⣀");
  EXPECT_EQ(line.text(3, {}), "grö");
  EXPECT_EQ(line.text(0, {}), "");
}

TEST(StyledLine, HasColorOnlyWhereTheStyleHas) {
  StyledLine line("a", Tone::good);
  line.add("b");
  EXPECT_EQ(line.text(9, {}), "ab");
  EXPECT_EQ(line.text(9, {.color = true}), "\x1b[32ma\x1b[0mb");
}

TEST(StyledLine, IsPadded) {
  EXPECT_EQ(StyledLine("ö").pad(3).add("x").text(9, {}), "ö  x");
  EXPECT_EQ(StyledLine("long").pad(3).text(9, {}), "long");
}

TEST(Printable, KeepsWhatTakesOneCell) {
  EXPECT_EQ(printable("runs/größe-тест", true), "runs/größe-тест");
  EXPECT_EQ(printable("runs/größe", false), "runs/gr??e");
  EXPECT_EQ(printable("a\x1b[2Jb\n\t\x7f", true), "a?[2Jb???");
  EXPECT_EQ(printable("日本", true), "??");
  EXPECT_EQ(printable("e\u0301\u00ad\U0001F600", true), "e???");
  EXPECT_EQ(printable("\xff\xc3", true), "??");
  EXPECT_EQ(printable("\xe2\x82", true), "?");
  EXPECT_EQ(printable("", true), "");
}

}  // namespace
}  // namespace resist
