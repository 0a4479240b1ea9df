#pragma once

#include <cstdint>
#include <string_view>

#include "resist/data/dataset.h"

namespace resist {

inline constexpr std::string_view kSyntheticPrefix = "synthetic:";

// synthetic:N,C,H,W,CLASSES: N training and max(1, N / 5) test pictures with C channels of H x W pixels; sample i has
// label i % CLASSES. A picture is its class's prototype (up to 4 x 4 random patches) plus uniform noise; it is made
// when read, so any N costs no memory. InputError if `name` is not of that form.
DataSource open_synthetic(std::string_view name, std::uint64_t seed);

}  // namespace resist
