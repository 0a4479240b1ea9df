#include "resist/model/network.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <vector>

#include "support/whole_network.h"

namespace resist {
namespace {

// A pre-activation bottleneck network in plain calls of the library, by the parameters' names.
at::Tensor plain_bottleneck(WholeNetwork& whole, at::Tensor x) {
  const NetworkSpec& spec = whole.network.spec();
  const auto named = [&](const std::string& name) {
    const auto in = [&](const std::vector<Parameter>& parameters, std::size_t group) -> at::Tensor {
      for (const Parameter& parameter : parameters) {
        if (parameter.name == name) {
          return whole.values[group].narrow(0, parameter.offset, parameter.size).view(parameter.shape);
        }
      }
      return {};
    };
    at::Tensor found = in(whole.layout.shared, 0);
    for (std::size_t id = 0; id < whole.layout.blocks.size() && !found.defined(); ++id) {
      found = in(whole.layout.blocks[id].parameters, 1 + id);
    }
    return found;
  };
  const auto norm = [&](const at::Tensor& input, const std::string& name) {
    return at::batch_norm(input, named(name + ".weight"), named(name + ".bias"), {}, {}, true, 0, 1e-5, false).relu();
  };
  x = at::max_pool2d(at::conv2d(x, named("conv1.weight"), {}, 2, 3), 3, 2, 1);
  for (std::size_t section = 1; section <= spec.depths.size(); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      const std::string block = "layer" + std::to_string(section) + "." + std::to_string(index) + ".";
      const int stride = index == 0 && section > 1 ? 2 : 1;
      at::Tensor hidden = norm(x, block + "bn1");
      const at::Tensor shortcut = index == 0 ? at::conv2d(hidden, named(block + "downsample.0.weight"), {}, stride) : x;
      hidden = norm(at::conv2d(hidden, named(block + "conv1.weight")), block + "bn2");
      hidden = norm(at::conv2d(hidden, named(block + "conv2.weight"), {}, stride, 1), block + "bn3");
      x = shortcut + at::conv2d(hidden, named(block + "conv3.weight"));
    }
  }
  return at::linear(norm(x, "norm").mean({2, 3}), named("fc.weight"), named("fc.bias"));
}

TEST(Network, ABottleneckNetworkIsWhatItSays) {
  WholeNetwork whole({.bottleneck = true,
                      .stem = Stem::conv7,
                      .final_norm = true,
                      .depths = {2, 1, 3, 1},
                      .width = 4,
                      .classes = 5,
                      .height = 64,
                      .image_width = 64});
  const at::NoGradGuard no_gradients;
  const at::Tensor x = pictures(3, 3, 64);
  const at::Tensor expected = plain_bottleneck(whole, x);
  EXPECT_LT((whole.network.forward(x) - expected).abs().max().item<float>(), 1e-4 * expected.abs().max().item<float>());
}

// Statistics of a batch, given back, are the batch's own.
TEST(Network, CollectsStatisticsAndUsesThem) {
  for (const auto& [block, bottleneck] : {std::pair(BlockType::preact, false), std::pair(BlockType::postact, false),
                                          std::pair(BlockType::preact, true)}) {
    WholeNetwork whole(
        {.block = block, .bottleneck = bottleneck, .final_norm = bottleneck, .depths = {1, 2, 3, 1}, .width = 4});
    const at::NoGradGuard no_gradients;
    const at::Tensor x = pictures(6, 3, 32);
    const at::Tensor expected = whole.network.forward(x);
    NormStatistics statistics;
    whole.network.collect_statistics(&statistics);
    EXPECT_TRUE(at::equal(whole.network.forward(x), expected));
    whole.network.collect_statistics(nullptr);
    const auto channels = norm_channels(whole.layout);
    ASSERT_EQ(statistics.size(), channels.size());
    for (const auto& [name, moments] : statistics) {
      EXPECT_EQ(static_cast<std::int64_t>(moments.mean.size()), channels.at(name)) << name;
    }
    whole.network.use_statistics(&statistics);
    EXPECT_TRUE(at::allclose(whole.network.forward(x), expected, 1e-4, 1e-5));
    // One picture at a time, which has no statistics of its own to speak of.
    EXPECT_TRUE(at::allclose(whole.network.forward(x.narrow(0, 2, 1)), expected.narrow(0, 2, 1), 1e-3, 1e-4));
    whole.network.use_statistics(nullptr);
    EXPECT_FALSE(at::allclose(whole.network.forward(x.narrow(0, 2, 1)), expected.narrow(0, 2, 1), 1e-3, 1e-4));
  }
}

TEST(Network, GivesLogitsForEveryKindAndSize) {
  for (const auto& [block, bottleneck] : {std::pair(BlockType::preact, false), std::pair(BlockType::postact, false),
                                          std::pair(BlockType::preact, true), std::pair(BlockType::postact, true)}) {
    for (const int size : {28, 32, 7}) {
      WholeNetwork whole({.block = block,
                          .bottleneck = bottleneck,
                          .stem = bottleneck ? Stem::conv7 : Stem::conv3,
                          .depths = {1, 2, 3, 1},
                          .width = 4,
                          .classes = 5,
                          .channels = 1,
                          .height = size,
                          .image_width = size});
      const at::Tensor logits = whole.network.forward(pictures(6, 1, size));
      EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{6, 5}));
      EXPECT_TRUE(logits.isfinite().all().item<bool>());
      EXPECT_GT(logits.std().item<float>(), 0);
    }
  }
}

TEST(Network, BackwardLeavesEveryGradientInItsLeaf) {
  for (const auto& [block, bottleneck] : {std::pair(BlockType::preact, false), std::pair(BlockType::postact, false),
                                          std::pair(BlockType::preact, true), std::pair(BlockType::postact, true)}) {
    WholeNetwork whole({.block = block,
                        .bottleneck = bottleneck,
                        .stem = bottleneck ? Stem::conv7 : Stem::conv3,
                        .final_norm = bottleneck && block == BlockType::preact,
                        .depths = {1, 2, 3, 1},
                        .width = 4,
                        .classes = 5,
                        .height = bottleneck ? 64 : 32,
                        .image_width = bottleneck ? 64 : 32});
    const at::Tensor labels = at::tensor(std::vector<std::int64_t>{0, 1, 2, 3});
    at::cross_entropy_loss(whole.network.forward(pictures(4, 3, whole.network.spec().height)), labels).backward();
    for (const auto& group : whole.leaves) {
      for (const at::Tensor& leaf : group) {
        EXPECT_GT(leaf.grad().abs().sum().item<double>(), 0) << leaf.sizes();
        EXPECT_TRUE(leaf.grad().is_contiguous());
      }
    }
  }
}

TEST(Network, AnUnboundBlockIsPassedBy) {
  WholeNetwork whole({.depths = {1, 1, 3, 1}, .width = 4, .classes = 5});
  const at::Tensor x = pictures(4, 3, 32);
  const at::Tensor with_both = whole.network.forward(x);
  whole.network.unbind_blocks();
  const at::Tensor without = whole.network.forward(x);
  EXPECT_GT((with_both - without).abs().max().item<float>(), 1e-4);

  // The same as a network that never had these blocks.
  NetworkSpec shallow{.depths = {1, 1, 1, 1}, .width = 4, .classes = 5};
  shallow.partition_sections = {};
  const Layout layout = make_layout(shallow);
  ASSERT_EQ(layout.shared_size, whole.layout.shared_size);
  Network network(shallow, layout);
  network.bind_shared({.values = whole.values[0]});
  EXPECT_TRUE(at::equal(network.forward(x), without));
}

TEST(Network, ApplyScalesTheResidualBranchOnly) {
  WholeNetwork whole({.depths = {1, 1, 3, 1}, .width = 4, .classes = 5});
  const at::Tensor x = whole.network.stem(pictures(2, 3, 32));
  const Network::Position position{.section = 1, .index = 0, .block = -1};
  const at::Tensor full = whole.network.apply(position, x, 1.0);
  const at::Tensor half = whole.network.apply(position, x, 0.5);
  EXPECT_TRUE(at::allclose(half - x, (full - x) * 0.5, 1e-4, 1e-5));
}

TEST(Network, Bf16IsFloat32ToItsEightBits) {
  for (const BlockType block : {BlockType::preact, BlockType::postact}) {
    NetworkSpec spec{.block = block, .depths = {1, 1, 3, 1}, .width = 16, .classes = 5};
    WholeNetwork exact(spec);
    spec.bf16 = true;
    WholeNetwork rounded(spec);
    const at::Tensor x = pictures(32, 3, 32);
    const at::Tensor expected = exact.network.forward(x);
    const at::Tensor logits = rounded.network.forward(x);
    EXPECT_EQ(logits.scalar_type(), at::kFloat);
    EXPECT_GT((logits - expected).abs().max().item<double>(), 0);
    EXPECT_LT((logits - expected).abs().max().item<double>(), 0.1 * expected.abs().max().item<double>());
    const at::Tensor labels = at::arange(32, at::kLong).remainder(5);
    at::cross_entropy_loss(expected, labels).backward();
    at::cross_entropy_loss(logits, labels).backward();
    double length = 0;
    double distance = 0;
    for (std::size_t group = 0; group < rounded.leaves.size(); ++group) {
      for (std::size_t i = 0; i < rounded.leaves[group].size(); ++i) {
        const at::Tensor gradient = rounded.leaves[group][i].grad();
        const at::Tensor reference = exact.leaves[group][i].grad();
        EXPECT_EQ(gradient.scalar_type(), at::kFloat);
        length += reference.square().sum().item<double>();
        distance += (gradient - reference).square().sum().item<double>();
      }
    }
    // Of all gradients as one vector. An activation in a hundred on the other side of the rectifier's kink is a tenth.
    EXPECT_LT(std::sqrt(distance / length), 0.3);
  }
}

TEST(Network, ADealtStridedBlockThatIsAbsentLeavesItsShortcut) {
  for (const BlockType block : {BlockType::preact, BlockType::postact}) {
    WholeNetwork whole({.block = block,
                        .depths = {1, 2, 2, 1},
                        .width = 4,
                        .classes = 5,
                        .partition_sections = {1, 2, 3, 4},
                        .partition_first_blocks = true});
    whole.network.unbind_blocks();
    const at::Tensor logits = whole.network.forward(pictures(4, 3, 32));
    EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{4, 5}));
    EXPECT_TRUE(logits.isfinite().all().item<bool>());
  }
}

}  // namespace
}  // namespace resist
