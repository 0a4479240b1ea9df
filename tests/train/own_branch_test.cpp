#include "support/own_branch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "support/training.h"

namespace resist {
namespace {

TrainingSetup own_setup(int workers) {
  Config config = small_config();
  config.train.rounds = 8;
  DataSource data = open_data(config.data, {}, 0, config.train.seed);
  NetworkSpec spec = make_network_spec(config, input_shape(data.info));
  spec.branch = std::make_shared<SeparableBranch>();
  spec.final_norm = true;
  return prepare_training(config, std::move(data), std::move(spec), workers);
}

TEST(OwnBranch, IsDealtTrainedAndAveragedLikeTheBuiltInOnes) {
  const auto trained = train_in_process(own_setup(3), 3);
  const auto& records = trained[0].records;
  ASSERT_EQ(records.size(), 8U);
  EXPECT_LT(records.back().loss, records.front().loss);
  for (const Trained& worker : trained) {
    EXPECT_EQ(worker.records.back().accuracy, records.back().accuracy);
    EXPECT_EQ(worker.values.at("layer3.0.norm.weight"), trained[0].values.at("layer3.0.norm.weight"));
    EXPECT_EQ(worker.values.at("fc.weight"), trained[0].values.at("fc.weight"));
    const auto holds = [&](int block) {
      return worker.values.contains("layer3." + std::to_string(block) + ".depthwise.weight");
    };
    const std::vector<int> blocks{1, 2, 3, 4, 5, 6};
    const auto held = std::ranges::count_if(blocks, holds);
    EXPECT_GE(held, 4);  // the least depth
    EXPECT_LT(held, 6);
  }
}

TEST(OwnBranch, HasRunningStatisticsOfItsNorms) {
  const TrainingSetup setup = own_setup(2);
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    const NormStatistics statistics =
        trainer.global_network().calibrate(EvaluationBatches(setup.data.train, setup.data.info, 16, 64));
    EXPECT_EQ(statistics.size(), norm_channels(setup.layout).size());
    EXPECT_TRUE(statistics.contains("layer3.6.norm"));
  });
}

}  // namespace
}  // namespace resist
