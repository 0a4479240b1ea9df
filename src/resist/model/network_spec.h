#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "resist/config/config.h"

namespace resist {

class ResidualBranch;

// The global network that the user wants trained: a residual network of basic blocks (two 3x3 convolutions) or
// bottlenecks (1x1, 3x3 and 1x1, four times as wide outside), with a stem for small or large pictures
// (docs/algorithm.md; He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016). No torch here.
struct NetworkSpec {
  BlockType block = BlockType::preact;
  bool bottleneck = false;
  // A block type of one's own (residual_branch.h) instead of the two above; `block` stays preact: no norm follows the
  // stem. Null: none. Such a network can be trained and evaluated, but not exported.
  std::shared_ptr<const ResidualBranch> branch;
  Stem stem = Stem::conv3;
  bool final_norm = false;  // a norm and a rectifier before the average pool
  bool zero_init = false;   // every residual branch's last layer starts at zero, be it a convolution or a norm
  std::vector<int> depths;  // blocks per section
  int width = 64;           // of the 3x3 convolutions of section 1; section s has width * 2^(s-1)
  int classes = 10;
  int channels = 3;  // of the input
  int height = 32;   // of the input, pixels
  int image_width = 32;
  std::vector<int> partition_sections = {3};  // 1-based, ascending
  bool partition_first_blocks = false;
  // Convolutions and activations in bf16 instead of float32; parameters, norms and the loss are float32 always.
  bool bf16 = false;

  // Whether a block's input passes the branch's first norm and a rectifier before the branch and a projecting shortcut.
  bool normalises_input() const { return block == BlockType::preact && branch == nullptr; }

  int section_width(int section) const { return width << (section - 1); }
  // Channels of the feature map in a section.
  int section_channels(int section) const { return section_width(section) * (bottleneck ? kBottleneckExpansion : 1); }
  // Height of the feature map in a section (every section but the first halves it, rounding up).
  int section_height(int section) const { return halve(height, stem_halvings() + section - 1); }
  int section_image_width(int section) const { return halve(image_width, stem_halvings() + section - 1); }

 private:
  static constexpr int kBottleneckExpansion = 4;

  int stem_halvings() const { return stem == Stem::conv7 ? 2 : 0; }
  static int halve(int size, int times) {
    for (; times > 0; --times) {
      size = (size + 1) / 2;
    }
    return size;
  }
};

// What a data set feeds the network.
struct InputShape {
  int channels;
  int height;  // pixels
  int width;
  int classes;
};

// The network that the options name; what they leave open is the data set's.
// Methods other than resist deal nothing, so for them sections to partition that the network lacks are left out.
NetworkSpec make_network_spec(const Config& config, const InputShape& input);

}  // namespace resist
