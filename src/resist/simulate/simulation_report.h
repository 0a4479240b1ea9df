#pragma once

#include <nlohmann/json.hpp>

#include "resist/simulate/simulation.h"

namespace resist {

// What was simulated and what came out, as one object each: all that `resist simulate` takes, so that it can be
// simulated again, what the option table has in a member "options"; and all figures of SimulationResult. Seconds, bytes
// and samples under names that say so.
nlohmann::json to_json(const Config& config, const SimulationOptions& options);
nlohmann::json to_json(const SimulationResult& result);

}  // namespace resist
