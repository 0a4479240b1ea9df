#pragma once

#include <iosfwd>

#include "resist/cli/parse.h"
#include "resist/cli/simulate_request.h"

namespace resist {

// Simulates and prints what came out: for a person, or an object of JSON.
void print_simulation(const SimulationRequest& request, OutputFormat format, std::ostream& out);

}  // namespace resist
