#include "resist/model/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "resist/core/error.h"
#include "resist/model/block.h"

namespace resist {
namespace {

int stem_kernel(Stem stem) {
  return stem == Stem::conv7 ? 7 : 3;
}

// Collects parameters in global order, each into the shared group or into a partitioned block.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(const NetworkSpec& spec) : spec_(spec) {}

  Layout build() {
    add_convolution("conv1.weight", {spec_.channels, spec_.width, stem_kernel(spec_.stem), 1}, nullptr);
    if (spec_.block == BlockType::postact) {
      add_norm("bn1", spec_.width, nullptr);
    }
    for (int section = 1; section <= static_cast<int>(spec_.depths.size()); ++section) {
      add_section(section);
    }
    const int features = spec_.section_channels(static_cast<int>(spec_.depths.size()));
    if (spec_.final_norm) {
      add_norm("norm", features, nullptr);
    }
    add("fc.weight", ParameterKind::linear_weight, {spec_.classes, features}, features, nullptr);
    add("fc.bias", ParameterKind::linear_bias, {spec_.classes}, features, nullptr);
    layout_.shared_weights_size = weights_first(layout_.shared);
    for (BlockLayout& block : layout_.blocks) {
      block.weights_size = weights_first(block.parameters);
    }
    find_last_section();
    return std::move(layout_);
  }

 private:
  void find_last_section() {
    const std::string prefix = fmt::format("layer{}.", spec_.depths.size());
    for (const Parameter& parameter : layout_.shared) {
      if (!parameter.name.starts_with(prefix)) {
        continue;
      }
      if (layout_.last_section.empty() || layout_.last_section.back().end != parameter.offset) {
        layout_.last_section.push_back({.begin = parameter.offset, .end = parameter.offset});
      }
      layout_.last_section.back().end += parameter.size;
    }
  }

  void add_section(int section) {
    const bool dealt = std::ranges::count(spec_.partition_sections, section) > 0;
    const int first_dealt = spec_.partition_first_blocks ? 0 : 1;
    Deck deck{.section = section, .first_block = static_cast<int>(layout_.blocks.size()), .count = 0, .slot_size = 0};
    for (int index = 0; index < spec_.depths[section - 1]; ++index) {
      if (dealt && index >= first_dealt) {
        BlockLayout block{.section = section, .index = index, .size = 0, .weights_size = 0, .parameters = {}};
        add_block(section, index, &block);
        deck.slot_size = std::max(deck.slot_size, block.size);
        ++deck.count;
        layout_.blocks.push_back(std::move(block));
      } else {
        add_block(section, index, nullptr);
      }
    }
    if (dealt) {
      layout_.decks.push_back(deck);
    }
  }

  // `branch`: where the residual branch's parameters go; null: shared. What a projecting shortcut needs is always
  // shared, also the norm before it, so that a worker without the branch still has a way through.
  void add_block(int section, int index, BlockLayout* branch) {
    const BlockShape shape = block_shape(spec_, section, index);
    const auto& [in, out, width, stride] = shape.geometry;
    const std::string prefix = fmt::format("layer{}.{}.", section, index);
    for (const BranchLayer& layer : shape.layers) {
      const bool starts_at_zero = spec_.zero_init && &layer == &shape.layers.back();
      if (const ConvolutionShape* convolution = layer.convolution()) {
        add_convolution(prefix + layer.name + ".weight", *convolution, branch, starts_at_zero);
      } else {
        const bool of_shortcut = shape.projects && spec_.normalises_input() && &layer == &shape.layers.front();
        add_norm(prefix + layer.name, std::get<NormShape>(layer.shape).channels, of_shortcut ? nullptr : branch,
                 starts_at_zero);
      }
    }
    if (shape.projects) {
      add_convolution(prefix + "downsample.0.weight", {in, out, 1, stride}, nullptr);
      if (spec_.block == BlockType::postact) {
        add_norm(prefix + "downsample.1", out, nullptr);
      }
    }
  }

  void add_convolution(const std::string& name, const ConvolutionShape& shape, BlockLayout* block,
                       bool starts_at_zero = false) {
    const int kernel = shape.kernel;
    const std::int64_t inputs = shape.in_channels / shape.groups;
    add(name, ParameterKind::convolution, {shape.out_channels, inputs, kernel, kernel}, inputs * kernel * kernel, block,
        starts_at_zero);
  }

  void add_norm(const std::string& name, int channels, BlockLayout* block, bool starts_at_zero = false) {
    add(name + ".weight", ParameterKind::norm_weight, {channels}, 0, block, starts_at_zero);
    add(name + ".bias", ParameterKind::norm_bias, {channels}, 0, block);
  }

  void add(const std::string& name, ParameterKind kind, std::vector<std::int64_t> shape, std::int64_t fan_in,
           BlockLayout* block, bool starts_at_zero = false) {
    const std::int64_t size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    std::int64_t& group_size = block != nullptr ? block->size : layout_.shared_size;
    std::vector<Parameter>& group = block != nullptr ? block->parameters : layout_.shared;
    group.push_back({.name = name,
                     .kind = kind,
                     .shape = std::move(shape),
                     .size = size,
                     .offset = group_size,
                     .global_index = next_index_++,
                     .fan_in = fan_in,
                     .starts_at_zero = starts_at_zero});
    group_size += size;
  }

  // Puts a group's weights before its norm parameters and biases, so that each kind can be sent in a format of its own.
  // Returns the elements of the weights.
  static std::int64_t weights_first(std::vector<Parameter>& group) {
    const auto rest = std::stable_partition(group.begin(), group.end(),
                                            [](const Parameter& parameter) { return parameter.is_weight(); });
    std::int64_t size = 0;
    std::int64_t weights = 0;
    for (auto parameter = group.begin(); parameter != group.end(); ++parameter) {
      parameter->offset = size;
      size += parameter->size;
      weights = parameter < rest ? size : weights;
    }
    return weights;
  }

  const NetworkSpec& spec_;
  Layout layout_{};
  std::uint32_t next_index_ = 0;
};

void check(const NetworkSpec& spec) {
  if (spec.depths.empty() || spec.depths.size() > kMaxSections) {
    throw InputError(fmt::format("--depths names {} sections; allowed are 1 to {}", spec.depths.size(), kMaxSections));
  }
  for (const int depth : spec.depths) {
    if (depth < 1) {
      throw InputError(fmt::format("--depths {} has a section of {} blocks; each needs at least 1",
                                   fmt::join(spec.depths, ","), depth));
    }
  }
  if (spec.width < 1 || spec.classes < 2 || spec.channels < 1 || spec.height < 1 || spec.image_width < 1) {
    throw InputError(
        fmt::format("a network needs width >= 1, classes >= 2 and pictures of at least 1x1x1; got width {}, classes "
                    "{}, pictures {}x{}x{}",
                    spec.width, spec.classes, spec.channels, spec.height, spec.image_width));
  }
  if (spec.branch && spec.block != BlockType::preact) {
    throw InputError("a network with a residual branch of its own has no norms outside of it: leave `block` at preact");
  }
  for (const int section : spec.partition_sections) {
    if (section < 1 || section > static_cast<int>(spec.depths.size())) {
      throw InputError(fmt::format("--partition-sections names section {}; the network has sections 1 to {}", section,
                                   spec.depths.size()));
    }
  }
  if (std::ranges::adjacent_find(spec.partition_sections, std::ranges::greater_equal()) !=
      spec.partition_sections.end()) {
    throw InputError(fmt::format("--partition-sections {} must be ascending and name each section once",
                                 fmt::join(spec.partition_sections, ",")));
  }
}

}  // namespace

std::int64_t Layout::partitioned_size() const {
  return std::accumulate(blocks.begin(), blocks.end(), std::int64_t{0},
                         [](std::int64_t sum, const BlockLayout& block) { return sum + block.size; });
}

Layout make_layout(const NetworkSpec& spec) {
  check(spec);
  return LayoutBuilder(spec).build();
}

std::vector<BlockPosition> blocks_of(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held) {
  std::set<std::pair<int, int>> absent;
  for (int id = 0; id < static_cast<int>(layout.blocks.size()); ++id) {
    if (!std::ranges::binary_search(held, id)) {
      absent.insert({layout.blocks[id].section, layout.blocks[id].index});
    }
  }
  std::vector<BlockPosition> blocks;
  for (int section = 1; section <= static_cast<int>(spec.depths.size()); ++section) {
    for (int index = 0; index < spec.depths[section - 1]; ++index) {
      if (!absent.contains({section, index})) {
        blocks.push_back({.section = section, .index = index});
      }
    }
  }
  return blocks;
}

}  // namespace resist
