#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "resist/data/on_threads.h"

namespace resist {

// Calls take(index, make(index)) for every index below `count`, in order. `make` runs on as many threads as there are
// cores, up to 32 results for each ahead of `take`, which runs on the caller's. What either of them throws ends it.
template <typename Make, typename Take>
void make_in_order(std::int64_t count, const Make& make, const Take& take) {
  const auto threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::int64_t most_ahead = 32 * std::int64_t{threads};
  for (std::int64_t first = 0; first < count; first += most_ahead) {
    // Optional also because elements of a vector<bool> can't be written from several threads.
    std::vector<std::optional<std::invoke_result_t<Make, std::int64_t>>> made(
        static_cast<std::size_t>(std::min(most_ahead, count - first)));
    run_on_threads(made.size(), threads, [&](std::size_t i) { made[i] = make(first + static_cast<std::int64_t>(i)); });
    for (std::size_t i = 0; i < made.size(); ++i) {
      take(first + static_cast<std::int64_t>(i), *std::move(made[i]));
    }
  }
}

}  // namespace resist
