#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <vector>

#include "resist/cli/parse.h"
#include "resist/cli/plan_input.h"
#include "resist/plan/recommendation.h"

namespace resist {

// The methods side by side on one number of workers.
struct ForecastGroup {
  int workers;
  std::vector<MethodForecast> methods;
};

// Forecasts what `resist plan` asks for; with --measure it trains for some seconds. Empty unless links and speeds are
// known. InputError where a list of rates, latencies or speeds does not fit the number of workers.
std::vector<ForecastGroup> forecast_methods(const PlanCommand& command, const PlanInput& input, const NetworkSpec& spec,
                                            const Layout& layout);

void print_forecasts(const PlanCommand& command, const PlanInput& input, const std::vector<ForecastGroup>& groups,
                     std::ostream& out);

nlohmann::json to_json(const ForecastGroup& group);

}  // namespace resist
