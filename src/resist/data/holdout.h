#pragma once

#include <cstdint>
#include <memory>

#include "resist/data/dataset.h"

namespace resist {

struct HoldoutSplit {
  std::shared_ptr<const Dataset> rest;
  std::shared_ptr<const Dataset> held_out;
};

// Takes `count` samples out, a random choice that depends on `seed` only; both parts keep the original order.
// InputError unless 0 < count < dataset->size().
HoldoutSplit hold_out(const std::shared_ptr<const Dataset>& dataset, std::int64_t count, std::uint64_t seed);

}  // namespace resist
