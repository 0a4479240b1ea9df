#include <gtest/gtest.h>

#include "binary_files.h"
#include "expect_input_error.h"
#include "resist/data/dataset.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

DataOptions options(const std::string& data, std::int64_t holdout = 0) {
  DataOptions result;
  result.data = data;
  result.holdout = holdout;
  return result;
}

TEST(OpenData, EvaluatesOnTheTestSetWithoutHoldout) {
  const DataSource source = open_data(options("synthetic:50,1,4,4,5"), {}, 0, 1);
  EXPECT_EQ(source.train->size(), 50);
  EXPECT_EQ(source.test->size(), 10);
  EXPECT_EQ(source.evaluation(), source.test);
  EXPECT_EQ(source.held_out, nullptr);
}

TEST(OpenData, EvaluatesOnTheHeldOutSamples) {
  const DataSource source = open_data(options("synthetic:50,1,4,4,5", 20), {}, 0, 1);
  EXPECT_EQ(source.train->size(), 30);
  EXPECT_EQ(source.test->size(), 10);
  EXPECT_EQ(source.evaluation()->size(), 20);
  EXPECT_EQ(source.evaluation(), source.held_out);
}

TEST(OpenData, RefusesAHoldoutThatLeavesNothing) {
  expect_input_error([] { open_data(options("synthetic:50,1,4,4,5", 50), {}, 0, 1); }, {"--holdout is 50", "1 to 49"});
  expect_input_error([] { open_data(options("synthetic:50,1,4,4,5", -1), {}, 0, 1); }, {"--holdout is -1"});
}

TEST(OpenData, OpensAKnownSetInAGivenFolder) {
  const TemporaryFolder folder;
  write_idx_set(folder.path());
  DataOptions known = options("mnist");
  known.data_dir = folder.path();
  const DataSource source = open_data(known, {}, 0, 1);
  EXPECT_EQ(source.info.name, "mnist");
  EXPECT_EQ(source.train->size(), 12);
}

TEST(OpenData, AFurtherTestSetMustBeAFolderOrAPackedFile) {
  expect_input_error([] { open_data(options("synthetic:50,1,4,4,5"), {"more=/no/such/place"}, 0, 1); },
                     {"--eval is 'more=/no/such/place'", "neither a folder nor a packed file", "NAME=PATH"});
}

TEST(OpenData, NamesWhatIsAllowedIfTheNameIsUnknown) {
  expect_input_error([] { open_data(options("fashion-mist"), {}, 0, 1); },
                     {"'fashion-mist'", "fashion-mnist", "cifar100", "synthetic:N,C,H,W,CLASSES", "folder", "packed"});
  expect_input_error([] { open_data(options(""), {}, 0, 1); }, {"--data is ''"});
}

}  // namespace
}  // namespace resist
