#include "resist/simulate/simulation_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "resist/core/error.h"

namespace resist {
namespace {

void check_range(const char* flag, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most) {
    throw InputError(fmt::format("{} is {}; it must be an integer from {} to {}", flag, value, least, most));
  }
}

void exclude(bool both, const char* one, const char* other) {
  if (both) {
    throw InputError(fmt::format("{} can't be used with {}; leave one of them out", one, other));
  }
}

}  // namespace

std::vector<std::string> simulated_options() {
  return {"model",
          "depths",
          "width",
          "stem",
          "final-norm",
          "classes",
          "channels",
          "image-size",
          "partition",
          "min-blocks",
          "partition-sections",
          "partition-first-blocks",
          "compress",
          "overlap",
          "overlap-iterations",
          "protect",
          "method",
          "momentum-sync",
          "batch-size",
          "local-iterations",
          "checkpoint-every",
          "timeout",
          "seed"};
}

void SimulationOptions::validate(const Config& config) const {
  cluster.validate();
  check_range("--rounds", rounds, 1, 10'000'000);
  check_range("--groups", groups, 1, cluster.workers);
  check_range("--group-rounds", group_rounds, 1, 1'000'000);
  check_range("--homes", homes, 0, cluster.workers);
  check_range("--home-rounds", home_rounds, 1, 1'000'000);
  check_range("--replication", replication, 1, cluster.workers);
  if (hierarchical && cluster.sites == 1) {
    throw InputError("--hierarchical averages inside sites first; it needs --sites of at least 2");
  }
  exclude(asynchronous && groups > 1, "--asynchronous", "--groups");
  exclude(asynchronous && hierarchical, "--asynchronous", "--hierarchical");
  exclude(asynchronous && homes > 0, "--asynchronous", "--homes");
  exclude(asynchronous && replication > 1, "--asynchronous", "--replication");
  exclude(asynchronous && config.sync.overlap, "--asynchronous", "--overlap");
  exclude(groups > 1 && homes > 0, "--groups", "--homes");
  if (const int together = cluster.workers / std::max({1, groups, homes}); replication > together) {
    throw InputError(fmt::format("--replication is {}; it must be at most {}, the workers of a {}", replication,
                                 together, groups > 1 ? "group" : "home"));
  }
  exclude(groups > 1 && hierarchical, "--groups", "--hierarchical");
  exclude(groups > 1 && config.sync.overlap, "--groups", "--overlap");
  exclude(exchange == ExchangeDetail::exact && cluster.sites > 1, "an exact exchange", "--sites");
  if (config.train.method != Method::resist) {
    exclude(homes > 0, "--homes", "a --method that deals no blocks");
    exclude(replication > 1, "--replication", "a --method that deals no blocks");
  }
  if (config.train.method == Method::data_parallel) {
    exclude(groups > 1, "--groups", "--method data-parallel");
    exclude(asynchronous, "--asynchronous", "--method data-parallel");
  }
  if (config.partition.partition == PartitionMode::exact) {
    exclude(replication > 1, "--replication", "--partition exact");
    exclude(homes > 0, "--homes", "--partition exact");
    exclude(asynchronous, "--asynchronous", "--partition exact");
  }
}

}  // namespace resist
