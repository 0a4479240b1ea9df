#pragma once

#include <cstdint>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/data/loader.h"
#include "resist/model/network.h"

namespace at {
class Tensor;
}

namespace resist {

struct EvaluationResult {
  std::int64_t samples = 0;
  double top1 = 0;  // in [0, 1]
  double top5 = 0;  // the label is among the five (or all, where there are fewer) highest logits
  double loss = 0;  // mean cross entropy
};

// Hands out partitioned blocks' values in depth order, once each per visit of a super-batch.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The values of `block` as a flat tensor, and where they start in it. Valid until the next call.
  virtual ParameterMemory fetch(int block) = 0;
};

struct EvaluationJob {
  const Layout& layout;
  const std::vector<double>& block_scale;  // per deck
  const EvaluationBatches& batches;
  std::int64_t train_batch_size;  // bounds the activations that are held at a time
};

// Evaluates the global network, all blocks scaled, on every batch once: worker w takes batches w, w + S, ... It
// streams: a worker works its share in super-batches whose activations fit in what a training step uses, and each block
// visits once per super-batch, so nobody ever assembles the global network. All workers call it together; the result is
// the same on each and does not depend on their number. `network` has the shared parameters bound and no blocks.
EvaluationResult evaluate(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job);

}  // namespace resist
