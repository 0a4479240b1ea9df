#pragma once

#include <span>

#include "resist/export/deployed_model.h"

namespace resist {

// The part of a model's values that is this parameter of its layout.
inline std::span<float> values_of(DeployedModel& model, const Parameter& parameter) {
  return std::span(model.values)
      .subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size));
}

inline std::span<const float> values_of(const DeployedModel& model, const Parameter& parameter) {
  return std::span(model.values)
      .subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size));
}

}  // namespace resist
