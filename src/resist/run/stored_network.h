#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "resist/checkpoint/checkpoint.h"
#include "resist/train/global_network.h"
#include "resist/train/training_setup.h"

namespace resist {

// A run's config with the network as the checkpoint says: what its tensors are is the checkpoint's to say, not a file's
// that anybody can edit.
Config trained_config(const Checkpoint& checkpoint, const Config& run_config);

// A run's checkpoint ready to be evaluated in this process, with the data that `config` names. Blocks are read from the
// checkpoint one at a time.
class StoredNetwork {
 public:
  // `which`: "last", "best" or a round. InputError names what is missing or does not fit. Sets this process's threads.
  StoredNetwork(const std::filesystem::path& run_dir, const std::string& which, const Config& config);

  StoredNetwork(const StoredNetwork&) = delete;
  StoredNetwork& operator=(const StoredNetwork&) = delete;

  const Checkpoint& checkpoint() const { return checkpoint_; }
  std::int64_t round() const { return checkpoint_.state().round; }
  const TrainingSetup& setup() const { return setup_; }
  GlobalNetwork& network() { return *network_; }

 private:
  Checkpoint checkpoint_;
  TrainingSetup setup_;
  std::unique_ptr<Communicator> alone_;
  std::vector<float> shared_;  // the shared parameters
  std::unique_ptr<GlobalNetwork> network_;
};

}  // namespace resist
