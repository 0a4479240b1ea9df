#pragma once

#include "resist/train/trainer.h"

namespace resist {

// Opens the data and lays out the network that the options name; everything that can be wrong with the input is found
// here (InputError), before anything is written or started. `workers`: S.
TrainingSetup prepare(const Config& config, int workers);

}  // namespace resist
