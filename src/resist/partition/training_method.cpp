#include "resist/partition/training_method.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace resist {
namespace {

// ResIST: every round deals the blocks anew.
class IndependentSubnets : public TrainingMethod {
 public:
  // `trained_in`: share of the iterations that a block in hand takes part in.
  IndependentSubnets(std::vector<DeckSize> decks, int workers, DealingRule rule, double trained_in, std::uint64_t seed,
                     Hands hands)
      : decks_(std::move(decks)),
        workers_(workers),
        rule_(rule),
        trained_in_(trained_in),
        seed_(seed),
        hands_(std::move(hands)) {
    check_dealing(decks_, workers_, rule_);
    if (!hands_.empty()) {
      check_hands(decks_, hands_, rule_);
    }
  }

  Assignment assignment(std::int64_t round, bool warmup) const override {
    return warmup ? assign_all(decks_, workers_) : deal(decks_, workers_, rule_, seed_, round, hands_);
  }

  std::vector<int> slots(bool warmup) const override {
    std::vector<int> slots;
    for (const DeckSize& deck : decks_) {
      slots.push_back(warmup ? deck.blocks : blocks_per_worker(deck.blocks, workers_, rule_));
    }
    for (const std::vector<int>& hand : warmup ? Hands{} : hands_) {
      std::ranges::transform(hand, slots, slots.begin(), [](int held, int most) { return std::max(held, most); });
    }
    return slots;
  }

  std::vector<double> block_scale(bool warmup) const override {
    std::vector<double> scale;
    for (const DeckSize& deck : decks_) {
      scale.push_back(trained_in_ * (warmup ? 1.0 : holding_probability(deck.blocks, workers_, rule_)));
    }
    return scale;
  }

  bool averages_gradients() const override { return false; }

 private:
  std::vector<DeckSize> decks_;
  int workers_;
  DealingRule rule_;
  double trained_in_;
  std::uint64_t seed_;
  Hands hands_;  // empty: equal ones
};

// Local SGD and data-parallel training: every worker holds the whole network.
class WholeNetworks : public TrainingMethod {
 public:
  WholeNetworks(std::vector<DeckSize> decks, int workers, double trained_in, bool averages_gradients)
      : decks_(std::move(decks)), workers_(workers), trained_in_(trained_in), averages_gradients_(averages_gradients) {}

  Assignment assignment(std::int64_t /*round*/, bool /*warmup*/) const override { return assign_all(decks_, workers_); }

  std::vector<int> slots(bool /*warmup*/) const override {
    std::vector<int> slots;
    for (const DeckSize& deck : decks_) {
      slots.push_back(deck.blocks);
    }
    return slots;
  }

  std::vector<double> block_scale(bool /*warmup*/) const override {
    return std::vector<double>(decks_.size(), trained_in_);
  }

  bool averages_gradients() const override { return averages_gradients_; }

 private:
  std::vector<DeckSize> decks_;
  int workers_;
  double trained_in_;
  bool averages_gradients_;
};

// Ablation: no scale.
class Unscaled : public TrainingMethod {
 public:
  explicit Unscaled(std::unique_ptr<TrainingMethod> method) : method_(std::move(method)) {}

  Assignment assignment(std::int64_t round, bool warmup) const override { return method_->assignment(round, warmup); }
  std::vector<int> slots(bool warmup) const override { return method_->slots(warmup); }
  std::vector<double> block_scale(bool warmup) const override {
    return std::vector<double>(method_->block_scale(warmup).size(), 1.0);
  }
  bool averages_gradients() const override { return method_->averages_gradients(); }

 private:
  std::unique_ptr<TrainingMethod> method_;
};

}  // namespace

std::vector<DeckSize> deck_sizes(const Layout& layout) {
  std::vector<DeckSize> sizes;
  for (const Deck& deck : layout.decks) {
    sizes.push_back({.section = deck.section, .blocks = deck.count});
  }
  return sizes;
}

DealingRule dealing_rule(const PartitionOptions& options) {
  return {.mode = options.partition,
          .min_blocks = options.min_blocks,
          .dealing = options.dealing,
          .every = options.deal_every};
}

std::unique_ptr<TrainingMethod> make_method(const Config& config, const std::vector<DeckSize>& decks, int workers,
                                            Hands hands) {
  const double trained_in = 1.0 - config.train.stochastic_depth;
  std::unique_ptr<TrainingMethod> method;
  if (config.train.method == Method::resist) {
    method = std::make_unique<IndependentSubnets>(decks, workers, dealing_rule(config.partition), trained_in,
                                                  config.train.seed, std::move(hands));
  } else {
    method = std::make_unique<WholeNetworks>(decks, workers, trained_in, config.train.method == Method::data_parallel);
  }
  return config.partition.scale_blocks ? std::move(method) : std::make_unique<Unscaled>(std::move(method));
}

MomentumSync momentum_sync(const Config& config) {
  return config.train.momentum_sync.value_or(config.train.method == Method::data_parallel ? MomentumSync::carry
                                                                                          : MomentumSync::reset);
}

}  // namespace resist
