#include "resist/train/local_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "resist/model/cuda.h"
#include "support/training.h"

namespace resist {
namespace {

struct Case {
  std::string name;
  std::function<void(Config&)> set;
};

// A processor as a device with memory of its own, and a GPU.
class LocalSteps : public testing::TestWithParam<std::tuple<Case, std::string>> {
 protected:
  void SetUp() override {
    if (device() == "cuda:0" && cuda_devices() == 0) {
      GTEST_SKIP() << "needs a GPU";
    }
  }
  static const std::string& device() { return std::get<1>(GetParam()); }
  static Config config() {
    Config config = small_config();
    std::get<0>(GetParam()).set(config);
    return config;
  }
  static std::vector<Trained> train_on(const std::string& device) {
    TrainingSetup setup = prepare_training(config(), 2);
    setup.device = device;
    return train_in_process(setup, 2);
  }
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    length += double{b[i]} * b[i];
  }
  return std::sqrt(difference / length);
}

// Rounds of 3 iterations in which blocks move between slots; recordings are made in the second one.
TEST_P(LocalSteps, OfADeviceTrainWhatTheProcessorTrains) {
  const auto expected = train_on("cpu");
  const auto trained = train_on(device());
  for (std::size_t worker = 0; worker < expected.size(); ++worker) {
    ASSERT_EQ(trained[worker].values.size(), expected[worker].values.size());
    for (const auto& [name, values] : expected[worker].values) {
      EXPECT_LT(distance(trained[worker].values.at(name), values), device() == "cpu:0" ? 1e-4 : 1e-2) << name;
    }
  }
  ASSERT_EQ(trained[0].records.size(), expected[0].records.size());
  for (std::size_t round = 0; round < expected[0].records.size(); ++round) {
    EXPECT_NEAR(trained[0].records[round].loss, expected[0].records[round].loss, 1e-3);
    EXPECT_EQ(trained[0].records[round].bytes_sent, expected[0].records[round].bytes_sent);
  }
  EXPECT_NEAR(*trained[0].records.back().test_loss, *expected[0].records.back().test_loss, 1e-3);
}

const std::vector<Case> kCases = {
    {"Resist", [](Config&) {}},
    {"Nesterov", [](Config& config) { config.train.nesterov = true; }},
    {"MomentumAveraged", [](Config& config) { config.train.momentum_sync = MomentumSync::average; }},
    {"NormsDoNotDecay",
     [](Config& config) {
       config.train.decay_norms = false;
       config.train.weight_decay = 0.1;
     }},
    {"StochasticDepth", [](Config& config) { config.train.stochastic_depth = 0.5; }},
    {"FirstBlocksToo",
     [](Config& config) {
       config.partition.partition_sections = {2, 3, 4};
       config.partition.partition_first_blocks = true;
       config.partition.min_blocks = 1;
     }},
    {"WarmUp", [](Config& config) { config.train.warmup_epochs = 0.2; }},
    {"Overlap",
     [](Config& config) {
       config.sync.overlap = true;
       config.sync.overlap_iterations = 1;
     }},
    {"LocalSgd",
     [](Config& config) {
       config.train.method = Method::local_sgd;
       config.train.momentum_sync = MomentumSync::carry;
       config.outer.momentum = 0.4;
     }},
    {"DataParallel", [](Config& config) { config.train.method = Method::data_parallel; }},
    {"DataParallelStochasticDepth",
     [](Config& config) {
       config.train.method = Method::data_parallel;
       config.train.stochastic_depth = 0.5;
     }},
};

INSTANTIATE_TEST_SUITE_P(Settings, LocalSteps,
                         testing::Combine(testing::ValuesIn(kCases), testing::Values("cpu:0", "cuda:0")),
                         [](const auto& test) {
                           const std::string device = std::get<1>(test.param);
                           return std::get<0>(test.param).name + (device == "cpu:0" ? "" : "Gpu");
                         });

// A block that is passed by by everybody has no gradient, whatever it was in the iteration before.
TEST(LocalStep, BlocksPassedByHaveNoGradient) {
  const TrainingSetup setup = prepare_training(small_config(), 1);
  const auto method = make_method(setup.config, setup.decks, 1);
  WorkerParameters parameters(setup.spec, setup.layout, make_placement(setup.layout, *method, 0, false), 0, 1);
  Batch batch;
  const EvaluationBatches batches(setup.data.train, setup.data.info, 8);
  batches.read(0, batch);
  for (const char* device : {"cpu", "cpu:0"}) {
    TrainingSetup on = setup;
    on.device = device;
    const auto step = make_local_step(on, parameters);
    step->take();
    const int block = parameters.held()[2];
    const auto offset = static_cast<std::size_t>(parameters.offsets()[2]);
    const auto size = static_cast<std::size_t>(setup.layout.blocks[block].size);
    const auto gradient_of_it = [&](const std::vector<int>& passed_by) {
      step->forward(batch, passed_by);
      const std::span<float> gradient = step->gradients().subspan(offset, size);
      return std::set<float>(gradient.begin(), gradient.end());
    };
    EXPECT_GT(gradient_of_it({}).size(), 1U) << device;
    EXPECT_EQ(gradient_of_it({block}), std::set<float>{0.0F}) << device;
  }
}

}  // namespace
}  // namespace resist
