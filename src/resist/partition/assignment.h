#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// Who holds which partitioned blocks in one round. Blocks are named by their ids (Layout::blocks), 0..blocks-1.
class Assignment {
 public:
  // held[w]: ids that worker w holds, ascending (global depth order).
  Assignment(std::vector<std::vector<int>> held, int blocks);

  int workers() const { return static_cast<int>(held_.size()); }
  int blocks() const { return blocks_; }
  const std::vector<int>& held(int worker) const { return held_[worker]; }
  // Workers that hold `block`, ascending. Never empty.
  const std::vector<int>& holders(int block) const { return holders_[block]; }
  bool operator==(const Assignment&) const = default;

 private:
  int blocks_;
  std::vector<std::vector<int>> held_;
  std::vector<std::vector<int>> holders_;
};

// One deck to deal: `blocks` consecutive ids.
struct DeckSize {
  int section;  // keys the random choices
  int blocks;   // B
};

struct DealingRule {
  PartitionMode mode = PartitionMode::equal;
  std::optional<int> min_blocks;  // unset: kDefaultMinBlocks, or every block where there are fewer
  Dealing dealing = Dealing::shuffled;
  int every = 1;  // rounds that an assignment lasts
};

// k: the most blocks of a deck that one worker holds in any round. equal: min(B, max(ceil(B/S), min_blocks)); exact:
// ceil(B/S).
int blocks_per_worker(int blocks, int workers, const DealingRule& rule);

// The probability that a worker holds a given block, which is the scale of its residual branch in evaluation
// (docs/algorithm.md): k/B, 1/S in exact mode.
double holding_probability(int blocks, int workers, const DealingRule& rule);

// InputError where the rule is impossible: exact with more workers than blocks, an empty deck or none at
// all, min_blocks together with exact or above B.
void check_dealing(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule);

// How many blocks of each deck each worker is to hold: hands[worker][deck].
using Hands = std::vector<std::vector<int>>;

// blocks_per_worker() for everybody.
Hands equal_hands(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule);

// The fewest that anybody may hold: min_blocks, its default or all.
Hands least_hands(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule);

// Most blocks of a deck that one worker may be dealt where hands differ: the others keep the least.
int most_blocks_per_worker(int blocks, int workers, const DealingRule& rule);

// InputError unless every worker holds min_blocks (its default) to B of each deck and all together as many as with
// equal hands: then the mean of their k/B is still holding_probability(). Only for mode equal.
void check_hands(const std::vector<DeckSize>& decks, const Hands& hands, const DealingRule& rule);

// The assignment of a round: a pure function of its arguments, so every worker knows it without a message. Every block
// is dealt at least once, no worker holds one twice, the numbers of holders of two blocks of a deck differ by at most
// one. Ids run through the decks in their order. `hands`: what each holds, as check_hands() wants it; empty: as the
// rule says for all. With strata, each worker's blocks lie evenly over the depth: of k it holds about one in each k-th
// part.
Assignment deal(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule, std::uint64_t seed,
                std::int64_t round, const Hands& hands = {});

// Every block on every worker: local SGD, data-parallel and warm-up.
Assignment assign_all(const std::vector<DeckSize>& decks, int workers);

}  // namespace resist
