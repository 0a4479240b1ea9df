#include "resist/train/calibrate.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "support/training.h"

namespace resist {
namespace {

NormStatistics calibrate_with(const TrainingSetup& setup, int workers, std::int64_t most) {
  std::vector<NormStatistics> results(static_cast<std::size_t>(workers));
  run_in_process(workers, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    GlobalNetwork network = trainer.global_network();
    const EvaluationBatches batches(setup.data.train, setup.data.info, 16, most);
    network.set_block_scale({0.5});
    results[communicator.rank()] = network.calibrate(batches);
  });
  for (const NormStatistics& result : results) {
    for (const auto& [name, moments] : result) {
      EXPECT_EQ(moments.mean, results[0].at(name).mean);
      EXPECT_EQ(moments.variance, results[0].at(name).variance);
    }
  }
  return results[0];
}

TEST(Calibrate, GivesTheSameStatisticsForAnyNumberOfWorkers) {
  const TrainingSetup setup = prepare_training(small_config(), 1);
  const NormStatistics one = calibrate_with(setup, 1, 100);
  EXPECT_EQ(one.size(), norm_channels(setup.layout).size());
  for (const int workers : {2, 3, 8}) {  // 8 workers: one has no batch
    const NormStatistics result = calibrate_with(setup, workers, 100);
    ASSERT_EQ(result.size(), one.size());
    for (const auto& [name, moments] : result) {
      EXPECT_EQ(moments.mean, one.at(name).mean) << name;
      EXPECT_EQ(moments.variance, one.at(name).variance) << name;
    }
  }
}

// The first norm reads the stem's output, which no other norm has touched: its statistics are those of all pictures.
TEST(Calibrate, AddsUpOverBatches) {
  const at::NoGradGuard no_gradients;
  const TrainingSetup setup = prepare_training(small_config(), 1);
  const NormStatistics statistics = calibrate_with(setup, 2, 100);
  WorkerParameters parameters(setup.spec, setup.layout,
                              make_placement(setup.layout, *make_method(setup.config, setup.decks, 1), 0, false), 0,
                              setup.config.train.seed);
  const EvaluationBatches batches(setup.data.train, setup.data.info, 16, 100);
  std::vector<at::Tensor> outputs;
  Batch batch;
  std::int64_t samples = 0;
  for (std::int64_t i = 0; i < batches.count(); ++i) {
    batches.read(i, batch);
    samples += batch.size();
    outputs.push_back(
        parameters.network().stem(at::from_blob(batch.pixels.data(), {batch.size(), 1, 8, 8}, at::kFloat)).clone());
  }
  EXPECT_EQ(samples, 100);
  const at::Tensor all = at::cat(outputs).to(at::kDouble);
  const at::Tensor mean = all.mean({0, 2, 3});
  const at::Tensor variance = all.var({0, 2, 3}, /*unbiased=*/false);
  const ChannelMoments& first = statistics.at("layer1.0.bn1");
  for (int channel = 0; channel < 4; ++channel) {
    EXPECT_NEAR(first.mean[channel], mean[channel].item<double>(), 1e-5);
    EXPECT_NEAR(first.variance[channel], variance[channel].item<double>(), 1e-5);
  }
}

TEST(Calibrate, RunningStatisticsClassifyAsWellAsTheBatchsOwn) {
  Config config = small_config();
  config.train.rounds = 40;
  config.train.lr = 0.05;
  config.train.schedule = Schedule::cosine;
  const TrainingSetup setup = prepare_training(config, 2);
  run_in_process(2, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    trainer.run(observer);
    GlobalNetwork network = trainer.global_network();
    const EvaluationBatches test(setup.data.test, setup.data.info, 16);
    const NormStatistics statistics = network.calibrate(EvaluationBatches(setup.data.train, setup.data.info, 16));
    const EvaluationResult own = network.evaluate(test);
    const EvaluationResult running = network.evaluate(test, &statistics);
    EXPECT_GT(own.top1, 0.5);
    EXPECT_GT(running.top1, own.top1 - 0.1);
    EXPECT_NE(running.loss, own.loss);
    // And a batch of one picture is no worse than a batch of sixteen.
    const EvaluationResult single =
        network.evaluate(EvaluationBatches(setup.data.test, setup.data.info, 1), &statistics);
    EXPECT_EQ(single.top1, running.top1);
    EXPECT_NEAR(single.loss, running.loss, 1e-5);
  });
}

TEST(Calibrate, ScaleCandidatesGoFromOneOverSToOneOverItsRoot) {
  const auto candidates = scale_candidates(4);
  ASSERT_EQ(candidates.size(), 5U);
  EXPECT_EQ(candidates.front(), 0.25);
  EXPECT_DOUBLE_EQ(candidates.back(), 0.5);
  for (std::size_t i = 2; i < candidates.size(); ++i) {
    EXPECT_DOUBLE_EQ(candidates[i] / candidates[i - 1], candidates[1] / candidates[0]);
  }
}

}  // namespace
}  // namespace resist
