#include "resist/model/activations.h"

#include <algorithm>
#include <set>
#include <utility>

#include "resist/model/block.h"
#include "resist/model/winograd.h"

namespace resist {

std::int64_t feature_map(const NetworkSpec& spec, int section) {
  return std::int64_t{spec.section_width(section)} * spec.section_height(section) * spec.section_image_width(section);
}

std::int64_t evaluation_activations(const NetworkSpec& spec) {
  // A block's input, what is activated of it, the first convolution's output and what is activated of that; where the
  // block projects, the first two are of the section before and the projection comes on top.
  std::int64_t largest = 0;
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      const bool projects = block_shape(spec, section, index).projects;
      const std::int64_t own = feature_map(spec, section);
      largest = std::max(largest, projects ? 2 * feature_map(spec, section - 1) + 3 * own : 4 * own);
    }
  }
  return largest;
}

std::int64_t convolution_scratch(const NetworkSpec& spec, std::int64_t batch, bool training) {
  std::int64_t largest = 0;
  if (spec.bf16) {
    return largest;  // libtorch's convolutions, which need no memory to speak of
  }
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    const int width = spec.section_width(section);
    const auto plan =
        plan_winograd(batch, width, width, spec.section_height(section), spec.section_image_width(section));
    largest = std::max(largest, plan ? plan->scratch(training) : 0);
  }
  return largest * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t training_activations(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held) {
  std::set<std::pair<int, int>> absent;
  for (int id = 0; id < static_cast<int>(layout.blocks.size()); ++id) {
    if (!std::ranges::binary_search(held, id)) {
      absent.insert({layout.blocks[id].section, layout.blocks[id].index});
    }
  }
  std::int64_t elements = std::int64_t{spec.channels} * spec.height * spec.image_width;
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      if (absent.contains({section, index})) {
        continue;
      }
      const bool projects = block_shape(spec, section, index).projects;
      // The input of each norm and of each convolution: for a pre-activation block its own input, the activated input,
      // the first convolution's output and that activated. A post-activation block keeps as many: the outputs of both
      // convolutions and what is activated of them.
      const std::int64_t inputs = feature_map(spec, projects ? section - 1 : section);
      elements += 2 * inputs + 2 * feature_map(spec, section);
    }
  }
  return elements + feature_map(spec, static_cast<int>(spec.depths.size()));
}

}  // namespace resist
