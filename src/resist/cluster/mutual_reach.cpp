#include "resist/cluster/mutual_reach.h"

#include <algorithm>
#include <set>
#include <utility>

namespace resist {

std::vector<int> mutually_reachable(std::vector<int> workers, const std::map<int, std::vector<int>>& unreached) {
  std::set<std::pair<int, int>> apart;  // each pair both ways round
  for (const auto& [worker, others] : unreached) {
    for (const int other : others) {
      apart.insert({worker, other});
      apart.insert({other, worker});
    }
  }
  const auto peers_out_of_reach = [&](int worker) {
    return std::ranges::count_if(workers, [&](int other) { return apart.contains({worker, other}); });
  };
  while (true) {
    auto worst = workers.end();
    std::ptrdiff_t most = 0;
    for (auto worker = workers.begin(); worker != workers.end(); ++worker) {
      const auto out_of_reach = peers_out_of_reach(*worker);
      if (out_of_reach > 0 && out_of_reach >= most) {
        worst = worker;
        most = out_of_reach;
      }
    }
    if (worst == workers.end()) {
      return workers;
    }
    workers.erase(worst);
  }
}

}  // namespace resist
