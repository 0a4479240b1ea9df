#include "resist/train/global_network.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <utility>

#include "resist/config/enum_words.h"
#include "resist/core/error.h"
#include "resist/model/device.h"

namespace resist {
namespace {

// Blocks of another source, taken to where the network computes.
class BlocksOnDevice : public BlockSource {
 public:
  BlocksOnDevice(std::unique_ptr<BlockSource> blocks, const Layout& layout, at::Device device)
      : blocks_(std::move(blocks)), layout_(layout), device_(device) {}

  ParameterMemory fetch(int block) override {
    const ParameterMemory memory = blocks_->fetch(block);
    values_ = memory.values.narrow(0, memory.offset, layout_.blocks[block].size).to(device_);
    return {.values = values_};
  }

 private:
  std::unique_ptr<BlockSource> blocks_;
  const Layout& layout_;
  at::Device device_;
  at::Tensor values_;
};

}  // namespace

GlobalNetwork::GlobalNetwork(Communicator& communicator, const TrainingSetup& setup, std::span<float> shared,
                             std::unique_ptr<BlockSource> blocks, std::vector<double> block_scale,
                             std::optional<Ensemble> ensemble)
    : communicator_(communicator),
      setup_(setup),
      network_(setup.spec, setup.layout),
      blocks_(std::move(blocks)),
      block_scale_(std::move(block_scale)),
      ensemble_(std::move(ensemble)) {
  const at::Device device = open_device(setup.device);
  const at::Tensor values = at::from_blob(shared.data(), {setup.layout.shared_size}, at::kFloat).to(device);
  network_.bind_shared({.values = values});
  if (setup.device != "cpu") {
    blocks_ = std::make_unique<BlocksOnDevice>(std::move(blocks_), setup.layout, device);
  }
}

std::optional<Ensemble> make_ensemble(const Config& config, const TrainingMethod& method, std::int64_t round,
                                      bool full_depth) {
  if (config.evaluation.inference == Inference::scaled || full_depth) {
    return std::nullopt;
  }
  if (config.train.method != Method::resist) {
    throw InputError(
        fmt::format("--inference ensemble takes the mean of sub-networks, and --method {} trains none; leave it out",
                    to_word(config.train.method)));
  }
  // A block scales its branch in a sub-network as it would in a network where all hold it.
  return Ensemble{.members = method.assignment(round, /*warmup=*/false),
                  .block_scale = method.block_scale(/*warmup=*/true)};
}

}  // namespace resist
