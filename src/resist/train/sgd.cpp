#include "resist/train/sgd.h"

namespace resist {
namespace {

template <bool kNesterov>
void step(const SgdOptions& options, std::int64_t count, const float* __restrict gradients, float* __restrict momentum,
          float* __restrict values) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = gradients[i] + options.weight_decay * values[i];
    const float updated = options.momentum * momentum[i] + gradient;
    momentum[i] = updated;
    values[i] -= options.lr * (kNesterov ? gradient + options.momentum * updated : updated);
  }
}

}  // namespace

void sgd_step(const SgdOptions& options, std::int64_t count, const float* gradients, float* momentum, float* values) {
  options.nesterov ? step<true>(options, count, gradients, momentum, values)
                   : step<false>(options, count, gradients, momentum, values);
}

}  // namespace resist
