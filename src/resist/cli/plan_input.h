#pragma once

#include <cstdint>

#include "resist/cli/parse.h"
#include "resist/model/network_spec.h"

namespace resist {

// What is planned: the data set's shape, or that of made-up pictures where no data is given.
struct PlanInput {
  InputShape shape;
  std::int64_t training_samples;
  std::int64_t evaluation_samples;
};

PlanInput plan_input(const PlanCommand& command);

}  // namespace resist
