#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "resist/data/dataset.h"
#include "resist/model/norm_statistics.h"

namespace resist {

// What makes the network of a checkpoint able to classify a single picture, without the data it was trained on.
struct Calibration {
  std::int64_t round = 0;      // of the checkpoint
  std::int64_t samples = 0;    // training samples that the statistics are of, at most
  std::vector<double> scales;  // residual scale per deck, the checkpoint's or a better one
  DatasetInfo info;            // what the network was trained on
  NormStatistics statistics;   // running ones, of every norm
};

// Writes RUN/calibration/round-000120.safetensors: the tensors layer3.7.bn1.running_mean and running_var of every norm,
// metadata with the rest. It appears when it is whole and on disk, in place of the round's old one. Error names the
// file.
void write_calibration(const std::filesystem::path& run_dir, const Calibration& calibration);

// Nothing where the round has none, or its checkpoint is another one by now (the run went back and on again).
// InputError names the file if it is damaged.
std::optional<Calibration> read_calibration(const std::filesystem::path& run_dir, std::int64_t round);

// InputError unless it has the norms and scales of a network with this layout.
void check_calibration(const Calibration& calibration, const Layout& layout);

}  // namespace resist
