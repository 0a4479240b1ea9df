#include "resist/simulate/block_dealing.h"

#include <algorithm>

#include "resist/partition/training_method.h"

namespace resist {
namespace {

// Keys the choices of each home, and those between homes, apart from the whole cluster's.
std::uint64_t seed_of_home(std::uint64_t seed, std::uint64_t home) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  return seed + (home + 1) * kOdd;
}

std::vector<std::vector<int>> hands_of(const Assignment& assignment) {
  std::vector<std::vector<int>> hands;
  hands.reserve(static_cast<std::size_t>(assignment.workers()));
  for (int worker = 0; worker < assignment.workers(); ++worker) {
    hands.push_back(assignment.held(worker));
  }
  return hands;
}

}  // namespace

BlockDealing::BlockDealing(const Config& config, const Layout& layout, const SimulationOptions& options, int workers)
    : deals_(config.train.method == Method::resist),
      rule_{.mode = config.partition.partition, .min_blocks = config.partition.min_blocks},
      decks_(deck_sizes(layout)),
      seed_(config.train.seed),
      workers_(options.cluster.workers),
      replication_(options.replication),
      homes_(options.homes),
      home_rounds_(options.home_rounds) {
  if (deals_) {
    check_dealing(decks_, workers, rule_);
  }
}

DealingRule BlockDealing::rule_for(int blocks, int workers) const {
  DealingRule rule = rule_;
  if (replication_ > 1) {
    const std::int64_t cards = std::int64_t{blocks} * std::min(replication_, workers);
    const auto least = static_cast<int>((cards + workers - 1) / workers);
    rule.min_blocks = std::min(blocks, std::max(least, rule.min_blocks.value_or(kDefaultMinBlocks)));
  }
  return rule;
}

std::vector<int> BlockDealing::hand_sizes(int workers) const {
  std::vector<int> sizes;
  for (const DeckSize& deck : decks_) {
    sizes.push_back(deals_ ? blocks_per_worker(deck.blocks, workers, rule_for(deck.blocks, workers)) : deck.blocks);
  }
  return sizes;
}

// The deck is dealt to the homes that have members as to so many workers, each getting enough for a worker's hand, and
// each home's blocks to its members. Where a home dies out or comes back, all homes are dealt anew.
std::vector<std::vector<int>> BlockDealing::deal_by_homes(const DeckSize& deck, const std::vector<int>& members,
                                                          std::int64_t round) const {
  struct Home {
    int id;
    int members;
  };
  std::vector<Home> homes;
  for (const int member : members) {
    const auto home = static_cast<int>(std::int64_t{member} * homes_ / workers_);
    if (homes.empty() || homes.back().id != home) {
      homes.push_back({.id = home, .members = 0});
    }
    ++homes.back().members;
  }
  const Assignment between =
      resist::deal({deck}, static_cast<int>(homes.size()), rule_, seed_of_home(seed_, 0), round / home_rounds_);
  std::vector<std::vector<int>> hands;
  for (int index = 0; index < between.workers(); ++index) {
    const std::vector<int>& at_home = between.held(index);
    const auto blocks = static_cast<int>(at_home.size());
    const Home& home = homes[static_cast<std::size_t>(index)];
    const Assignment inside =
        resist::deal({{.section = deck.section, .blocks = blocks}}, home.members, rule_for(blocks, home.members),
                     seed_of_home(seed_, 1 + static_cast<std::uint64_t>(home.id)), round);
    for (std::vector<int>& hand : hands_of(inside)) {
      std::ranges::transform(hand, hand.begin(), [&](int card) { return at_home[static_cast<std::size_t>(card)]; });
      hands.push_back(std::move(hand));
    }
  }
  return hands;
}

std::vector<std::vector<int>> BlockDealing::deal_deck(const DeckSize& deck, const std::vector<int>& members,
                                                      std::int64_t round) const {
  if (homes_ > 0) {
    return deal_by_homes(deck, members, round);
  }
  const auto workers = static_cast<int>(members.size());
  return hands_of(resist::deal({deck}, workers, rule_for(deck.blocks, workers), seed_, round));
}

Assignment BlockDealing::deal(const std::vector<int>& members, std::int64_t round) const {
  const auto workers = static_cast<int>(members.size());
  if (!deals_) {
    return assign_all(decks_, workers);
  }
  std::vector<std::vector<int>> held(members.size());
  int first_block = 0;
  for (const DeckSize& deck : decks_) {
    const auto hands = deal_deck(deck, members, round);
    for (std::size_t rank = 0; rank < hands.size(); ++rank) {
      for (const int card : hands[rank]) {
        held[rank].push_back(first_block + card);
      }
    }
    first_block += deck.blocks;
  }
  return {std::move(held), first_block};
}

}  // namespace resist
