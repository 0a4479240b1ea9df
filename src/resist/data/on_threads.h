#pragma once

#include <cstddef>
#include <functional>

namespace resist {

// Calls body(i) for every i below `count`, on the caller's and up to `threads` - 1 more threads, which end with the
// call. Rethrows what was thrown for the smallest i; none above that are begun after it.
void run_on_threads(std::size_t count, int threads, const std::function<void(std::size_t)>& body);

}  // namespace resist
