#pragma once

#include <atomic>
#include <iosfwd>
#include <string>

#include "resist/train/trainer.h"

namespace resist {

// One worker's run from the communicator to the exit code: run folder (worker 0), checkpoint to resume from, training,
// metrics and checkpoints. Every worker calls it. `membership`: as Trainer takes it.
int train_session(const TrainingSetup& setup, Communicator& communicator, const std::atomic<int>& stop,
                  std::ostream& out, Membership* membership = nullptr);

// The same for a worker that joins a training that is under way.
int join_session(const TrainingSetup& setup, Generation generation, const std::atomic<int>& stop, std::ostream& out,
                 Membership& membership);

// What all workers' data must have in common, for comparing it before a worker joins.
std::string data_digest(const TrainingSetup& setup);

}  // namespace resist
