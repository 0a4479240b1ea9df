#pragma once

#include <memory>

#include "resist/model/layout.h"
#include "resist/model/network_spec.h"
#include "resist/simulate/replica_groups.h"

namespace resist {

// What simulations of these tests are about: the paper's network on workers of 100 Gflop/s with links of 1 Gbit/s, no
// latency and nothing lost in handling. The tests change what they are about.
struct Simulated {
  Simulated() {
    config.model.model = "preact-resnet101";
    config.train.batch_size = 32;
    config.sync.protect = Protection::none;
    options.cluster.speeds = {1e11};
    options.cluster.bandwidths = {1e9};
    options.cluster.handling = 0;
    spec = make_network_spec(config, {.channels = 3, .height = 32, .width = 32, .classes = 100});
    layout = make_layout(spec);
  }

  Simulated& workers(int count) {
    options.cluster.workers = count;
    return *this;
  }
  // The cluster as the options have it now. It, and what refers to it, must not outlive this.
  SimulationSetup setup() {
    clusters_.push_back(std::make_unique<Cluster>(options.cluster, config.train.seed));
    return {.config = config, .spec = spec, .layout = layout, .options = options, .cluster = *clusters_.back()};
  }
  double samples_per_round() const {
    return static_cast<double>(config.train.local_iterations) * config.train.batch_size;
  }

  Config config;
  SimulationOptions options;
  NetworkSpec spec;
  Layout layout{};

 private:
  std::vector<std::unique_ptr<Cluster>> clusters_;
};

inline constexpr double kByteSeconds = 8 * kFraming / 1e9;  // of a byte over such a link
inline constexpr double kNoticeSeconds = 0.01;              // until a closed connection is noticed
inline constexpr double kGroupSeconds = 0.016;              // of a new generation without latencies

}  // namespace resist
