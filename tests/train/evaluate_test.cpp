#include "resist/train/evaluate.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "resist/model/initialise.h"
#include "resist/train/travelling_blocks.h"
#include "support/training.h"

namespace resist {
namespace {

// The plain way: the whole network in one piece, all pictures of a batch at once. `networks`: the scale of every block
// in each network whose logits count.
EvaluationResult evaluate_plainly(const TrainingSetup& setup, const std::vector<std::vector<double>>& networks) {
  const at::NoGradGuard no_gradients;
  Network network(setup.spec, setup.layout);
  std::vector<at::Tensor> memory;
  const auto add = [&](const std::vector<Parameter>& parameters, std::int64_t size) {
    memory.push_back(at::empty({size}));
    initialise(parameters, setup.config.train.seed, {memory.back().data_ptr<float>(), static_cast<std::size_t>(size)});
  };
  add(setup.layout.shared, setup.layout.shared_size);
  network.bind_shared({.values = memory[0]});
  for (std::size_t id = 0; id < setup.layout.blocks.size(); ++id) {
    add(setup.layout.blocks[id].parameters, setup.layout.blocks[id].size);
    network.bind_block(static_cast<int>(id), {.values = memory.back()});
  }
  const EvaluationBatches batches(setup.data.test, setup.data.info, setup.config.evaluation.eval_batch_size);
  EvaluationResult result;
  Batch batch;
  for (std::int64_t i = 0; i < batches.count(); ++i) {
    batches.read(i, batch);
    std::vector<at::Tensor> of_each;
    for (const std::vector<double>& scale : networks) {
      at::Tensor x = network.stem(at::from_blob(
          batch.pixels.data(), {batch.size(), setup.spec.channels, setup.spec.height, setup.spec.image_width}));
      for (const Network::Position& position : network.positions()) {
        x = network.apply(position, x, position.block < 0 ? 1.0 : scale[position.block]);
      }
      of_each.push_back(network.head(x));
    }
    const at::Tensor logits = at::stack(of_each).mean(0);
    for (std::int64_t row = 0; row < batch.size(); ++row) {
      const at::Tensor probabilities = logits[row].to(at::kDouble).log_softmax(0);
      const std::int64_t label = batch.labels[row];
      result.loss -= probabilities[label].item<double>();
      result.top1 += probabilities.argmax().item<std::int64_t>() == label ? 1 : 0;
      ++result.samples;
    }
  }
  result.loss /= static_cast<double>(result.samples);
  result.top1 /= static_cast<double>(result.samples);
  return result;
}

EvaluationResult evaluate_with(const TrainingSetup& setup, int workers, const std::vector<double>& scale,
                               std::int64_t train_batch_size, const Ensemble* ensemble = nullptr) {
  std::vector<EvaluationResult> results(static_cast<std::size_t>(workers));
  run_in_process(workers, [&](Communicator& communicator) {
    const auto method = make_method(setup.config, setup.decks, workers);
    WorkerParameters parameters(setup.spec, setup.layout, make_placement(setup.layout, *method, 0, false),
                                communicator.rank(), setup.config.train.seed);
    Network network(setup.spec, setup.layout);
    const at::Tensor arena = at::from_blob(parameters.values(), {parameters.placement().arena.size()});
    network.bind_shared({.values = arena});
    TravellingBlocks blocks(communicator, parameters);
    const EvaluationBatches batches(setup.data.test, setup.data.info, setup.config.evaluation.eval_batch_size);
    results[communicator.rank()] = evaluate(communicator, network, blocks,
                                            {.layout = setup.layout,
                                             .block_scale = scale,
                                             .batches = batches,
                                             .train_batch_size = train_batch_size,
                                             .ensemble = ensemble});
  });
  for (const EvaluationResult& result : results) {
    EXPECT_EQ(result.loss, results[0].loss);
    EXPECT_EQ(result.top1, results[0].top1);
  }
  return results[0];
}

TEST(Evaluate, StreamingEqualsTheNetworkInOnePieceForAnyNumberOfWorkers) {
  const TrainingSetup setup = prepare_training(small_config(), 1);
  const EvaluationResult plain = evaluate_plainly(setup, {std::vector<double>(setup.layout.blocks.size(), 0.5)});
  EXPECT_EQ(plain.samples, 80);
  const EvaluationResult one = evaluate_with(setup, 1, {0.5}, 8);
  EXPECT_NEAR(one.loss, plain.loss, 1e-5);
  EXPECT_EQ(one.top1, plain.top1);
  EXPECT_GE(one.top5, one.top1);
  for (const int workers : {2, 3, 4}) {
    for (const std::int64_t train_batch_size : {1, 8, 1000}) {  // many super-batches, some, one
      const EvaluationResult result = evaluate_with(setup, workers, {0.5}, train_batch_size);
      EXPECT_EQ(result.samples, 80);
      EXPECT_EQ(result.loss, one.loss) << workers;
      EXPECT_EQ(result.top1, one.top1);
      EXPECT_EQ(result.top5, one.top5);
    }
  }
  EXPECT_NE(evaluate_with(setup, 2, {1.0}, 8).loss, one.loss);
}

TEST(Evaluate, AnEnsembleClassifiesByTheMeanOfItsMembersLogits) {
  const TrainingSetup setup = prepare_training(small_config(), 1);
  const Ensemble ensemble{.members = Assignment({{0, 1, 4}, {2}, {1, 3, 5}}, 6), .block_scale = {0.75}};
  const EvaluationResult plain =
      evaluate_plainly(setup, {{0.75, 0.75, 0, 0, 0.75, 0}, {0, 0, 0.75, 0, 0, 0}, {0, 0.75, 0, 0.75, 0, 0.75}});
  const EvaluationResult one = evaluate_with(setup, 1, {0.5}, 8, &ensemble);
  EXPECT_EQ(one.samples, 80);
  EXPECT_NEAR(one.loss, plain.loss, 1e-5);
  EXPECT_EQ(one.top1, plain.top1);
  EXPECT_NE(one.loss, evaluate_with(setup, 1, {0.5}, 8).loss);
  for (const std::int64_t train_batch_size : {1, 1000}) {
    const EvaluationResult result = evaluate_with(setup, 3, {0.5}, train_batch_size, &ensemble);
    EXPECT_EQ(result.loss, one.loss);
    EXPECT_EQ(result.top1, one.top1);
  }
  Config first_blocks = small_config();
  first_blocks.partition.partition_first_blocks = true;
  const TrainingSetup deals_all = prepare_training(first_blocks, 1);
  const Ensemble without_first{.members = Assignment({{0, 1, 4}, {1, 2, 3, 5, 6}}, 7), .block_scale = {1}};
  EXPECT_NEAR(evaluate_with(deals_all, 2, {0.5}, 8, &without_first).loss,
              evaluate_plainly(deals_all, {{1, 1, 0, 0, 1, 0, 0}, {0, 1, 1, 1, 0, 1, 1}}).loss, 1e-5);
}

}  // namespace
}  // namespace resist
