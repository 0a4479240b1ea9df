#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "resist/config/config.h"
#include "resist/model/operations.h"
#include "resist/partition/assignment.h"

namespace resist {

// How fast a worker has been: seconds of its local iterations for each operation of their sub-network, in its last
// rounds. Workers exchange it, so it is trivially copyable.
struct Pace {
  static constexpr int kRounds = 5;
  std::array<double, kRounds> seconds{};  // per operation; the newest last, the first `rounds` of them
  int rounds = 0;

  // Takes in a round; one that can't be (no time, no number) is left out.
  void add(double seconds_per_operation);
  // The median, so that a single hiccup says nothing. Nothing before three rounds.
  std::optional<double> usual() const;
};

// What each worker holds, and what is known of how fast it is; by rank. Empty: equal hands, nothing known.
struct BalanceState {
  Hands hands;
  std::vector<Pace> paces;
};

// Decides what each worker holds.
class BlockBalance {
 public:
  virtual ~BlockBalance() = default;
  // The hands of the round that follows `round` committed ones in that generation, as check_hands() wants them; empty:
  // equal ones. All workers of it ask for them with the same arguments at the round's end and must get the same.
  // `paces`: of all workers, by rank, the round that ends included. `now`: the hands of that round; empty: equal ones,
  // or the workers have changed.
  virtual Hands next_hands(std::int64_t generation, std::int64_t round, const std::vector<Pace>& paces,
                           const Hands& now) const = 0;
};

// What --balance says; null: none, hands are always equal.
std::shared_ptr<const BlockBalance> make_balance(const PartitionOptions& options, const std::vector<DeckSize>& decks,
                                                 SubnetworkCost cost);

// The hands with which the slowest worker's iteration is shortest, where one takes pace * (shared + k * block). Workers
// whose pace is not known yet count as the median of the others. Hands stay as they are (`now`) unless others are
// shorter by three percent, so that noise moves nothing. A pure function, in a fixed order of operations.
Hands balanced_hands(const std::vector<DeckSize>& decks, const DealingRule& rule, const SubnetworkCost& cost,
                     const std::vector<Pace>& paces, const Hands& now);

}  // namespace resist
