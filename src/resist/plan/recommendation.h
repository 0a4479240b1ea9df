#pragma once

#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/plan/forecast.h"

namespace resist {

// What one method will take on the same workers as the others.
struct MethodForecast {
  Method method;
  Forecast forecast;
  double balanced_bandwidth = 0;  // Forecaster::balanced_bandwidth
};

// One plain sentence: which of the methods (at least one, each once) finishes its samples first, how many times sooner
// than the others, and from which rate of the links on they stop being its bottleneck. About time only: what is learnt
// from the same samples differs (docs/results.md).
std::string recommend(const std::vector<MethodForecast>& methods);

}  // namespace resist
