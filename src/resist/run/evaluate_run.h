#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/train/evaluate.h"

namespace resist {

enum class EvaluatedOn { test, held_out };

// What a set of samples says.
struct EvaluationRow {
  std::string set;       // "test", a further test set's name, or "held-out"
  bool running = false;  // norms used running statistics, otherwise each batch's own
  Inference inference = Inference::scaled;
  EvaluationResult result;
};

struct EvaluateReport {
  std::int64_t round = 0;
  std::string data;
  int batch_size = 0;  // the largest; part of the result where norms use the batch's statistics
  std::vector<EvaluationRow> rows;
  double seconds = 0;
};

// `resist evaluate`: a run's checkpoint ("last", "best" or a round) on the test sets that `config` names, or on the
// samples that the run held out and no test set, in this process; with running statistics too where the round has been
// calibrated. InputError where the run held none out.
EvaluateReport run_evaluate(const std::filesystem::path& run_dir, const std::string& which, Config config,
                            EvaluatedOn on);

}  // namespace resist
