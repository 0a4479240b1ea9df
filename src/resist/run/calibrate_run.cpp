#include "resist/run/calibrate_run.h"

#include <algorithm>

#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/run/stored_network.h"

namespace resist {
namespace {

// Tries every candidate, each with running statistics of its own; returns the best one's.
NormStatistics choose(GlobalNetwork& network, const EvaluationBatches& training, const EvaluationBatches& held_out,
                      int workers, std::vector<ScaleTrial>& trials) {
  NormStatistics best;
  std::vector<double> best_scale;
  double least = 0;
  const std::vector<double> trained = network.block_scale();
  for (const double scale : scale_candidates(workers, trained.front())) {
    network.set_block_scale(std::vector<double>(trained.size(), scale));
    NormStatistics statistics = network.calibrate(training);
    trials.push_back({.scale = scale, .held_out = network.evaluate(held_out, &statistics)});
    const double loss = trials.back().held_out.loss;
    if (best_scale.empty() || loss < least) {
      least = loss;
      best = std::move(statistics);
      best_scale = network.block_scale();
    }
  }
  network.set_block_scale(best_scale);
  return best;
}

}  // namespace

CalibrateReport calibrate_network(GlobalNetwork& network, const TrainingSetup& setup, std::int64_t round,
                                  int trained_workers, bool choose_scale) {
  const DataSource& data = setup.data;
  if (choose_scale && !data.held_out) {
    throw InputError(
        "--choose-scale needs samples that were not trained on, and the run held none out; train with --holdout N");
  }
  if (choose_scale && setup.decks.empty()) {
    throw InputError("--choose-scale is given, but this network deals no blocks out, so it has no residual scale");
  }
  const Stopwatch watch;
  const int batch_size = setup.config.evaluation.eval_batch_size;
  const EvaluationBatches test(data.test, data.info, batch_size);
  const EvaluationBatches training(data.train, data.info, batch_size, setup.config.evaluation.calibrate_samples);
  CalibrateReport report;
  if (choose_scale) {
    const EvaluationBatches held_out(data.held_out, data.info, batch_size);
    report.calibration.statistics = choose(network, training, held_out, trained_workers, report.trials);
  } else {
    report.calibration.statistics = network.calibrate(training);
  }
  report.calibration.round = round;
  report.calibration.samples = std::min(setup.config.evaluation.calibrate_samples, data.train->size());
  report.calibration.scales = network.block_scale();
  report.calibration.info = data.info;
  report.test = network.evaluate(test, &report.calibration.statistics);
  report.seconds = watch.seconds();
  return report;
}

CalibrateReport run_calibrate(const std::filesystem::path& run_dir, const std::string& which, const Config& config,
                              bool choose_scale) {
  StoredNetwork stored(run_dir, which, config);
  const DataSource& data = stored.setup().data;
  const EvaluationResult by_batch =
      stored.network().evaluate(EvaluationBatches(data.test, data.info, config.evaluation.eval_batch_size));
  CalibrateReport report = calibrate_network(stored.network(), stored.setup(), stored.round(),
                                             stored.checkpoint().state().workers, choose_scale);
  report.test_by_batch = by_batch;
  write_calibration(run_dir, report.calibration);
  return report;
}

}  // namespace resist
