#include "resist/train/training_setup.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "resist/data/memory_dataset.h"
#include "support/input_error.h"
#include "support/training.h"

namespace resist {
namespace {

std::shared_ptr<const Dataset> pictures(const std::vector<std::uint8_t>& labels) {
  return std::make_shared<MemoryDataset>(std::vector<std::uint8_t>(labels.size() * 64), labels,
                                         PictureSize{.height = 8, .width = 8}, 1);
}

// What a program gives that brings its own data.
struct Own {
  Config config = small_config();
  DataSource data{
      .info = {.name = "own", .channels = 1, .height = 8, .width = 8, .classes = 3, .mean = {0.5F}, .stddev = {0.2F}},
      .train = pictures({0, 1, 2, 0, 1, 2}),
      .test = pictures({2, 1})};
};

std::string refusal(const std::function<void(Own&)>& spoil) {
  Own own;
  const NetworkSpec spec = make_network_spec(own.config, input_shape(own.data.info));
  spoil(own);
  return input_error([&] { prepare_training(own.config, own.data, spec, 2); });
}

TEST(PrepareTraining, TakesDataOfOnesOwn) {
  const Own own;
  const TrainingSetup setup =
      prepare_training(own.config, own.data, make_network_spec(own.config, input_shape(own.data.info)), 2);
  EXPECT_EQ(setup.data.train->size(), 6);
  EXPECT_EQ(setup.spec.classes, 3);
}

TEST(PrepareTraining, RefusesDataThatCantBe) {
  EXPECT_TRUE(contains(refusal([](Own& own) { own.data.test = nullptr; }), "needs a training set and a test set"));
  EXPECT_TRUE(contains(refusal([](Own& own) { own.data.train = pictures({}); }), "neither of them empty"));
  EXPECT_TRUE(contains(refusal([](Own& own) { own.data.info.stddev = {}; }), "0 standard deviations"));
  EXPECT_TRUE(contains(refusal([](Own& own) { own.data.info.stddev = {0}; }), "not above 0"));
  EXPECT_TRUE(
      contains(refusal([](Own& own) { own.data.info.classes = 2; }), "sample 2 of the training set has the label 2"));
  EXPECT_TRUE(
      contains(refusal([](Own& own) { own.data.test = pictures({3}); }), "sample 0 of the test set has the label 3"));
}

TEST(PrepareTraining, LooksAtOptionsThatAProgramSet) {
  EXPECT_TRUE(contains(refusal([](Own& own) { own.config.train.lr = -1; }), "lr"));
  EXPECT_TRUE(contains(refusal([](Own& own) { own.config.train.batch_size = -1; }), "batch-size"));
  EXPECT_TRUE(contains(refusal([](Own& own) {
                         own.config.train.rounds = 0;
                         own.config.train.epochs = -1;
                       }),
                       "epochs"));
}

}  // namespace
}  // namespace resist
