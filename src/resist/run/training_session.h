#pragma once

#include <atomic>
#include <iosfwd>

#include "resist/train/trainer.h"

namespace resist {

// One worker's run from the communicator to the exit code: run folder (worker 0), checkpoint to resume from, training,
// metrics and checkpoints. Every worker calls it. `membership`: as Trainer takes it.
int train_session(const TrainingSetup& setup, Communicator& communicator, const std::atomic<int>& stop,
                  std::ostream& out, Membership* membership = nullptr);

}  // namespace resist
