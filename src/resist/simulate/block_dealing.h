#pragma once

#include <cstdint>
#include <vector>

#include "resist/config/config.h"
#include "resist/model/layout.h"
#include "resist/partition/assignment.h"
#include "resist/simulate/simulation_options.h"

namespace resist {

// Who holds what, for any set of workers: the method's dealing (partition/assignment.h), with more holders where
// --replication asks for them and by way of homes where there are some.
class BlockDealing {
 public:
  // For a job on at most `workers` workers. InputError where the dealing is impossible. The layout must outlive it.
  BlockDealing(const Config& config, const Layout& layout, const SimulationOptions& options, int workers);

  // `members`: the workers that take part, ascending; the assignment names them by their places in that list. Pure.
  Assignment deal(const std::vector<int>& members, std::int64_t round) const;

  // Blocks of each deck that one of so many workers holds at most, without regard to homes.
  std::vector<int> hand_sizes(int workers) const;

 private:
  DealingRule rule_for(int blocks, int workers) const;
  std::vector<std::vector<int>> deal_deck(const DeckSize& deck, const std::vector<int>& members,
                                          std::int64_t round) const;
  std::vector<std::vector<int>> deal_by_homes(const DeckSize& deck, const std::vector<int>& members,
                                              std::int64_t round) const;

  bool deals_;  // false: every worker holds every block
  DealingRule rule_;
  std::vector<DeckSize> decks_;
  std::uint64_t seed_;
  int workers_;  // of the whole cluster: a worker's home is its share of them
  int replication_;
  int homes_;
  std::int64_t home_rounds_;
};

}  // namespace resist
