#include "resist/run/calibrate_run.h"

#include <algorithm>
#include <limits>

#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/run/run_data.h"
#include "resist/run/stored_network.h"

namespace resist {
namespace {

// Every candidate scale for all decks alike, and the one trained with, which decks may have of their own.
std::vector<std::vector<double>> candidates(const std::vector<double>& trained, int workers) {
  std::vector<std::vector<double>> scales = {trained};
  for (const double scale : scale_candidates(workers)) {
    scales.emplace_back(trained.size(), scale);
  }
  return scales;
}

// Tries every candidate, each with running statistics of its own; returns the best one's and leaves the network with
// its scale.
NormStatistics choose(GlobalNetwork& network, const EvaluationBatches& training, const EvaluationBatches& held_out,
                      int workers, std::vector<ScaleTrial>& trials) {
  NormStatistics best;
  double least = std::numeric_limits<double>::infinity();
  std::vector<double> best_scale = network.block_scale();
  for (const std::vector<double>& scale : candidates(network.block_scale(), workers)) {
    network.set_block_scale(scale);
    NormStatistics statistics = network.calibrate(training);
    trials.push_back({.scale = scale, .held_out = network.evaluate(held_out, &statistics)});
    if (trials.back().held_out.loss < least) {
      least = trials.back().held_out.loss;
      best = std::move(statistics);
      best_scale = scale;
    }
  }
  if (best.empty()) {
    throw Error("the network's loss on the held-out samples is not finite, whatever the residual scale");
  }
  network.set_block_scale(best_scale);
  return best;
}

void check_can_choose(const TrainingSetup& setup) {
  check_held_out(setup.data, "--choose-scale");
  if (setup.decks.empty()) {
    throw InputError("--choose-scale is given, but this network deals no blocks out, so it has no residual scale");
  }
}

}  // namespace

CalibrateReport calibrate_network(GlobalNetwork& network, const TrainingSetup& setup, std::int64_t round,
                                  int trained_workers, bool choose_scale) {
  const DataSource& data = setup.data;
  if (choose_scale) {
    check_can_choose(setup);
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
  if (choose_scale) {
    check_can_choose(stored.setup());
  }
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
