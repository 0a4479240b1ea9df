#include "resist/run/evaluate_run.h"

#include "resist/checkpoint/calibration.h"
#include "resist/core/clock.h"
#include "resist/run/run_data.h"
#include "resist/run/stored_network.h"

namespace resist {
namespace {

std::vector<TestBatches> sets_of(const TrainingSetup& setup, EvaluatedOn on) {
  if (on == EvaluatedOn::test) {
    return test_batches(setup, setup.data.test);
  }
  check_held_out(setup.data, "--on held-out");
  return {
      {"held-out", EvaluationBatches(setup.data.held_out, setup.data.info, setup.config.evaluation.eval_batch_size)}};
}

}  // namespace

EvaluateReport run_evaluate(const std::filesystem::path& run_dir, const std::string& which, Config config,
                            EvaluatedOn on) {
  if (on == EvaluatedOn::held_out) {
    config.evaluation.eval.clear();  // further test sets need not even be there
  }
  StoredNetwork stored(run_dir, which, config);
  if (on == EvaluatedOn::held_out) {
    check_run_data(run_dir, stored.setup().data);  // of other data other samples would be held out
  }
  const Stopwatch watch;
  EvaluateReport report{
      .round = stored.round(), .data = stored.setup().data.info.name, .batch_size = config.evaluation.eval_batch_size};
  const auto calibration = read_calibration(run_dir, stored.round());
  if (calibration) {
    check_calibration(*calibration, stored.setup().layout);
  }
  for (const TestBatches& set : sets_of(stored.setup(), on)) {
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
