#pragma once

#include <cstdint>
#include <vector>

#include "resist/core/random.h"

namespace resist {

// Values in -1..1 without a pattern.
inline std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  RandomStream random(seed, RandomPurpose::synthetic_data, {});
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = random.uniform() * 2 - 1;
  }
  return values;
}

}  // namespace resist
