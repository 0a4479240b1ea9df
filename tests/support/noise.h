#pragma once

#include <torch/types.h>

#include <cstdint>

#include "resist/core/random.h"

namespace resist {

// A tensor of values in -1..1 without a pattern.
inline at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  at::Tensor values = at::empty(shape, at::kFloat);
  RandomStream random(seed, RandomPurpose::synthetic_data, {});
  auto* data = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    data[i] = random.uniform() * 2 - 1;
  }
  return values;
}

}  // namespace resist
