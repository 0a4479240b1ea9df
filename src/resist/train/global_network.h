#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "resist/train/calibrate.h"
#include "resist/train/evaluate.h"
#include "resist/train/training_setup.h"

namespace resist {

// The whole trained network, wherever its values are: in the workers' arenas, or in a checkpoint. Every worker of the
// communicator has one and calls its functions together with the others.
class GlobalNetwork {
 public:
  // It computes on the setup's device. `shared`: the shared parameters' values. References and they must outlive this.
  // `block_scale`: per deck. `ensemble`: what evaluations are of, where that is not the whole network.
  GlobalNetwork(Communicator& communicator, const TrainingSetup& setup, std::span<float> shared,
                std::unique_ptr<BlockSource> blocks, std::vector<double> block_scale, std::optional<Ensemble> ensemble);

  int workers() const { return communicator_.size(); }
  const std::vector<double>& block_scale() const { return block_scale_; }
  void set_block_scale(std::vector<double> scale) { block_scale_ = std::move(scale); }

  // `statistics`: of norms; null: each batch's own. They are the whole network's, so with them it is evaluated.
  EvaluationResult evaluate(const EvaluationBatches& batches, const NormStatistics* statistics = nullptr) {
    EvaluationJob evaluation = job(batches, statistics);
    evaluation.ensemble = ensemble_ && statistics == nullptr ? &*ensemble_ : nullptr;
    return resist::evaluate(communicator_, network_, *blocks_, evaluation);
  }
  NormStatistics calibrate(const EvaluationBatches& batches) {
    return resist::calibrate(communicator_, network_, *blocks_, job(batches, nullptr));
  }

 private:
  EvaluationJob job(const EvaluationBatches& batches, const NormStatistics* statistics) const {
    return {.layout = setup_.layout,
            .block_scale = block_scale_,
            .batches = batches,
            .train_batch_size = setup_.config.train.batch_size,
            .loader_threads = loader_threads(setup_),
            .statistics = statistics};
  }

  Communicator& communicator_;
  const TrainingSetup& setup_;
  Network network_;
  std::unique_ptr<BlockSource> blocks_;
  std::vector<double> block_scale_;
  std::optional<Ensemble> ensemble_;
};

// What `--inference ensemble` evaluates: the sub-networks that the method deals in `round`. Nothing without it, and
// where the round is at full depth: every sub-network is the whole network then. InputError where the method has none.
std::optional<Ensemble> make_ensemble(const Config& config, const TrainingMethod& method, std::int64_t round,
                                      bool full_depth);

}  // namespace resist
