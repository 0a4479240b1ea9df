#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "resist/comm/in_process.h"
#include "resist/core/heap.h"
#include "resist/train/evaluate.h"
#include "resist/train/training_setup.h"
#include "resist/train/travelling_blocks.h"
#include "resist/train/worker_parameters.h"

// An evaluation of the paper's network beside the forward pass alone, of the same batches on one thread: what reading,
// blocks that are bound one by one, scores and agreeing on them cost besides.

namespace resist {
namespace {

class Evaluation : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State& state) override {
    at::set_num_threads(1);
    keep_freed_memory();
    Config config;
    config.data.data = "synthetic:2500,3,32,32,100";  // a fifth as many are its test set: two batches
    config.model.model = "preact-resnet101";
    config.cluster.precision = state.range(0) != 0 ? Precision::bf16 : Precision::fp32;
    setup_ = std::make_unique<TrainingSetup>(prepare_training(config, 1));
    group_ = make_in_process_group(1);
    parameters_ = std::make_unique<WorkerParameters>(
        setup_->spec, setup_->layout,
        make_placement(setup_->layout, *make_method(config, setup_->decks, 1), /*round=*/0, /*warmup=*/false), 0, 1);
    batches_ = test_batches(*setup_, setup_->data.test);
  }
  void TearDown(const benchmark::State& /*state*/) override {
    batches_.clear();
    parameters_.reset();
    group_.clear();
    setup_.reset();
  }

 protected:
  std::unique_ptr<TrainingSetup> setup_;
  std::vector<std::unique_ptr<Communicator>> group_;
  std::unique_ptr<WorkerParameters> parameters_;
  std::vector<TestBatches> batches_;
};

BENCHMARK_DEFINE_F(Evaluation, forward)(benchmark::State& state) {
  const at::NoGradGuard no_gradients;
  const EvaluationBatches& batches = batches_.front().batches;
  std::vector<Batch> read(static_cast<std::size_t>(batches.count()));
  for (std::size_t i = 0; i < read.size(); ++i) {
    batches.read(static_cast<std::int64_t>(i), read[i]);
  }
  for (auto _ : state) {
    for (Batch& batch : read) {
      benchmark::DoNotOptimize(
          parameters_->network().forward(at::from_blob(batch.pixels.data(), {batch.size(), 3, 32, 32}, at::kFloat)));
    }
  }
  state.SetItemsProcessed(state.iterations() * setup_->data.test->size());
}

BENCHMARK_DEFINE_F(Evaluation, evaluate)(benchmark::State& state) {
  Network network(setup_->spec, setup_->layout);
  network.bind_shared(
      {.values = at::from_blob(parameters_->values(), {parameters_->placement().arena.size()}, at::kFloat)});
  TravellingBlocks blocks(*group_.front(), *parameters_);
  const std::vector<double> scale(setup_->decks.size(), 0.5);
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate(*group_.front(), network, blocks,
                                      {.layout = setup_->layout,
                                       .block_scale = scale,
                                       .batches = batches_.front().batches,
                                       .train_batch_size = setup_->config.train.batch_size}));
  }
  state.SetItemsProcessed(state.iterations() * setup_->data.test->size());
}

BENCHMARK_REGISTER_F(Evaluation, forward)
    ->ArgName("bf16")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_REGISTER_F(Evaluation, evaluate)
    ->ArgName("bf16")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace resist
