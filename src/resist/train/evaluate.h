#pragma once

#include <cstdint>

#include "resist/train/full_pass.h"

namespace resist {

struct EvaluationResult {
  std::int64_t samples = 0;
  double top1 = 0;  // in [0, 1]
  double top5 = 0;  // the label is among the five (or all, where there are fewer) highest logits
  double loss = 0;  // mean cross entropy
};

// Evaluates the global network on every sample of the job once (full_pass.h). The result is the same on each worker and
// does not depend on their number. Error where not one sample could be read.
EvaluationResult evaluate(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job);

}  // namespace resist
