#include "resist/model/network.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <deque>
#include <vector>

#include "resist/model/initialise.h"

namespace resist {
namespace {

// The whole network in memory of its own, every block bound.
struct WholeNetwork {
  explicit WholeNetwork(const NetworkSpec& spec) : layout(make_layout(spec)), network(spec, layout) {
    leaves.push_back(network.bind_shared(make_memory(layout.shared, layout.shared_size)));
    for (std::size_t id = 0; id < layout.blocks.size(); ++id) {
      const BlockLayout& block = layout.blocks[id];
      leaves.push_back(network.bind_block(static_cast<int>(id), make_memory(block.parameters, block.size)));
    }
  }

  ParameterMemory make_memory(const std::vector<Parameter>& parameters, std::int64_t size) {
    at::Tensor& flat = values.emplace_back(at::empty({size}));
    initialise(parameters, 1, {flat.data_ptr<float>(), static_cast<std::size_t>(size)});
    return {.values = flat, .trained = true};
  }

  Layout layout;
  Network network;
  std::deque<at::Tensor> values;  // 0: shared, 1 + b: block b
  std::vector<std::vector<at::Tensor>> leaves;
};

at::Tensor pictures(int count, int channels, int size) {
  return (at::arange(std::int64_t{count} * channels * size * size).reshape({count, channels, size, size}) * 0.37).sin();
}

TEST(Network, GivesLogitsForEveryKindAndSize) {
  for (const BlockType block : {BlockType::preact, BlockType::postact}) {
    for (const int size : {28, 32, 7}) {
      WholeNetwork whole({.block = block,
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
  for (const BlockType block : {BlockType::preact, BlockType::postact}) {
    WholeNetwork whole({.block = block, .depths = {1, 2, 3, 1}, .width = 4, .classes = 5});
    const at::Tensor labels = at::tensor(std::vector<std::int64_t>{0, 1, 2, 3});
    at::cross_entropy_loss(whole.network.forward(pictures(4, 3, 32)), labels).backward();
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
    NetworkSpec spec{.block = block, .depths = {1, 1, 3, 1}, .width = 4, .classes = 5};
    WholeNetwork exact(spec);
    spec.bf16 = true;
    WholeNetwork rounded(spec);
    const at::Tensor x = pictures(8, 3, 32);
    const at::Tensor expected = exact.network.forward(x);
    const at::Tensor logits = rounded.network.forward(x);
    EXPECT_EQ(logits.scalar_type(), at::kFloat);
    EXPECT_GT((logits - expected).abs().max().item<double>(), 0);
    EXPECT_LT((logits - expected).abs().max().item<double>(), 0.1 * expected.abs().max().item<double>());
    logits.sum().backward();
    for (const auto& group : rounded.leaves) {
      for (const at::Tensor& leaf : group) {
        EXPECT_EQ(leaf.grad().scalar_type(), at::kFloat);
      }
    }
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
