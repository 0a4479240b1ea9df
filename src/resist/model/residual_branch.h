#pragma once

#include <string>
#include <vector>

#include "resist/model/block.h"

namespace at {
class Tensor;
}

namespace resist {

// The layers of one block's residual branch with their parameters, during a pass through it.
class BranchPass {
 public:
  virtual ~BranchPass() = default;
  // `x` [batch, channels, height, width] through the convolution of this name (convolution.h), padded by half its
  // kernel, without a bias.
  virtual at::Tensor convolve(const std::string& layer, const at::Tensor& x) const = 0;
  // Batch norm (norm.h), with a rectifier behind it where `relu` is set. In evaluation with a calibration it uses
  // running statistics; the branch need not know.
  virtual at::Tensor normalise(const std::string& layer, const at::Tensor& x, bool relu) const = 0;
};

// A block type of one's own: what NetworkSpec::branch puts in the place of the built-in residual branches. A block is
// shortcut(x) + scale * branch(x), where the shortcut is x or, where channels or size change, a strided 1x1
// convolution of it; no norm or rectifier stands outside the branch. Immutable: it is called from several workers'
// threads at once.
class ResidualBranch {
 public:
  virtual ~ResidualBranch() = default;
  // Its layers, at least one of them a convolution; names are without dots, each there once. A function of the geometry
  // alone. Forecasts count each convolution's operations on the block's feature map.
  virtual std::vector<BranchLayer> layers(const BlockGeometry& block) const = 0;
  // The branch of `x` [batch, in_channels, height, width], channels_last, float32 or bf16: [batch, out_channels, height
  // and width over the stride, rounded up] of the same type and device. Any operation that is part of autograd may be
  // used; `x` must not be changed.
  virtual at::Tensor forward(const BranchPass& pass, const at::Tensor& x) const = 0;
};

}  // namespace resist
