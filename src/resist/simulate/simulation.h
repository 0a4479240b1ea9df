#pragma once

#include <cstdint>

#include "resist/config/config.h"
#include "resist/model/layout.h"
#include "resist/model/network_spec.h"
#include "resist/simulate/simulation_options.h"
#include "resist/simulate/tally.h"

namespace resist {

// How some seconds lie.
struct Durations {
  double mean = 0;
  double median = 0;
  double percentile_99 = 0;
  double most = 0;
};

struct SimulationResult {
  std::int64_t rounds = 0;       // committed by every group
  std::int64_t most_rounds = 0;  // committed by any group
  // That ended before all rounds were done, as nobody was left who returns, or workers died faster than a round is
  // finished. A job without groups counts as one.
  int stalled_groups = 0;
  double seconds = 0;  // all rounds
  Durations round;     // of every group's rounds, from commit to commit. Asynchronous: of as many merges as workers
  double compute_seconds = 0;  // mean of a round: until the last worker has done its local iterations, or is given up
  double sync_seconds = 0;     // mean of a round: its exchange, as it was committed
  double meeting_seconds = 0;  // mean of a round: waiting for other groups and averaging with them
  double contributors = 0;     // workers whose local iterations a round of all groups commits, mean of most_rounds
  double goodput = 0;          // samples per second that were committed and not rolled back
  // goodput over that of the same simulation with even workers (ClusterModel::even) that never fail.
  double goodput_share = 0;
  double round_bytes = 0;  // payload that all workers send in a round of all groups, mean of most_rounds
  // Mean of a round: the most that one worker sends or receives.
  double round_busiest_link_bytes = 0;
  double holders = 0;            // of a block at a round's start, mean; 0 without partitioned blocks
  std::int64_t rounds_done = 0;  // of all groups together, what the other means are over
  Tally tally;                   // everything else; round_seconds is empty
};

// Simulates training on a cluster that one does not have: seconds, bytes, and what is lost, as plan/ forecasts them,
// with workers that are uneven, fail and return. A pure function of its arguments. InputError where the options do not
// go together or the dealing is impossible.
SimulationResult simulate(const Config& config, const NetworkSpec& spec, const Layout& layout,
                          const SimulationOptions& options);

}  // namespace resist
