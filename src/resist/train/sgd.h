#pragma once

#include <cstdint>

namespace resist {

struct SgdOptions {
  float lr;
  float momentum;
  float weight_decay;
  bool nesterov;
};

// One step of SGD over a flat run of `count` elements, in one pass, as PyTorch's torch.optim.SGD defines it:
//   g := gradient + weight_decay * value;  m := momentum * m + g;  value := value - lr * (nesterov ? g + momentum * m :
//   m)
// Every element is worked alone, so the result depends neither on threads nor on how a run is cut.
void sgd_step(const SgdOptions& options, std::int64_t count, const float* gradients, float* momentum, float* values);

}  // namespace resist
