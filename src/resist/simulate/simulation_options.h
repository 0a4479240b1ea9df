#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/config/enum_words.h"
#include "resist/simulate/cluster_model.h"

namespace resist {

// How an exchange is timed.
enum class ExchangeDetail {
  automatic,  // exactly for up to 32 workers on one site, otherwise in the aggregate
  exact,      // step by step (plan/link.h)
  aggregate,  // from each worker's bytes (exchange_model.h)
};

// Names of the options (config/option.h) that a simulation depends on, besides its own.
std::vector<std::string> simulated_options();

// What is simulated, besides the network and the training options. The dealing and every random choice here are keyed
// by config.train.seed. The deadline is config.cluster.timeout, checkpoints come every config.run.checkpoint_every
// rounds, where there is one group. Rounds of a warm-up, evaluations and the writing of checkpoints are left out.
struct SimulationOptions {
  ClusterModel cluster;
  std::int64_t rounds = 100;  // that are committed; of each group
  int replication = 1;        // holders that each block has at least; up to the workers of a group, or of a home
  ExchangeDetail exchange = ExchangeDetail::automatic;

  // Variants.
  //
  // Replica groups: the workers are divided into groups of equal size, consecutive ones together. Each group trains
  // the whole network as a ResIST job of its own; every `group_rounds` rounds all groups average what they have.
  int groups = 1;
  int group_rounds = 10;
  // Hierarchical averaging: first inside each site, then between sites, then inside again. Needs several sites.
  bool hierarchical = false;
  // Homes: blocks are dealt to so many home groups of workers (consecutive ones; where there are as many as sites, a
  // home is a site) and from them to their workers. A block goes to another home every `home_rounds` rounds only.
  // 0: no homes.
  int homes = 0;
  int home_rounds = 10;
  // Asynchronous merging: nobody waits for a round's end. A worker whose local iterations are done merges its
  // parameters into what is there, takes the new values and other blocks, and goes on.
  bool asynchronous = false;

  // InputError where values are out of bounds or do not go together.
  void validate(const Config& config) const;
};

}  // namespace resist
