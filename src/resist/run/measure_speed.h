#pragma once

#include <vector>

#include "resist/config/config.h"
#include "resist/model/network_spec.h"
#include "resist/plan/forecast.h"

namespace resist {

// How fast each of `workers` processes is that train at once on this machine, and share its cores as workers do: a
// short local-SGD training of the config's network with these blocks per section, on made-up pictures of the input's
// shape. One worker handles no payload: then `handling` is kUsualHandling. Error where the training fails.
WorkerSpeed measure_speed(const Config& config, const InputShape& input, const std::vector<int>& depths, int workers);

}  // namespace resist
