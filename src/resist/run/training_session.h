#pragma once

#include <atomic>
#include <exception>
#include <iosfwd>
#include <vector>

#include "resist/core/error.h"
#include "resist/train/trainer.h"

namespace resist {

// One worker's run from the communicator to the exit code: run folder (worker 0), checkpoint to resume from, training,
// metrics and checkpoints. Every worker calls it.
int train_session(const TrainingSetup& setup, Communicator& communicator, const std::atomic<int>& stop,
                  std::ostream& out);

// Throws the error that explains the others: not a lost peer or a PeerFailed where there is a better one. Nothing if
// all are null.
void rethrow_cause(const std::vector<std::exception_ptr>& errors);

}  // namespace resist
