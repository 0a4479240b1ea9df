#include "resist/export/check_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "resist/core/error.h"
#include "resist/export/parameter_values.h"

namespace resist {
namespace {

void check_finite(std::span<const float> values, const std::string& tensor, const std::string& source) {
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    refuse_model(source, fmt::format("{} has values that are not finite", tensor));
  }
}

}  // namespace

void refuse_model(const std::string& source, const std::string& reason) {
  throw InputError(fmt::format("'{}' is not a usable model: {}", source, reason));
}

void check_exportable(const NetworkSpec& spec) {
  if (spec.branch) {
    throw InputError("a network with a residual branch of its own can't be exported: a model file has no words for it");
  }
}

void check_values(const DeployedModel& model, const std::string& source) {
  for (const Parameter& parameter : model.layout.shared) {
    check_finite(values_of(model, parameter), parameter.name, source);
  }
  for (const auto& [norm, moments] : model.statistics) {
    check_finite(moments.mean, fmt::format("the mean of {}", norm), source);
    check_finite(moments.variance, fmt::format("the variance of {}", norm), source);
    if (std::ranges::any_of(moments.variance, [](float value) { return value < 0; })) {
      refuse_model(source, fmt::format("the variance of {} has values below 0", norm));
    }
  }
}

}  // namespace resist
