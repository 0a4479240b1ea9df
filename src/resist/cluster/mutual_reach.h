#pragma once

#include <map>
#include <vector>

namespace resist {

// The workers with whom a generation can begin in which everybody reaches everybody: of `workers`, one after the other
// is left out until no two are left of which one can't reach the other, each time the one with the most such peers, of
// several the last. `unreached`: whom a worker can't reach, where there is somebody. Pure; ascending in, ascending out.
std::vector<int> mutually_reachable(std::vector<int> workers, const std::map<int, std::vector<int>>& unreached);

}  // namespace resist
