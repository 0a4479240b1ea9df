#include "resist/train/evaluate.h"

#include <torch/types.h>

#include <algorithm>

#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/model/activations.h"

namespace resist {
namespace {

// What one batch adds to the result.
struct BatchSums {
  double loss = 0;
  std::int64_t top1 = 0;
  std::int64_t top5 = 0;
};

BatchSums score(const at::Tensor& logits, const at::Tensor& labels) {
  const std::int64_t candidates = std::min<std::int64_t>(5, logits.size(1));
  const at::Tensor best = std::get<1>(logits.topk(candidates, 1));
  const at::Tensor hits = best.eq(labels.unsqueeze(1));
  return {.loss = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>(),
          .top1 = hits.select(1, 0).sum().item<std::int64_t>(),
          .top5 = hits.sum().item<std::int64_t>()};
}

class Evaluation {
 public:
  Evaluation(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job)
      : communicator_(communicator), network_(network), blocks_(blocks), job_(job) {
    for (const Network::Position& position : network_.positions()) {
      (position.block < 0 && dealt_.empty() ? before_ : dealt_).push_back(position);
    }
    for (const Deck& deck : job_.layout.decks) {
      scale_.insert(scale_.end(), deck.count, job_.block_scale[&deck - job_.layout.decks.data()]);
    }
  }

  EvaluationResult run() {
    const at::NoGradGuard no_gradients;
    const std::int64_t workers = communicator_.size();
    const std::int64_t share = (job_.batches.count() + workers - 1) / workers;
    sums_.resize(static_cast<std::size_t>(share));
    const std::int64_t step = super_batch();
    for (std::int64_t first = 0; first < share; first += step) {
      work(first, std::min(first + step, share));
    }
    return gather();
  }

 private:
  // Batches whose activations, held while blocks pass by, take no more memory than a training step's.
  std::int64_t super_batch() const {
    const NetworkSpec& spec = network_.spec();
    if (dealt_.empty()) {
      return 1;
    }
    std::int64_t largest = 0;
    for (const Network::Position& position : dealt_) {
      largest = std::max(largest, feature_map(spec, std::max(1, position.section - (position.index == 0 ? 1 : 0))));
    }
    const std::int64_t allowed = training_activations(spec, job_.layout, {}) * job_.train_batch_size;
    return std::max<std::int64_t>(1, allowed / (largest * job_.batches.size(0)));
  }

  std::int64_t batch_index(std::int64_t of_share) const {
    return of_share * communicator_.size() + communicator_.rank();
  }

  // Batches first..end-1 of this worker's share. A worker with no batch left still takes part in the blocks' visits.
  void work(std::int64_t first, std::int64_t end) {
    std::vector<at::Tensor> activations;
    std::vector<at::Tensor> labels;
    for (std::int64_t i = first; i < end && batch_index(i) < job_.batches.count(); ++i) {
      job_.batches.read(batch_index(i), batch_);
      const NetworkSpec& spec = network_.spec();
      at::Tensor x = network_.stem(at::from_blob(
          batch_.pixels.data(), {batch_.size(), spec.channels, spec.height, spec.image_width}, at::kFloat));
      for (const Network::Position& position : before_) {
        x = network_.apply(position, x, 1.0);
      }
      activations.push_back(std::move(x));
      labels.push_back(at::from_blob(batch_.labels.data(), {batch_.size()}, at::kLong).clone());
    }
    for (const Network::Position& position : dealt_) {
      if (position.block >= 0) {
        network_.bind_block(position.block, blocks_.fetch(position.block));
      }
      for (at::Tensor& x : activations) {
        x = network_.apply(position, x, position.block < 0 ? 1.0 : scale_[position.block]);
      }
      if (position.block >= 0) {
        network_.unbind_block(position.block);
      }
    }
    for (std::size_t i = 0; i < activations.size(); ++i) {
      sums_[static_cast<std::size_t>(first) + i] = score(network_.head(activations[i]), labels[i]);
    }
  }

  // Adds up in the order of batches, whoever worked them.
  EvaluationResult gather() {
    const std::size_t share = sums_.size();
    std::vector<BatchSums> all(share * communicator_.size());
    all_gather_bytes(communicator_, std::as_bytes(std::span(sums_)), std::as_writable_bytes(std::span(all)),
                     kEvaluationTag);
    BatchSums total;
    EvaluationResult result;
    for (std::int64_t batch = 0; batch < job_.batches.count(); ++batch) {
      const std::int64_t worker = batch % communicator_.size();
      const BatchSums& sums = all[worker * share + batch / communicator_.size()];
      total.loss += sums.loss;
      total.top1 += sums.top1;
      total.top5 += sums.top5;
      result.samples += job_.batches.size(batch);
    }
    const auto samples = static_cast<double>(result.samples);
    result.loss = total.loss / samples;
    result.top1 = static_cast<double>(total.top1) / samples;
    result.top5 = static_cast<double>(total.top5) / samples;
    return result;
  }

  Communicator& communicator_;
  Network& network_;
  BlockSource& blocks_;
  const EvaluationJob& job_;
  std::vector<Network::Position> before_;  // what every batch passes before the first partitioned block
  std::vector<Network::Position> dealt_;   // everything from the first partitioned block on
  std::vector<double> scale_;              // per partitioned block
  std::vector<BatchSums> sums_;            // per batch of the share
  Batch batch_;
};

}  // namespace

EvaluationResult evaluate(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job) {
  return Evaluation(communicator, network, blocks, job).run();
}

}  // namespace resist
