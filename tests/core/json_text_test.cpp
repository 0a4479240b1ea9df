#include "resist/core/json_text.h"

#include <gtest/gtest.h>

#include "support/input_error.h"

namespace resist {
namespace {

TEST(StrictJson, RefusesWhatIsNotJsonSaysAKeyTwiceOrIsTooDeep) {
  const auto message = [](const std::string& text) { return input_error([&] { parse_strict_json(text, "FILE"); }); };
  EXPECT_EQ(message("{\"a\":"), "'FILE' is damaged: not valid JSON at byte 6");
  EXPECT_EQ(message("{\"a\":{\"b\":1,\"b\":2}}"), "'FILE' is damaged: the key \"b\" appears twice");
  EXPECT_EQ(message("[1e999]"), "'FILE' is damaged: its JSON holds a number that is too large");
  EXPECT_EQ(message(std::string(1'000'000, '[')), "'FILE' is damaged: its JSON is nested deeper than 64");
  EXPECT_EQ(message(""), "'FILE' is damaged: not valid JSON at byte 1");
  EXPECT_EQ(message("{\"\xff\":1}"), "'FILE' is damaged: not valid JSON at byte 3");
}

TEST(StrictJson, TakesTheSameKeyInDifferentObjects) {
  EXPECT_EQ(parse_strict_json(R"({"a":{"b":1},"c":[{"b":2},{"b":3}],"b":4})", "FILE").size(), 3U);
}

TEST(InQuotes, FitsAnyTextIntoOneLine) {
  EXPECT_EQ(in_quotes("a\n\"\xc3\xa9"), R"("a\n\"\u00e9")");
  EXPECT_EQ(in_quotes("\xff"), R"("\ufffd")");
  EXPECT_EQ(in_quotes(std::string(1000, 'x')), "\"" + std::string(80, 'x') + "\"...");
}

}  // namespace
}  // namespace resist
