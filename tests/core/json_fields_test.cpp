#include "resist/core/json_fields.h"

#include <gtest/gtest.h>

#include "support/input_error.h"

namespace resist {
namespace {

using nlohmann::json;

TEST(JsonFields, GiveWhatIsThere) {
  const json object = json::parse(R"({"count":7,"name":"x","shares":[0.5,1],"words":["a","b"]})");
  const JsonFields fields(object, "f.json");
  EXPECT_EQ(fields.at("count"), 7);
  EXPECT_EQ(fields.whole("count"), 7);
  EXPECT_EQ(fields.whole("count", 7, 7), 7);
  EXPECT_EQ(fields.text("name"), "x");
  EXPECT_EQ(fields.numbers("shares"), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(fields.texts("words"), (std::vector<std::string>{"a", "b"}));
}

TEST(JsonFields, NameFileAndKeyOfWhatIsWrong) {
  const json object = json::parse(R"({"count":7,"less":-1,"half":0.5,"name":"x","mixed":[1,"a"],"none":null})");
  const JsonFields fields(object, "f.json");
  EXPECT_EQ(input_error([&] { fields.at("gone"); }), "'f.json' is damaged: gone is missing");
  EXPECT_EQ(input_error([&] { fields.whole("count", 0, 6); }),
            "'f.json' is damaged: count must be a whole number from 0 to 6");
  EXPECT_EQ(input_error([&] { fields.whole("count", 8, 9); }),
            "'f.json' is damaged: count must be a whole number from 8 to 9");
  EXPECT_TRUE(contains(input_error([&] { fields.whole("less"); }), "less must be a whole number from 0"));
  EXPECT_TRUE(contains(input_error([&] { fields.whole("half"); }), "half must be a whole number"));
  EXPECT_EQ(input_error([&] { fields.text("count"); }), "'f.json' is damaged: count must be a text");
  EXPECT_EQ(input_error([&] { fields.numbers("mixed"); }), "'f.json' is damaged: mixed must be a list of numbers");
  EXPECT_EQ(input_error([&] { fields.numbers("none"); }), "'f.json' is damaged: none must be a list of numbers");
  EXPECT_EQ(input_error([&] { fields.texts("mixed"); }), "'f.json' is damaged: mixed must be a list of texts");
  EXPECT_EQ(input_error([&] { fields.texts("name"); }), "'f.json' is damaged: name must be a list of texts");
}

TEST(JsonFields, NeedAnObject) {
  const json list = json::array();
  EXPECT_EQ(input_error([&] { JsonFields(list, "f.json"); }), "'f.json' is damaged: an object is missing");
}

}  // namespace
}  // namespace resist
