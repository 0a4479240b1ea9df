#include "resist/model/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "resist/core/error.h"
#include "resist/model/residual_branch.h"

namespace resist {
namespace {

std::vector<ConvolutionShape> built_in_convolutions(const BlockGeometry& block, bool bottleneck) {
  const auto& [in, out, width, stride] = block;
  if (bottleneck) {
    return {{in, width, 1, 1}, {width, width, 3, stride}, {width, out, 1, 1}};
  }
  return {{in, out, 3, stride}, {out, out, 3, 1}};
}

std::vector<BranchLayer> built_in_layers(const NetworkSpec& spec, const BlockGeometry& block) {
  std::vector<BranchLayer> layers;
  int number = 0;
  for (const ConvolutionShape& convolution : built_in_convolutions(block, spec.bottleneck)) {
    ++number;
    const BranchLayer main{fmt::format("conv{}", number), convolution};
    const std::string norm = fmt::format("bn{}", number);
    if (spec.block == BlockType::preact) {
      layers.push_back({norm, NormShape{convolution.in_channels}});
      layers.push_back(main);
    } else {
      layers.push_back(main);
      layers.push_back({norm, NormShape{convolution.out_channels}});
    }
  }
  return layers;
}

void check_convolution(const std::string& name, const ConvolutionShape& shape) {
  const int least = std::min({shape.in_channels, shape.out_channels, shape.stride, shape.groups});
  if (least < 1 || shape.kernel < 1 || shape.kernel % 2 == 0 || shape.in_channels % shape.groups != 0 ||
      shape.out_channels % shape.groups != 0) {
    throw InputError(fmt::format(
        "the residual branch's convolution '{}' has {} channels in and {} out, a kernel of {}, a stride of {} and {} "
        "groups; allowed are odd kernels, strides from 1 on, and groups that divide both numbers of channels",
        name, shape.in_channels, shape.out_channels, shape.kernel, shape.stride, shape.groups));
  }
}

// A branch of somebody's own may say anything.
std::vector<BranchLayer> own_layers(const ResidualBranch& branch, const BlockGeometry& block) {
  std::vector<BranchLayer> layers = branch.layers(block);
  std::set<std::string> names;
  bool convolves = false;
  for (const BranchLayer& layer : layers) {
    if (layer.name.empty() || layer.name.find('.') != std::string::npos) {
      throw InputError(fmt::format("a residual branch's layers must be named, without dots; got '{}'", layer.name));
    }
    if (!names.insert(layer.name).second) {
      throw InputError(fmt::format("the residual branch names '{}' twice", layer.name));
    }
    if (const ConvolutionShape* convolution = layer.convolution()) {
      check_convolution(layer.name, *convolution);
      convolves = true;
    } else if (const int channels = std::get<NormShape>(layer.shape).channels; channels < 1) {
      throw InputError(fmt::format("the residual branch's norm '{}' has {} channels", layer.name, channels));
    }
  }
  if (!convolves) {
    throw InputError("the residual branch needs a convolution");
  }
  return layers;
}

}  // namespace

std::vector<ConvolutionShape> BlockShape::convolutions() const {
  std::vector<ConvolutionShape> shapes;
  for (const BranchLayer& layer : layers) {
    if (const ConvolutionShape* convolution = layer.convolution()) {
      shapes.push_back(*convolution);
    }
  }
  return shapes;
}

BlockShape block_shape(const NetworkSpec& spec, int section, int index) {
  const int out = spec.section_channels(section);
  const int before = section == 1 ? spec.width : spec.section_channels(section - 1);
  const BlockGeometry geometry{.in_channels = index == 0 ? before : out,
                               .out_channels = out,
                               .width = spec.section_width(section),
                               .stride = index == 0 && section > 1 ? 2 : 1};
  return {.geometry = geometry,
          .projects = geometry.stride != 1 || geometry.in_channels != out,
          .layers = spec.branch ? own_layers(*spec.branch, geometry) : built_in_layers(spec, geometry)};
}

}  // namespace resist
