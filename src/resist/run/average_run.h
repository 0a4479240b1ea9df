#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace resist {

struct AverageReport {
  std::filesystem::path folder;      // the new run's
  std::vector<std::int64_t> rounds;  // of the checkpoints averaged, ascending
  std::int64_t parameters = 0;
};

// `resist average`: the mean of the parameters of a run's newest checkpoints (Izmailov et al. 2018, arXiv 1803.05407;
// of the latest ones Kaddour 2022, arXiv 2209.14981), as a new run with one checkpoint: the newest one's round and
// position, no momentum, not evaluated. Checkpoints hold what the workers agreed on, so it costs a training no bytes.
// `newest`: how many, at least 2; none: as many as the run keeps. `output`: the new folder; empty: RUN-average. Sums
// are in double, over ascending rounds, and one tensor is held at a time. `go_on` is called with each checkpoint and
// each tensor; what it throws ends the averaging. InputError where there are too few checkpoints, one is damaged, they
// are not of one network or their residual scales differ, or where `output` is there already. Nothing is left of the
// new folder when it fails.
AverageReport run_average(
    const std::filesystem::path& run_dir, std::optional<int> newest, std::filesystem::path output,
    const std::function<void()>& go_on = [] {});

}  // namespace resist
