#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "resist/config/config.h"
#include "resist/model/layout.h"
#include "resist/partition/assignment.h"

namespace resist {

// A way of training on several workers: what the one training loop asks before and during a round.
class TrainingMethod {
 public:
  virtual ~TrainingMethod() = default;

  // Who holds what in `round`. `warmup`: the round belongs to the local-SGD warm-up.
  virtual Assignment assignment(std::int64_t round, bool warmup) const = 0;
  // Most blocks of each deck that a worker holds in any round of that kind.
  virtual std::vector<int> slots(bool warmup) const = 0;
  // Scale of residual branches in evaluation, per deck (docs/algorithm.md).
  virtual std::vector<double> block_scale(bool warmup) const = 0;
  // Whether gradients are averaged over the workers before every optimizer step. If so parameters and momentum are the
  // same everywhere at all times and a round ends without exchanging them.
  virtual bool averages_gradients() const = 0;
};

// The decks of a layout, as dealing wants them.
std::vector<DeckSize> deck_sizes(const Layout& layout);

// The method that the options name. `hands`: what each worker is dealt, where that is not the same for all
// (--balance). InputError where its dealing is impossible (see check_dealing, check_hands).
std::unique_ptr<TrainingMethod> make_method(const Config& config, const std::vector<DeckSize>& decks, int workers,
                                            Hands hands = {});

DealingRule dealing_rule(const PartitionOptions& options);

// `momentum_sync`, or its default: reset, and carry where gradients are averaged.
MomentumSync momentum_sync(const Config& config);

}  // namespace resist
