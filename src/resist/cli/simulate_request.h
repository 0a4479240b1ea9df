#pragma once

#include "resist/cli/command_line.h"
#include "resist/config/config.h"
#include "resist/simulate/simulation_options.h"

namespace resist {

// What `resist simulate` is asked for.
struct SimulationRequest {
  Config config;  // classes, channels and image_size are set
  SimulationOptions options;
};

// The command's flags, without --format.
void describe_simulate(CommandLine& simulate);

// InputError where a flag's value is not allowed or values do not go together.
SimulationRequest read_simulation(const CommandLine& line);

}  // namespace resist
