#include "resist/model/residual_branch.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>
#include <memory>

#include "resist/export/check_values.h"
#include "resist/model/operations.h"
#include "support/input_error.h"
#include "support/own_branch.h"
#include "support/whole_network.h"

namespace resist {
namespace {

NetworkSpec small_network(std::shared_ptr<const ResidualBranch> branch) {
  return {.branch = std::move(branch),
          .final_norm = true,
          .depths = {1, 3},
          .width = 8,
          .classes = 5,
          .height = 12,
          .image_width = 12,
          .partition_sections = {2}};
}

// A branch whose layers are given.
class LayersOnly : public ResidualBranch {
 public:
  explicit LayersOnly(std::vector<BranchLayer> layers) : layers_(std::move(layers)) {}
  std::vector<BranchLayer> layers(const BlockGeometry& /*block*/) const override { return layers_; }
  at::Tensor forward(const BranchPass& pass, const at::Tensor& x) const override { return pass.convolve("other", x); }

 private:
  std::vector<BranchLayer> layers_;
};

TEST(ResidualBranch, ThatIsTheBuiltInOneGivesTheSameBits) {
  NetworkSpec spec = small_network(std::make_shared<PlainBranch>());
  spec.depths = {3};
  spec.partition_sections = {1};
  WholeNetwork own(spec);
  spec.branch = nullptr;
  WholeNetwork built_in(spec);
  ASSERT_EQ(own.layout.total_size(), built_in.layout.total_size());
  EXPECT_TRUE(at::equal(own.network.forward(pictures(4, 3, 12)), built_in.network.forward(pictures(4, 3, 12))));
  EXPECT_EQ(forward_operations(own.network.spec(), own.layout, {0, 1}),
            forward_operations(built_in.network.spec(), built_in.layout, {0, 1}));
}

TEST(ResidualBranch, IsScaledAndAddedToItsShortcut) {
  WholeNetwork whole(small_network(std::make_shared<SeparableBranch>()));
  const at::NoGradGuard no_gradients;
  const at::Tensor x = pictures(2, 16, 6);
  const Network::Position dealt = whole.network.positions().back();
  ASSERT_GE(dealt.block, 0);
  const at::Tensor once = whole.network.apply(dealt, x, 1.0) - x;
  EXPECT_TRUE(at::allclose(whole.network.apply(dealt, x, 0.25), x + 0.25 * once, 1e-5, 1e-6));
  whole.network.unbind_block(dealt.block);
  EXPECT_TRUE(at::equal(whole.network.apply(dealt, x, 1.0), x));
}

TEST(ResidualBranch, IsTrainedThroughEveryLayer) {
  WholeNetwork whole(small_network(std::make_shared<SeparableBranch>()));
  at::square(whole.network.forward(pictures(4, 3, 12))).sum().backward();
  for (const auto& group : whole.leaves) {
    for (const at::Tensor& leaf : group) {
      ASSERT_TRUE(leaf.grad().defined());
      EXPECT_GT(leaf.grad().abs().max().item<float>(), 0);
    }
  }
}

TEST(ResidualBranch, HasItsParametersUnderItsOwnNames) {
  const Layout layout = make_layout(small_network(std::make_shared<SeparableBranch>()));
  const BlockLayout& block = layout.blocks.front();
  ASSERT_EQ(block.parameters.size(), 4U);
  EXPECT_EQ(block.parameters[0].name, "layer2.1.depthwise.weight");
  EXPECT_EQ(block.parameters[0].shape, (std::vector<std::int64_t>{16, 1, 3, 3}));
  EXPECT_EQ(block.parameters[0].fan_in, 9);
  EXPECT_EQ(block.parameters[1].name, "layer2.1.pointwise.weight");
  EXPECT_EQ(block.parameters[2].name, "layer2.1.norm.weight");
}

TEST(ResidualBranch, ThatCantBeIsRefused) {
  const auto refused = [](const std::vector<BranchLayer>& layers, const std::string& message) {
    EXPECT_TRUE(
        contains(input_error([&] { make_layout(small_network(std::make_shared<LayersOnly>(layers))); }), message));
  };
  const BranchLayer good{"a", ConvolutionShape{8, 8, 3, 1}};
  refused({{"a", NormShape{8}}}, "needs a convolution");
  refused({good, {"a", NormShape{8}}}, "names 'a' twice");
  refused({{"", ConvolutionShape{8, 8, 3, 1}}}, "must be named");
  refused({{"downsample.0", ConvolutionShape{8, 8, 3, 1}}}, "must be named");
  refused({{"a", ConvolutionShape{8, 8, 2, 1}}}, "kernel of 2");
  refused({{"a", ConvolutionShape{8, 6, 3, 1, 4}}}, "4 groups");
  refused({good, {"b", NormShape{0}}}, "0 channels");
  NetworkSpec postact = small_network(std::make_shared<SeparableBranch>());
  postact.block = BlockType::postact;
  EXPECT_TRUE(contains(input_error([&] { make_layout(postact); }), "leave `block` at preact"));

  EXPECT_NO_THROW(check_exportable(small_network(nullptr)));
  EXPECT_TRUE(contains(input_error([&] { check_exportable(small_network(std::make_shared<SeparableBranch>())); }),
                       "can't be exported"));

  WholeNetwork whole(small_network(std::make_shared<LayersOnly>(std::vector<BranchLayer>{good})));
  EXPECT_TRUE(
      contains(input_error([&] { whole.network.forward(pictures(2, 3, 12)); }), "asks for a convolution 'other'"));
}

// Gives the channels that came in.
class NarrowBranch : public SeparableBranch {
 public:
  at::Tensor forward(const BranchPass& pass, const at::Tensor& x) const override {
    return pass.convolve("depthwise", pass.normalise("norm", x, true));
  }
};

TEST(ResidualBranch, OfAnotherShapeThanItsBlockIsRefused) {
  WholeNetwork whole(small_network(std::make_shared<NarrowBranch>()));
  EXPECT_TRUE(contains(input_error([&] { whole.network.forward(pictures(2, 3, 12)); }),
                       "gives [2, 8, 6, 6] where the block has [2, 16, 6, 6]"));
}

}  // namespace
}  // namespace resist
