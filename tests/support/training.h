#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "resist/train/trainer.h"
#include "support/workers.h"

namespace resist {

// A small job that trains in a second: synthetic pictures, a network of width 4 with 6 partitioned blocks.
inline Config small_config() {
  Config config;
  config.data.data = "synthetic:400,1,8,8,4";
  config.data.crop_padding = 1;
  config.data.flip = true;
  config.model.depths = {1, 1, 7, 1};
  config.model.width = 4;
  config.train.batch_size = 8;
  config.train.local_iterations = 3;
  config.train.rounds = 4;
  config.train.seed = 5;
  config.evaluation.eval_batch_size = 16;
  config.cluster.precision = Precision::fp32;  // whatever processor this is
  return config;
}

// Every parameter that a worker holds, by name.
using NamedValues = std::map<std::string, std::vector<float>>;

inline NamedValues named_values(WorkerParameters& parameters) {
  NamedValues values;
  const auto add = [&](const std::vector<Parameter>& group, const float* memory) {
    for (const Parameter& parameter : group) {
      values[parameter.name] = {memory + parameter.offset, memory + parameter.offset + parameter.size};
    }
  };
  add(parameters.layout().shared, parameters.values());
  const auto offsets = parameters.offsets();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    add(parameters.layout().blocks[parameters.held()[i]].parameters, parameters.values() + offsets[i]);
  }
  return values;
}

// Keeps what a training did.
class RecordingObserver : public TrainingObserver {
 public:
  void round_committed(Trainer& trainer, const RoundRecord& record, bool /*last*/) override {
    records.push_back(record);
    if (after_round) {
      after_round(trainer, record);
    }
  }
  std::vector<RoundRecord> records;
  std::function<void(Trainer&, const RoundRecord&)> after_round;
};

// What one worker has at the end.
struct Trained {
  NamedValues values;
  std::vector<RoundRecord> records;
  TrainingResult result;
};

// Trains with `workers` in this process.
inline std::vector<Trained> train_in_process(const TrainingSetup& setup, int workers) {
  std::vector<Trained> trained(static_cast<std::size_t>(workers));
  run_in_process(workers, [&](Communicator& communicator) {
    const std::atomic<int> stop = 0;
    Trainer trainer(setup, communicator, {}, stop);
    RecordingObserver observer;
    Trained& own = trained[communicator.rank()];
    own.result = trainer.run(observer);
    own.values = named_values(trainer.parameters());
    own.records = observer.records;
  });
  return trained;
}

inline std::vector<Trained> train_in_process(const Config& config, int workers) {
  return train_in_process(prepare_training(config, workers), workers);
}

}  // namespace resist
