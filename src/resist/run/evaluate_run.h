#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "resist/config/config.h"
#include "resist/train/evaluate.h"

namespace resist {

struct EvaluateReport {
  std::int64_t round = 0;
  std::string data;
  int batch_size = 0;  // the largest; part of the result where norms use the batch's statistics
  EvaluationResult result;
  double seconds = 0;
};

// `resist evaluate`: a run's checkpoint ("last", "best" or a round) on the test set that `config` names, in this
// process. Blocks are read from the checkpoint one at a time.
EvaluateReport run_evaluate(const std::filesystem::path& run_dir, const std::string& which, const Config& config);

}  // namespace resist
