#pragma once

#include <vector>

#include "resist/model/network_spec.h"

namespace resist {

inline constexpr int kMaxSections = 8;
inline constexpr int kMaxConvolutions = 3;  // of a residual branch

struct ConvolutionShape {
  int in_channels;
  int out_channels;
  int kernel;
  int stride;
};

// Shapes of one block: what its convolutions map between. A norm and a rectifier stand before each convolution of a
// pre-activation block and behind each of a post-activation block.
struct BlockShape {
  int in_channels;
  int out_channels;
  int stride;                                  // of the whole block, so of its shortcut
  bool projects;                               // the shortcut is a 1x1 convolution (channels or size change)
  std::vector<ConvolutionShape> convolutions;  // of the residual branch, in order
};

inline BlockShape block_shape(const NetworkSpec& spec, int section, int index) {
  const int width = spec.section_width(section);
  const int out = spec.section_channels(section);
  const int before = section == 1 ? spec.width : spec.section_channels(section - 1);
  const int in = index == 0 ? before : out;
  const int stride = index == 0 && section > 1 ? 2 : 1;
  BlockShape shape{.in_channels = in,
                   .out_channels = out,
                   .stride = stride,
                   .projects = stride != 1 || in != out,
                   .convolutions = {}};
  if (spec.bottleneck) {
    shape.convolutions = {{in, width, 1, 1}, {width, width, 3, stride}, {width, out, 1, 1}};
  } else {
    shape.convolutions = {{in, out, 3, stride}, {out, out, 3, 1}};
  }
  return shape;
}

}  // namespace resist
