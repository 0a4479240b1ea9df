#pragma once

#include "resist/simulate/job.h"

namespace resist {

// What a simulation comes to.
struct Outcome {
  Tally tally;
  double seconds = 0;
  std::int64_t rounds = 0;       // that every group has committed
  std::int64_t most_rounds = 0;  // that any group has committed
  int stalled_groups = 0;        // that ended before all rounds were done; a job alone counts as a group
};

// One ResIST job, or several on equal shares of the workers that meet every options.group_rounds rounds and after the
// last one.
//
// A meeting follows a round. All groups wait for the slowest one. In each of them every worker owns a part of all that
// was averaged: of the shared parameters, and of each block it held. Owners of the same part average it over the
// groups, as an exchange of so many workers does: of a part of n bytes each sends and receives 2 (G - 1) / G * n bytes
// in 2 (G - 1) steps. The result takes the place of the group's own one, so nothing else is sent twice. A group that
// lost everybody on the way is not waited for. Deaths during a meeting show in the round that follows.
Outcome run_jobs(const SimulationSetup& setup);

}  // namespace resist
