#pragma once

#include <torch/types.h>

#include <cstdint>

#include "support/random_values.h"

namespace resist {

// random_values() as a tensor.
inline at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  return at::tensor(random_values(c10::multiply_integers(shape), seed), at::kFloat).reshape(shape);
}

}  // namespace resist
