#pragma once

#include <memory>
#include <vector>

#include "resist/train/training_setup.h"

namespace resist {

// Deals by how fast the workers are said to be, not by a clock: one of them is four times slower than the others, each
// in turn for two rounds. Workers start with equal hands.
class SaidSpeeds : public BlockBalance {
 public:
  explicit SaidSpeeds(const TrainingSetup& setup)
      : decks_(setup.decks),
        rule_(dealing_rule(setup.config.partition)),
        cost_(subnetwork_cost(setup.spec, setup.layout)) {}

  Hands next_hands(std::int64_t /*generation*/, std::int64_t round, const std::vector<Pace>& paces,
                   const Hands& now) const override {
    std::vector<Pace> said(paces.size());
    for (std::size_t worker = 0; worker < said.size(); ++worker) {
      const bool slow = static_cast<std::size_t>(round / 2) % said.size() == worker;
      for (int i = 0; i < Pace::kRounds; ++i) {
        said[worker].add(slow ? 4 : 1);
      }
    }
    return balanced_hands(decks_, rule_, cost_, said, now);
  }

 private:
  std::vector<DeckSize> decks_;
  DealingRule rule_;
  SubnetworkCost cost_;
};

// A setup of the options whose blocks are dealt by said speeds.
inline TrainingSetup setup_with_said_speeds(Config config, int workers) {
  config.partition.balance = Balance::speed;
  config.partition.min_blocks = 1;
  TrainingSetup setup = prepare_training(config, workers);
  setup.balance = std::make_shared<SaidSpeeds>(setup);
  return setup;
}

}  // namespace resist
