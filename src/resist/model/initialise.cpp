#include "resist/model/initialise.h"

#include <algorithm>
#include <cmath>

#include "resist/core/random.h"

namespace resist {

void initialise(const std::vector<Parameter>& parameters, std::uint64_t seed, std::span<float> group) {
  for (const Parameter& parameter : parameters) {
    const auto values =
        group.subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size));
    if (parameter.starts_at_zero || parameter.kind == ParameterKind::norm_bias) {
      std::ranges::fill(values, 0.0F);
      continue;
    }
    if (parameter.kind == ParameterKind::norm_weight) {
      std::ranges::fill(values, 1.0F);
      continue;
    }
    const float bound = 1.0F / std::sqrt(static_cast<float>(parameter.fan_in));
    RandomStream random(seed, RandomPurpose::initialisation, {.epoch = parameter.global_index});
    for (float& value : values) {
      value = (2.0F * random.uniform() - 1.0F) * bound;
    }
  }
}

}  // namespace resist
