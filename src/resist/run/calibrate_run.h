#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "resist/checkpoint/calibration.h"
#include "resist/train/global_network.h"
#include "resist/train/training_setup.h"

namespace resist {

// A residual scale that was tried.
struct ScaleTrial {
  std::vector<double> scale;  // per deck
  EvaluationResult held_out;  // with the running statistics of the network so scaled
};

struct CalibrateReport {
  Calibration calibration;
  std::vector<ScaleTrial> trials;  // empty where the scale was not chosen
  EvaluationResult test;           // with the calibration
  EvaluationResult test_by_batch;  // with the batches' own statistics and the checkpoint's scale; run_calibrate's
  double seconds = 0;
};

// Running statistics of a network from at most config.evaluation.calibrate_samples training samples, not augmented. All
// workers of the network call it together and get the same. `trained_workers`: S of the training. `choose_scale`: also
// the residual scale between 1/S and 1/sqrt(S) with the least loss on the held-out samples, never the test set's;
// InputError where the run has none.
CalibrateReport calibrate_network(GlobalNetwork& network, const TrainingSetup& setup, std::int64_t round,
                                  int trained_workers, bool choose_scale);

// `resist calibrate`: the same for a run's checkpoint, kept in the run folder.
CalibrateReport run_calibrate(const std::filesystem::path& run_dir, const std::string& which, const Config& config,
                              bool choose_scale);

}  // namespace resist
