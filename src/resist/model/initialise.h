#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/model/layout.h"

namespace resist {

// PyTorch's default initial values: convolutions and the head uniform in +-1/sqrt(fan_in) (Kaiming uniform with
// a = sqrt 5), norms 1 and 0; what starts at zero is 0. Each parameter is drawn from (seed, its global index), so a
// worker makes just what it holds and nobody needs another's blocks to start. `group`: the memory of the group whose
// parameters these are.
void initialise(const std::vector<Parameter>& parameters, std::uint64_t seed, std::span<float> group);

}  // namespace resist
