#include "resist/model/operations.h"

#include <algorithm>
#include <numeric>

#include "resist/model/activations.h"
#include "resist/model/block.h"

namespace resist {
namespace {

std::int64_t map_pixels(const NetworkSpec& spec, int section) {
  return std::int64_t{spec.section_height(section)} * spec.section_image_width(section);
}

std::int64_t block_products(const NetworkSpec& spec, const BlockPosition& block) {
  const BlockShape shape = block_shape(spec, block.section, block.index);
  const int before = block.index == 0 && block.section > 1 ? block.section - 1 : block.section;
  std::int64_t pixels = map_pixels(spec, before);
  std::int64_t products = 0;
  for (const ConvolutionShape& convolution : shape.convolutions()) {
    if (convolution.stride != 1) {
      pixels = map_pixels(spec, block.section);
    }
    products += pixels * convolution.in_channels * convolution.out_channels * convolution.kernel * convolution.kernel /
                convolution.groups;
  }
  const auto& [in, out, width, stride] = shape.geometry;
  return products + (shape.projects ? map_pixels(spec, block.section) * in * out : 0);
}

}  // namespace

std::int64_t forward_operations(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held) {
  const std::int64_t stem_kernel = spec.stem == Stem::conv7 ? 7 : 3;
  std::int64_t products = stem_map(spec) * spec.channels * stem_kernel * stem_kernel;
  for (const BlockPosition& block : blocks_of(spec, layout, held)) {
    products += block_products(spec, block);
  }
  products += std::int64_t{spec.section_channels(static_cast<int>(spec.depths.size()))} * spec.classes;
  return 2 * products;
}

SubnetworkCost subnetwork_cost(const NetworkSpec& spec, const Layout& layout) {
  SubnetworkCost cost{.shared = static_cast<double>(forward_operations(spec, layout, {})), .block = {}};
  for (const Deck& deck : layout.decks) {
    std::vector<int> blocks(static_cast<std::size_t>(deck.count));
    std::iota(blocks.begin(), blocks.end(), deck.first_block);
    const auto all = static_cast<double>(forward_operations(spec, layout, blocks));
    cost.block.push_back((all - cost.shared) / std::max(1, deck.count));
  }
  return cost;
}

}  // namespace resist
