#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/data/loader.h"
#include "resist/model/network.h"
#include "resist/partition/assignment.h"

namespace at {
class Tensor;
}

namespace resist {

// Hands out partitioned blocks' values in depth order, once each per visit of a super-batch.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The values of `block` as a flat tensor, and where they start in it. Valid until the next call.
  virtual ParameterMemory fetch(int block) = 0;
};

// Sub-networks that classify together, by the mean of their logits.
struct Ensemble {
  Assignment members;
  std::vector<double> block_scale;  // per deck, of the blocks that a member holds
};

struct EvaluationJob {
  const Layout& layout;
  const std::vector<double>& block_scale;  // per deck
  const EvaluationBatches& batches;
  std::int64_t train_batch_size;  // bounds the activations that are held at a time
  int loader_threads = 1;
  const NormStatistics* statistics = nullptr;  // of norms; null: each batch's own
  const Ensemble* ensemble = nullptr;          // null: the one network of all blocks, scaled
};

// Every batch once through the global network, all blocks scaled: worker w takes batches w, w + S, ... It streams: a
// worker works its share in super-batches whose activations fit in what a training step uses, and each block visits
// once per super-batch, so nobody has to hold the global network. With an ensemble a batch has activations for each
// of its members from the first dealt block on. All workers call it together. `network` has the shared parameters bound
// and no blocks.
class FullPass {
 public:
  FullPass(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job);

  // Most batches that a worker has.
  std::int64_t share() const;
  // before(i): the next layers work this worker's i-th batch. done(i, logits, labels): it is through. A batch whose
  // samples are all left out (EvaluationBatches::read) is never done. Where a worker can't read one of its batches, all
  // throw when all others are through: that worker what went wrong, the others PeerFailed.
  void run(const std::function<void(std::int64_t)>& before,
           const std::function<void(std::int64_t, const at::Tensor&, const at::Tensor&)>& done);
  // Every worker's rows of `width` bytes, one per batch of its share, as one row per batch in the batches' order.
  std::vector<std::byte> gather(std::span<const std::byte> rows, std::size_t width) const;

 private:
  struct InFlight;
  std::int64_t super_batch() const;
  at::Tensor logits(const std::vector<at::Tensor>& activations) const;
  std::int64_t batch_index(std::int64_t of_share) const;

  Communicator& communicator_;
  Network& network_;
  BlockSource& blocks_;
  const EvaluationJob& job_;
  std::vector<Network::Position> before_;  // what every batch passes before the first partitioned block
  std::vector<Network::Position> dealt_;   // everything from the first partitioned block on
  // Of every network that takes part, per partitioned block; 0: it lacks the block.
  std::vector<std::vector<double>> scales_;
  Batch batch_;
};

}  // namespace resist
