#pragma once

#include <nlohmann/json.hpp>

#include "resist/simulate/simulation.h"

namespace resist {

// What was simulated and what came out, as one object: all figures of SimulationResult, and the options that they
// are for. Seconds, bytes and samples under names that say so.
nlohmann::json to_json(const SimulationOptions& options);
nlohmann::json to_json(const SimulationResult& result);

}  // namespace resist
