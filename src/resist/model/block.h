#pragma once

#include "resist/model/network_spec.h"

namespace resist {

inline constexpr int kMaxSections = 8;

// Shapes of one basic block: what its convolutions map between.
struct BlockShape {
  int in_channels;
  int out_channels;
  int stride;     // of its first convolution and of its shortcut
  bool projects;  // the shortcut is a 1x1 convolution (width or stride changes)
};

inline BlockShape block_shape(const NetworkSpec& spec, int section, int index) {
  const int out = spec.section_width(section);
  const int in = index == 0 && section > 1 ? spec.section_width(section - 1) : out;
  const int stride = index == 0 && section > 1 ? 2 : 1;
  return {.in_channels = in, .out_channels = out, .stride = stride, .projects = stride != 1 || in != out};
}

}  // namespace resist
