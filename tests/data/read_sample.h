#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "resist/data/dataset.h"

namespace resist {

// Dataset::read, with what it gives copied to `pixels`. False: it is left out.
inline bool read_sample(const Dataset& dataset, std::int64_t index, const Framing& framing,
                        std::span<std::uint8_t> pixels) {
  const auto read = dataset.read(index, framing, pixels);
  if (!read.empty() && read.data() != pixels.data()) {
    std::ranges::copy(read, pixels.begin());
  }
  return !read.empty();
}

}  // namespace resist
