// Trains a residual network of one's own block type on one's own data with four workers, here threads of one process.
// docs/library.md goes through it.
#include <torch/types.h>

#include <cstdio>
#include <random>

#include "resist/comm/worker_threads.h"
#include "resist/data/memory_dataset.h"
#include "resist/model/residual_branch.h"
#include "resist/run/threads.h"
#include "resist/train/trainer.h"

// A depthwise separable convolution whose channels are weighted by what the whole map holds (Hu et al.,
// "Squeeze-and-Excitation Networks", CVPR 2018).
class SqueezeExcite : public resist::ResidualBranch {
 public:
  std::vector<resist::BranchLayer> layers(const resist::BlockGeometry& block) const override {
    using Convolution = resist::ConvolutionShape;
    const int in = block.in_channels;
    const int out = block.out_channels;
    return {{"norm1", resist::NormShape{in}},
            {"depthwise", Convolution{in, in, /*kernel=*/3, block.stride, /*groups=*/in}},
            {"norm2", resist::NormShape{in}},
            {"pointwise", Convolution{in, out, /*kernel=*/1, /*stride=*/1}},
            {"squeeze", Convolution{out, out / 4, /*kernel=*/1, /*stride=*/1}},
            {"excite", Convolution{out / 4, out, /*kernel=*/1, /*stride=*/1}}};
  }

  at::Tensor forward(const resist::BranchPass& pass, const at::Tensor& x) const override {
    const at::Tensor filtered = pass.convolve("depthwise", pass.normalise("norm1", x, /*relu=*/true));
    const at::Tensor y = pass.convolve("pointwise", pass.normalise("norm2", filtered, /*relu=*/true));
    const at::Tensor squeezed = pass.convolve("squeeze", y.mean({2, 3}, /*keepdim=*/true)).relu();
    return y * pass.convolve("excite", squeezed).sigmoid();
  }
};

constexpr resist::PictureSize kSize{.height = 20, .width = 20};

// Noisy pictures of bars: class 0 lies, class 1 stands, class 2 slants.
std::shared_ptr<resist::Dataset> draw_bars(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < count; ++i) {
    const int label = i % 3;
    const int offset = static_cast<int>(random() % 13) - 6;
    for (int y = 0; y < kSize.height; ++y) {
      for (int x = 0; x < kSize.width; ++x) {
        const int along = label == 0 ? y - 10 : label == 1 ? x - 10 : x - y;
        const int noise = static_cast<int>(random() % 100);
        pixels.push_back(static_cast<std::uint8_t>(noise + (std::abs(along - offset) < 2 ? 100 : 0)));
      }
    }
    labels.push_back(static_cast<std::uint8_t>(label));
  }
  return std::make_shared<resist::MemoryDataset>(std::move(pixels), std::move(labels), kSize, /*channels=*/1);
}

class Printer : public resist::TrainingObserver {
 public:
  void round_committed(resist::Trainer& trainer, const resist::RoundRecord& record, bool /*last*/) override {
    if (trainer.communicator().rank() == 0 && record.accuracy) {
      std::printf("round %2d: loss %.3f, test accuracy %.3f\n", static_cast<int>(record.round), record.loss,
                  *record.accuracy);
    }
  }
};

int main() try {
  constexpr int kWorkers = 4;
  resist::Config config;  // every option of `resist train`, with its default
  config.model.depths = {1, 8, 1};
  config.model.width = 16;
  config.model.final_norm = true;
  config.partition.partition_sections = {2};
  config.train.epochs = 8;
  config.train.batch_size = 25;
  config.train.local_iterations = 10;
  config.evaluation.eval_every = 4;
  resist::DataSource data{
      .info =
          {.name = "bars", .channels = 1, .height = 20, .width = 20, .classes = 3, .mean = {0.24F}, .stddev = {0.17F}},
      .train = draw_bars(3000, /*seed=*/1),
      .test = draw_bars(600, /*seed=*/2)};
  resist::NetworkSpec spec = resist::make_network_spec(config, resist::input_shape(data.info));
  spec.branch = std::make_shared<SqueezeExcite>();
  const resist::TrainingSetup setup = resist::prepare_training(config, data, spec, kWorkers);
  resist::set_compute_threads(1);  // of each worker
  const std::atomic<int> stop{0};
  resist::run_worker_threads(kWorkers, std::chrono::minutes(1), [&](resist::Communicator& communicator) {
    Printer printer;
    resist::Trainer(setup, communicator, {}, stop).run(printer);
  });
} catch (const resist::Error& error) {
  std::fprintf(stderr, "own_block: %s\n", error.what());
  return 1;
}
