#include "resist/data/class_labels.h"

#include <gtest/gtest.h>

#include "expect_input_error.h"

namespace resist {
namespace {

using Labels = std::vector<std::uint32_t>;
using Texts = std::vector<std::string>;

TEST(TrainingClasses, AreNamesOrNumbers) {
  DatasetInfo info;
  info.classes = 3;
  EXPECT_EQ(training_classes(info), (Texts{"0", "1", "2"}));
  info.class_names = {"a", "b", "c"};
  EXPECT_EQ(training_classes(info), info.class_names);
}

TEST(ClassNumber, IsOfDigitsOnlyAndBelowTheBound) {
  EXPECT_EQ(class_number("0", 10), 0);
  EXPECT_EQ(class_number("007", 10), 7);
  EXPECT_EQ(class_number("9", 10), 9);
  for (const char* text : {"10", "-1", "+1", " 1", "1 ", "1a", "", "a", "99999999999999999999"}) {
    EXPECT_EQ(class_number(text, 10), -1) << text;
  }
}

TEST(MatchClasses, GoesByNameWhereAnyIsATrainingClass) {
  EXPECT_EQ(match_classes({"c", "a"}, {"a", "b", "c"}, "'set'"), (Labels{2, 0}));
  // Sorted as texts, so that 10 has label 1.
  EXPECT_EQ(match_classes({"10", "2"}, {"1", "10", "2"}, "'set'"), (Labels{1, 2}));
  expect_input_error(
      [] {
        match_classes({"a", "x"}, {"a", "b", "c"}, "'set'");
      },
      {"'set' has the class 'x'", "3 training classes", "for example 'a'"});
  expect_input_error([] { match_classes({"a", "1"}, {"a", "b", "c"}, "'set'"); }, {"the class '1'"});
}

TEST(MatchClasses, GoesByNumberWhereNoneIs) {
  EXPECT_EQ(match_classes({"0", "10", "2"}, Texts(11, "n01"), "'set'"), (Labels{0, 10, 2}));
  expect_input_error([] { match_classes({"0", "3"}, {"a", "b", "c"}, "'set'"); }, {"the class '3'", "0 to 2"});
  expect_input_error([] { match_classes({"x"}, {"a", "b", "c"}, "'set'"); }, {"the class 'x'", "0 to 2"});
}

}  // namespace
}  // namespace resist
