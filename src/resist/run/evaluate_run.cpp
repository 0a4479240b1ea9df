#include "resist/run/evaluate_run.h"

#include "resist/checkpoint/calibration.h"
#include "resist/core/clock.h"
#include "resist/run/stored_network.h"

namespace resist {

EvaluateReport run_evaluate(const std::filesystem::path& run_dir, const std::string& which, const Config& config) {
  StoredNetwork stored(run_dir, which, config);
  const Stopwatch watch;
  EvaluateReport report{
      .round = stored.round(), .data = stored.setup().data.info.name, .batch_size = config.evaluation.eval_batch_size};
  const auto calibration = read_calibration(run_dir, stored.round());
  if (calibration) {
    check_calibration(*calibration, stored.setup().layout);
  }
  for (const TestBatches& set : test_batches(stored.setup(), stored.setup().data.test)) {
    report.rows.push_back(
        {.set = set.name, .inference = config.evaluation.inference, .result = stored.network().evaluate(set.batches)});
    if (calibration) {
      const std::vector<double> scale = stored.network().block_scale();
      stored.network().set_block_scale(calibration->scales);
      report.rows.push_back({.set = set.name,
                             .running = true,
                             .result = stored.network().evaluate(set.batches, &calibration->statistics)});
      stored.network().set_block_scale(scale);
    }
  }
  report.seconds = watch.seconds();
  return report;
}

}  // namespace resist
