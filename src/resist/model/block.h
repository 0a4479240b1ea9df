#pragma once

#include <string>
#include <variant>
#include <vector>

#include "resist/model/network_spec.h"

namespace resist {

inline constexpr int kMaxSections = 8;

// What the residual branch of a block maps between.
struct BlockGeometry {
  int in_channels;
  int out_channels;
  int width;   // of the section: what a branch may narrow to, if the channels outside are a multiple of it
  int stride;  // of the whole block, so of its shortcut; 2 halves the feature map, rounding up
};

struct ConvolutionShape {
  int in_channels;
  int out_channels;
  int kernel;  // height and width; odd
  int stride;
  int groups = 1;  // divides both numbers of channels; in_channels of them: depthwise
};

struct NormShape {
  int channels;
};

// A layer of a residual branch that has parameters.
struct BranchLayer {
  std::string name;  // within the block: conv1, bn1
  std::variant<ConvolutionShape, NormShape> shape;

  const ConvolutionShape* convolution() const { return std::get_if<ConvolutionShape>(&shape); }
};

// One block of a network.
struct BlockShape {
  BlockGeometry geometry;
  bool projects;                    // the shortcut is a 1x1 convolution (channels or size change)
  std::vector<BranchLayer> layers;  // of the residual branch, in the order that its parameters are initialised in

  std::vector<ConvolutionShape> convolutions() const;
};

// `section` is 1-based, `index` within it 0-based. In the built-in branches a norm and a rectifier stand before each
// convolution of a pre-activation block; behind each of a post-activation block, there the last without a rectifier.
BlockShape block_shape(const NetworkSpec& spec, int section, int index);

}  // namespace resist
