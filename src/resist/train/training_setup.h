#pragma once

#include <memory>
#include <string>
#include <vector>

#include "resist/data/loader.h"
#include "resist/model/layout.h"
#include "resist/partition/balance.h"
#include "resist/partition/training_method.h"

namespace resist {

// What a training run is about; the same on every worker.
struct TrainingSetup {
  Config config;
  NetworkSpec spec;
  Layout layout;
  std::vector<DeckSize> decks;
  DataSource data;
  std::shared_ptr<const BlockBalance> balance;  // null: every worker holds as many blocks
  // That this process computes on, as choose_device() says it; "cpu:0" has the processor stand for a device with memory
  // of its own (train/device_step.h).
  std::string device = "cpu";
};

// A test set cut into batches.
struct TestBatches {
  std::string name;
  EvaluationBatches batches;
};

// `main` (the held-out samples, or the test set), then the further test sets.
std::vector<TestBatches> test_batches(const TrainingSetup& setup, const std::shared_ptr<const Dataset>& main);

// Threads that prepare this worker's batches: as many as compute where pictures are decoded.
int loader_threads(const TrainingSetup& setup);

// Opens the data and lays out the network that the options name; everything that can be wrong with the input is found
// here (InputError), before anything is written or started. `workers`: S. `worker`: whose process this is, which
// decides on the GPU that it takes where there are several.
TrainingSetup prepare_training(const Config& config, int workers, int worker = 0);

// The same for data and a network of one's own: what `config` says of either is not looked at, but for augmentation.
TrainingSetup prepare_training(const Config& config, DataSource data, NetworkSpec spec, int workers);

// What the data set feeds the network.
InputShape input_shape(const DatasetInfo& info);

}  // namespace resist
