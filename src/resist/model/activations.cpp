#include "resist/model/activations.h"

#include <algorithm>

#include "resist/model/block.h"
#include "resist/model/precision.h"
#include "resist/model/unfold.h"
#include "resist/model/winograd.h"

namespace resist {

namespace {

constexpr std::int64_t kPoolIndices = 2;  // where a pool found its largest: eight bytes, as much as two values

// A convolution of a block's branch, and the elements of a sample's maps around it.
struct ConvolutionMaps {
  ConvolutionShape shape;
  int section;  // whose maps' size its input has
  std::int64_t in;
  std::int64_t out;
};

std::vector<ConvolutionMaps> convolution_maps(const NetworkSpec& spec, int section, int index) {
  const BlockShape shape = block_shape(spec, section, index);
  int before = index == 0 && section > 1 ? section - 1 : section;
  const auto pixels = [&](int of) { return std::int64_t{spec.section_height(of)} * spec.section_image_width(of); };
  std::vector<ConvolutionMaps> maps;
  for (const ConvolutionShape& convolution : shape.convolutions()) {
    const int after = convolution.stride == 1 ? before : section;
    maps.push_back({.shape = convolution,
                    .section = before,
                    .in = convolution.in_channels * pixels(before),
                    .out = convolution.out_channels * pixels(after)});
    before = after;
  }
  return maps;
}

// Bytes.
std::int64_t scratch_of(const NetworkSpec& spec, const ConvolutionMaps& maps, std::int64_t batch, bool training) {
  const ConvolutionShape& convolution = maps.shape;
  if (convolution.groups != 1) {
    return 0;
  }
  const int height = spec.section_height(maps.section);
  const int width = spec.section_image_width(maps.section);
  if (spec.bf16) {
    const UnfoldedMap map{.height = height,
                          .width = width,
                          .channels = convolution.in_channels,
                          .kernel = convolution.kernel,
                          .stride = convolution.stride};
    const auto plan = has_matrix_units() ? plan_unfolded(batch, map, convolution.out_channels) : std::nullopt;
    return plan ? plan->scratch() : 0;
  }
  if (convolution.kernel != 3 || convolution.stride != 1) {
    return 0;
  }
  const auto plan = plan_winograd(batch, convolution.in_channels, convolution.out_channels, height, width);
  return plan ? plan->scratch(training) * static_cast<std::int64_t>(sizeof(float)) : 0;
}

}  // namespace

std::int64_t feature_map(const NetworkSpec& spec, int section) {
  return std::int64_t{spec.section_channels(section)} * spec.section_height(section) *
         spec.section_image_width(section);
}

std::int64_t stem_map(const NetworkSpec& spec) {
  const auto half = [&](int size) { return spec.stem == Stem::conv7 ? (size + 1) / 2 : size; };
  return std::int64_t{spec.width} * half(spec.height) * half(spec.image_width);
}

std::int64_t evaluation_activations(const NetworkSpec& spec) {
  std::int64_t largest = 2 * stem_map(spec);
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      const auto maps = convolution_maps(spec, section, index);
      // The block's input, what is activated of it, and the projection stay throughout the branch.
      const bool projects = block_shape(spec, section, index).projects;
      const std::int64_t held = 2 * maps.front().in + (projects ? maps.back().out : 0);
      for (std::size_t i = 0; i < maps.size(); ++i) {
        // A convolution's input (the first one's is counted), its output and what is activated of that.
        const bool last = i + 1 == maps.size();
        largest = std::max(largest, held + (i == 0 ? 0 : maps[i].in) + (last ? 1 : 2) * maps[i].out);
      }
    }
  }
  return largest;
}

std::int64_t convolution_scratch(const NetworkSpec& spec, std::int64_t batch, bool training) {
  std::int64_t largest = 0;
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < std::min(2, spec.depths[section - 1]); ++index) {  // those after them are alike
      for (const ConvolutionMaps& maps : convolution_maps(spec, section, index)) {
        largest = std::max(largest, scratch_of(spec, maps, batch, training));
      }
    }
  }
  return largest;
}

std::int64_t training_activations(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held) {
  std::int64_t elements = std::int64_t{spec.channels} * spec.height * spec.image_width;
  if (spec.stem == Stem::conv7) {
    elements += (1 + kPoolIndices) * stem_map(spec);
  }
  for (const BlockPosition& block : blocks_of(spec, layout, held)) {
    // The input of each norm and of each convolution. A post-activation block keeps as many: its convolutions' outputs
    // and what is activated of them.
    for (const ConvolutionMaps& maps : convolution_maps(spec, block.section, block.index)) {
      elements += 2 * maps.in;
    }
  }
  return elements + (spec.final_norm ? 2 : 1) * feature_map(spec, static_cast<int>(spec.depths.size()));
}

std::int64_t evaluation_super_batch(const NetworkSpec& spec, const Layout& layout, std::int64_t train_batch_size,
                                    std::int64_t eval_batch_size) {
  if (layout.blocks.empty()) {
    return 1;
  }
  // The largest input of a block from the first dealt one on.
  const BlockLayout& first = layout.blocks.front();
  std::int64_t largest = feature_map(spec, first.index == 0 ? std::max(1, first.section - 1) : first.section);
  for (int section = first.section + 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    largest = std::max({largest, feature_map(spec, section - 1), feature_map(spec, section)});
  }
  const std::int64_t allowed = training_activations(spec, layout, {}) * train_batch_size;
  return std::max<std::int64_t>(1, allowed / (largest * eval_batch_size));
}

}  // namespace resist
