#include "resist/partition/assignment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/random.h"

// Words. A deck is a section's partitioned blocks, its cards. Workers take turns; a hand is what a worker holds. When
// the cards of one permutation run out, a fresh one follows.

namespace resist {
namespace {

bool contains(const std::vector<int>& hand, int card) {
  return std::ranges::find(hand, card) != hand.end();
}

int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

int least_hand(int blocks, const DealingRule& rule) {
  return std::min(blocks, rule.min_blocks.value_or(kDefaultMinBlocks));
}

// What each worker holds of one deck under the rule. exact: who takes the first turns gets the blocks that are over.
std::vector<int> hand_sizes(int blocks, int workers, const DealingRule& rule, int first_worker) {
  std::vector<int> sizes(static_cast<std::size_t>(workers), blocks_per_worker(blocks, workers, rule));
  if (rule.mode == PartitionMode::exact && blocks % workers != 0) {
    for (int place = blocks % workers; place < workers; ++place) {
      --sizes[(first_worker + place) % workers];
    }
  }
  return sizes;
}

std::vector<int> column(const Hands& hands, std::size_t deck) {
  std::vector<int> sizes;
  sizes.reserve(hands.size());
  for (const std::vector<int>& hand : hands) {
    sizes.push_back(hand[deck]);
  }
  return sizes;
}

// Deals one deck to hands of cards 0..cards-1.
class Dealer {
 public:
  // `place` names the section and the round; its epoch counts permutations.
  Dealer(int cards, int workers, std::uint64_t seed, RandomPlace place)
      : cards_(cards), seed_(seed), place_(place), hands_(workers) {}

  // `sizes`: of each worker's hand; together at least all cards.
  std::vector<std::vector<int>> deal(const std::vector<int>& sizes, int first_worker) {
    const int workers = static_cast<int>(sizes.size());
    for (int turn = 0; turn < std::ranges::max(sizes); ++turn) {
      for (int place = 0; place < workers; ++place) {
        const int worker = (first_worker + place) % workers;
        if (turn < sizes[worker]) {
          take(worker);
        }
      }
    }
    for (auto& hand : hands_) {
      std::ranges::sort(hand);
    }
    return std::move(hands_);
  }

 private:
  void take(int worker) {
    if (pile_.empty()) {
      const auto order = random_permutation(cards_, RandomStream(seed_, RandomPurpose::dealing, place_));
      pile_.assign(order.begin(), order.end());
      ++place_.epoch;
    }
    std::vector<int>& hand = hands_[worker];
    const auto card = std::ranges::find_if(pile_, [&](int c) { return !contains(hand, c); });
    if (card != pile_.end()) {
      hand.push_back(*card);
      pile_.erase(card);
    } else {
      swap_for(worker, pile_.front());
      pile_.erase(pile_.begin());
    }
  }

  // `worker` already holds every card left. Another worker takes `card` and hands over one of its own that `worker`
  // lacks. There always is one: a card that `worker` lacks is not left, so it has one holder more than `card`, which
  // `worker` holds besides; so among its holders is one without `card`.
  void swap_for(int worker, int card) {
    std::vector<int>& hand = hands_[worker];
    for (auto& other : hands_) {
      if (contains(other, card)) {
        continue;
      }
      const auto given = std::ranges::find_if(other, [&](int c) { return !contains(hand, c); });
      if (given != other.end()) {
        hand.push_back(std::exchange(*given, card));
        return;
      }
    }
    throw Error("dealing found no card to swap; this is a fault of resist");
  }

  int cards_;
  std::uint64_t seed_;
  RandomPlace place_;
  std::vector<int> pile_;
  std::vector<std::vector<int>> hands_;
};

// Deals one deck in strata. A worker with k cards has a place in each k-th part of the depth, at random within it. All
// places, in the order of depth, get the cards in that order, each card as often as any other or once more.
class StrataDealer {
 public:
  StrataDealer(int cards, std::uint64_t seed, RandomPlace place)
      : cards_(cards), random_(seed, RandomPurpose::dealing, place) {}

  // As Dealer::deal(). Empty where it found no way to give everybody different cards.
  std::vector<std::vector<int>> deal(const std::vector<int>& sizes) {
    take_places(sizes);
    lay_cards();
    for (std::size_t place = 0; place < places_.size(); ++place) {
      if (holds_before(places_[place].worker, places_[place].card, place) && !swap(place)) {
        return {};
      }
    }
    std::vector<std::vector<int>> hands(sizes.size());
    for (const Place& place : places_) {
      hands[place.worker].push_back(place.card);
    }
    for (auto& hand : hands) {
      std::ranges::sort(hand);
    }
    return hands;
  }

 private:
  struct Place {
    float depth;  // 0 to 1
    int worker;
    int card = -1;
  };

  void take_places(const std::vector<int>& sizes) {
    for (int worker = 0; worker < static_cast<int>(sizes.size()); ++worker) {
      for (int part = 0; part < sizes[worker]; ++part) {
        const float depth = (static_cast<float>(part) + random_.uniform()) / static_cast<float>(sizes[worker]);
        places_.push_back({.depth = depth, .worker = worker});
      }
    }
    std::ranges::stable_sort(places_, {}, &Place::depth);
  }

  // Cards that are dealt once more than the others are spread evenly, from a random one on.
  void lay_cards() {
    const auto places = static_cast<std::int64_t>(places_.size());
    const auto start = static_cast<std::int64_t>(random_.below(static_cast<std::uint32_t>(cards_)));
    std::size_t next = 0;
    for (std::int64_t card = 0; card < cards_; ++card) {
      const std::int64_t copies = (places * (card + 1) + start) / cards_ - (places * card + start) / cards_;
      for (std::int64_t copy = 0; copy < copies; ++copy) {
        places_[next++].card = static_cast<int>(card);
      }
    }
  }

  bool holds_before(int worker, int card, std::size_t end) const {
    return std::any_of(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](const Place& place) { return place.worker == worker && place.card == card; });
  }
  bool holds(int worker, int card) const { return holds_before(worker, card, places_.size()); }

  // The worker of `place` has that card twice: it takes another one's, the nearest that both may have.
  bool swap(std::size_t place) {
    Place& own = places_[place];
    Place* best = nullptr;
    for (Place& other : places_) {
      const bool possible = !holds(own.worker, other.card) && !holds(other.worker, own.card);
      if (possible && (best == nullptr || std::abs(other.card - own.card) < std::abs(best->card - own.card))) {
        best = &other;
      }
    }
    if (best != nullptr) {
      std::swap(own.card, best->card);
    }
    return best != nullptr;
  }

  int cards_;
  RandomStream random_;
  std::vector<Place> places_;
};

}  // namespace

Assignment::Assignment(std::vector<std::vector<int>> held, int blocks)
    : blocks_(blocks), held_(std::move(held)), holders_(blocks) {
  for (int worker = 0; worker < workers(); ++worker) {
    for (const int block : held_[worker]) {
      holders_.at(block).push_back(worker);
    }
  }
  for (int block = 0; block < blocks_; ++block) {
    if (holders_[block].empty()) {
      throw Error(fmt::format("block {} is assigned to no worker", block));
    }
  }
}

int blocks_per_worker(int blocks, int workers, const DealingRule& rule) {
  const int share = ceil_divide(blocks, workers);
  if (rule.mode == PartitionMode::exact) {
    return share;
  }
  return std::max(std::min(blocks, share), least_hand(blocks, rule));
}

double holding_probability(int blocks, int workers, const DealingRule& rule) {
  if (rule.mode == PartitionMode::exact) {
    return 1.0 / workers;
  }
  return static_cast<double>(blocks_per_worker(blocks, workers, rule)) / blocks;
}

int most_blocks_per_worker(int blocks, int workers, const DealingRule& rule) {
  return std::min(blocks,
                  workers * blocks_per_worker(blocks, workers, rule) - (workers - 1) * least_hand(blocks, rule));
}

Hands equal_hands(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule) {
  std::vector<int> hand;
  hand.reserve(decks.size());
  for (const DeckSize& deck : decks) {
    hand.push_back(blocks_per_worker(deck.blocks, workers, rule));
  }
  return Hands(static_cast<std::size_t>(workers), hand);
}

Hands least_hands(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule) {
  std::vector<int> hand;
  hand.reserve(decks.size());
  for (const DeckSize& deck : decks) {
    hand.push_back(least_hand(deck.blocks, rule));
  }
  return Hands(static_cast<std::size_t>(workers), hand);
}

void check_hands(const std::vector<DeckSize>& decks, const Hands& hands, const DealingRule& rule) {
  const int workers = static_cast<int>(hands.size());
  for (std::size_t index = 0; index < decks.size(); ++index) {
    const DeckSize& deck = decks[index];
    const int least = least_hand(deck.blocks, rule);
    std::int64_t total = 0;
    for (const std::vector<int>& hand : hands) {
      if (hand.size() != decks.size() || hand[index] < least || hand[index] > deck.blocks) {
        throw InputError(
            fmt::format("a worker can't hold {} blocks of the {} decks; of section {} allowed are {} to {}",
                        fmt::join(hand, "+"), decks.size(), deck.section, least, deck.blocks));
      }
      total += hand[index];
    }
    const std::int64_t wanted = std::int64_t{workers} * blocks_per_worker(deck.blocks, workers, rule);
    if (total != wanted) {
      throw InputError(fmt::format("{} workers can't hold {} blocks of section {} together; it must be {}", workers,
                                   total, deck.section, wanted));
    }
  }
}

void check_dealing(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule) {
  const int total =
      std::accumulate(decks.begin(), decks.end(), 0, [](int n, const DeckSize& d) { return n + d.blocks; });
  if (total == 0) {
    throw InputError(
        "there is nothing to partition: the listed sections have only first blocks, which are shared; give a deeper "
        "--depths, other --partition-sections, or use --method local-sgd");
  }
  for (const DeckSize& deck : decks) {
    if (deck.blocks == 0) {
      throw InputError(
          fmt::format("section {} has no block to partition; leave it out of --partition-sections", deck.section));
    }
    if (rule.mode == PartitionMode::exact && workers > deck.blocks) {
      throw InputError(fmt::format(
          "--partition exact gives each block to one worker, but section {} has {} blocks for {} workers; use at most "
          "{} workers or --partition equal",
          deck.section, deck.blocks, workers, deck.blocks));
    }
    if (rule.mode == PartitionMode::exact && rule.min_blocks) {
      throw InputError("--min-blocks can't be used with --partition exact; leave one of them out");
    }
    if (rule.min_blocks && *rule.min_blocks > deck.blocks) {
      throw InputError(fmt::format(
          "--min-blocks (or --final-min-blocks) {} is more than the {} partitioned blocks of section {}; allowed are 1 "
          "to {}",
          *rule.min_blocks, deck.blocks, deck.section, deck.blocks));
    }
  }
}

Assignment deal(const std::vector<DeckSize>& decks, int workers, const DealingRule& rule, std::uint64_t seed,
                std::int64_t round, const Hands& hands) {
  std::vector<std::vector<int>> held(workers);
  int first_block = 0;
  round /= rule.every;
  for (std::size_t index = 0; index < decks.size(); ++index) {
    const DeckSize& deck = decks[index];
    // Who begins moves on every round, so the extra blocks of uneven hands rotate over the workers.
    const int first_worker = static_cast<int>(round % workers);
    const RandomPlace place{.stream = static_cast<std::uint32_t>(deck.section),
                            .position = static_cast<std::uint32_t>(round)};
    const std::vector<int> sizes =
        hands.empty() ? hand_sizes(deck.blocks, workers, rule, first_worker) : column(hands, index);
    std::vector<std::vector<int>> dealt;
    if (rule.dealing == Dealing::strata) {
      dealt = StrataDealer(deck.blocks, seed, place).deal(sizes);
    }
    if (dealt.empty()) {
      dealt = Dealer(deck.blocks, workers, seed, place).deal(sizes, first_worker);
    }
    for (int worker = 0; worker < workers; ++worker) {
      for (const int card : dealt[worker]) {
        held[worker].push_back(first_block + card);
      }
    }
    first_block += deck.blocks;
  }
  return {std::move(held), first_block};
}

Assignment assign_all(const std::vector<DeckSize>& decks, int workers) {
  const int total =
      std::accumulate(decks.begin(), decks.end(), 0, [](int n, const DeckSize& d) { return n + d.blocks; });
  std::vector<int> everything(total);
  std::iota(everything.begin(), everything.end(), 0);
  return {std::vector(workers, everything), total};
}

}  // namespace resist
