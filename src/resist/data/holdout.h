#pragma once

#include <cstdint>
#include <memory>

#include "resist/data/dataset.h"

namespace resist {

struct HoldoutSplit {
  std::shared_ptr<const Dataset> rest;
  std::shared_ptr<const Dataset> held_out;
};

// InputError unless 0 < count < samples.
void check_holdout(std::int64_t count, std::int64_t samples);

// Takes `count` samples out, a random choice that depends on `seed` only; both parts keep the original order.
// InputError as check_holdout().
HoldoutSplit hold_out(const std::shared_ptr<const Dataset>& dataset, std::int64_t count, std::uint64_t seed);

}  // namespace resist
