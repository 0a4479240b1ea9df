#pragma once

#include <vector>

#include "resist/data/dataset.h"
#include "resist/model/layout.h"
#include "resist/partition/training_method.h"

namespace resist {

// What a training run is about; the same on every worker.
struct TrainingSetup {
  Config config;
  NetworkSpec spec;
  Layout layout;
  std::vector<DeckSize> decks;
  DataSource data;
};

// Opens the data and lays out the network that the options name; everything that can be wrong with the input is found
// here (InputError), before anything is written or started. `workers`: S.
TrainingSetup prepare_training(const Config& config, int workers);

}  // namespace resist
