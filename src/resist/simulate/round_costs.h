#pragma once

#include <cstdint>
#include <vector>

#include "resist/model/network_spec.h"
#include "resist/simulate/exchange_model.h"

namespace resist {

// A round's synchronisation: equal pieces, of which each lasts once it is done (gradients: one for each iteration), and
// all else, which a death undoes. Bytes are payload that all workers send.
struct SyncCost {
  double pieces = 0;
  double piece_seconds = 0;
  double piece_bytes = 0;
  double seconds = 0;  // of all else; with --overlap: what the local iterations do not hide
  double bytes = 0;
  double busiest_link_bytes = 0;  // the most that one worker sends or receives; of several exchanges, their sum
};

// Seconds and bytes of all that one job does, as Forecaster (plan/forecast.h) has them.
class RoundCosts {
 public:
  // All references must outlive it.
  RoundCosts(const Config& config, const NetworkSpec& spec, const Layout& layout, const SimulationOptions& options,
             const BlockDealing& dealing, const Cluster& cluster);

  // A worker's local iterations of a round on the shared parameters and these blocks.
  double local_seconds(int worker, const std::vector<int>& held, std::int64_t round) const;
  // `next_seconds`: of the next round's local iterations, which hide what may be hidden, for as long as that travels;
  // 0: nothing is hidden.
  SyncCost synchronisation(const Handover& handover, const std::vector<int>& members, double next_seconds);
  // `members` are in ascending order everywhere, so that those of one site are side by side.
  //
  // A new generation: a new process group, and the members' agreement on the last committed round.
  double regroup_seconds(const std::vector<int>& members) const;
  // Two gathered statuses and a barrier, the commit.
  double control_seconds(const std::vector<int>& members) const;

  // Payload of what a worker has to have: the shared parameters and these blocks.
  double state_bytes(const std::vector<int>& held) const;
  double shared_bytes() const { return shared_bytes_; }
  double block_bytes(int block) const { return block_bytes_[static_cast<std::size_t>(block)]; }
  double link_seconds(int worker, double bytes) const;  // over its own link alone, one way, without latency
  double fetch_seconds(int worker, double bytes) const;

  double samples() const { return samples_; }  // of one worker in a round

 private:
  double messages_seconds(const std::vector<int>& members, int gathers) const;

  const Config& config_;
  const Layout& layout_;
  const SimulationOptions& options_;
  const Cluster& cluster_;
  ExchangeModel exchanges_;
  double samples_;
  double shared_operations_;  // of one sample's forward pass, without dealt blocks
  std::vector<double> block_operations_;
  double shared_bytes_;
  std::vector<double> block_bytes_;
};

}  // namespace resist
