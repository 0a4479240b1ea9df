#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "resist/model/residual_branch.h"

namespace resist {

// The built-in basic block's branch, where no block projects.
class PlainBranch : public ResidualBranch {
 public:
  std::vector<BranchLayer> layers(const BlockGeometry& block) const override {
    return {{"bn1", NormShape{block.in_channels}},
            {"conv1", ConvolutionShape{block.in_channels, block.out_channels, 3, block.stride}},
            {"bn2", NormShape{block.out_channels}},
            {"conv2", ConvolutionShape{block.out_channels, block.out_channels, 3, 1}}};
  }
  at::Tensor forward(const BranchPass& pass, const at::Tensor& x) const override {
    const at::Tensor hidden = pass.convolve("conv1", pass.normalise("bn1", x, true));
    return pass.convolve("conv2", pass.normalise("bn2", hidden, true));
  }
};

// A depthwise convolution, a pointwise one, and an end whose result the backward pass needs.
class SeparableBranch : public ResidualBranch {
 public:
  std::vector<BranchLayer> layers(const BlockGeometry& block) const override {
    return {{"norm", NormShape{block.in_channels}},
            {"depthwise", ConvolutionShape{block.in_channels, block.in_channels, 3, block.stride, block.in_channels}},
            {"pointwise", ConvolutionShape{block.in_channels, block.out_channels, 1, 1}}};
  }
  at::Tensor forward(const BranchPass& pass, const at::Tensor& x) const override {
    return pass.convolve("pointwise", pass.convolve("depthwise", pass.normalise("norm", x, true))).tanh();
  }
};

}  // namespace resist
