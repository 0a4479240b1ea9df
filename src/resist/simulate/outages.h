#pragma once

#include <optional>
#include <queue>
#include <vector>

#include "resist/simulate/cluster_model.h"

namespace resist {

// When the workers first .. first + workers - 1 of a cluster die and return: an event queue. A worker's own sequence of
// lives and absences depends on nothing but the seed, so what is simulated beside it does not change it.
class Outages {
 public:
  Outages(const Cluster& cluster, int first, int workers);

  // The next one, unless it comes later than `until`; it is taken out. Times never go back. The known outages may say
  // that a dead worker dies, or a living one returns: such are to be ignored.
  std::optional<Outage> take(double until);

 private:
  struct Later {
    bool operator()(const Outage& a, const Outage& b) const;
  };

  void draw_death(int worker, double from);
  void draw_return(int worker, double from);

  const Cluster& cluster_;
  int first_;
  std::vector<std::int64_t> deaths_;  // per worker, drawn so far
  std::priority_queue<Outage, std::vector<Outage>, Later> drawn_;
  std::priority_queue<Outage, std::vector<Outage>, Later> known_;
};

}  // namespace resist
