#pragma once

#include <cstddef>
#include <vector>

#include "resist/simulate/block_dealing.h"
#include "resist/simulate/cluster_model.h"
#include "resist/simulate/round_transfers.h"
#include "resist/simulate/transfer_loads.h"

namespace resist {

// What an exchange takes. Bytes are payload.
struct ExchangeCost {
  double seconds = 0;
  double bytes = 0;               // sent, all workers
  double busiest_link_bytes = 0;  // the most that one worker sends or receives
  double handled_bytes = 0;       // sent and received, of the worker that has most
};

// How long exchanges take.
//
// Exactly: the steps of the real plan, as exchange_seconds (plan/link.h) times them. Planning takes a matching of all
// workers for every step, so that is for up to 32.
//
// In the aggregate: each worker takes as long as its own link needs for its own bytes, each leg's larger direction, and
// for the three ways of a transfer in every step: it is asked for, comes, and is confirmed; or as long as its site's
// uplink needs.
// The slowest worker counts:
//
//   max over workers of  sum over legs of  max((bytes / link + steps * ways) * waiting, bytes of the site / uplink)
//
// waiting: steps in a fixed order wait for each other's longest transfer, which is more than anybody's own bytes take.
// It is measured on the exact exchange of at most 128 of the workers, the slowest and the fastest among them. Any two
// workers send each other equal shares of what they have in common, whatever the number of workers, so that hardly
// depends on it.
class ExchangeModel {
 public:
  // All references must outlive it.
  ExchangeModel(const Config& config, const Layout& layout, const SimulationOptions& options,
                const BlockDealing& dealing, const Cluster& cluster);

  // `index`: which of the transfers of round_transfers this is. `members`: the workers, by rank.
  ExchangeCost cost(const RoundTransfer& transfer, std::size_t index, const std::vector<int>& members);

 private:
  struct Calibration {
    std::size_t members = 0;  // at the time; 0: none yet
    double waiting = 1;
  };

  bool exact(std::size_t members) const;
  // `crossing`: the share of a worker's peers that are on other sites.
  double waiting(std::size_t index, const std::vector<int>& members, double crossing);
  Calibration calibrate(std::size_t index, const std::vector<int>& members, double crossing) const;
  double aggregate_seconds(const std::vector<Leg>& legs, const std::vector<int>& members, double waiting) const;

  const Config& config_;
  const Layout& layout_;
  const SimulationOptions& options_;
  const BlockDealing& dealing_;
  const Cluster& cluster_;
  std::vector<Calibration> calibrations_;  // by index
};

}  // namespace resist
