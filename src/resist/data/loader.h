#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "resist/data/augment.h"
#include "resist/data/dataset.h"
#include "resist/data/stream.h"

namespace resist {

// A batch ready for the network: float32 pixels [batch, channels, height, width], normalised; int64 labels [batch].
struct Batch {
  std::vector<float> pixels;
  std::vector<std::int64_t> labels;
  std::int64_t stream_position = 0;  // of its first sample, in training
  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

// Prepares training batches ahead of the network on threads of its own; batch content depends only on (seed, stream,
// position). A picture that is left out as damaged is replaced by the next one of the data set that is not. One
// consumer thread. Ends its threads when destroyed.
class TrainLoader {
 public:
  // The first batch is that of local iteration 0 from `unserved` on. `threads`: at least 1.
  TrainLoader(std::shared_ptr<const Dataset> dataset, const DatasetInfo& info, const Augmentation& augmentation,
              const BatchSchedule& schedule, std::uint64_t seed, const Unserved& unserved, int threads = 1);
  ~TrainLoader();
  TrainLoader(const TrainLoader&) = delete;
  TrainLoader& operator=(const TrainLoader&) = delete;

  // The next batch; stays valid until the next call. Blocks until it is made; rethrows what went wrong meanwhile, after
  // all batches before the first sample that it went wrong with, and again at every later call.
  const Batch& next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// How a data set is cut into batches to be evaluated: along one fixed permutation (independent of the run's seed),
// sizes differing by at most one, none above `batch_size`. The same for every number of workers.
class EvaluationBatches {
 public:
  // Names the permutation in results. Not the run's seed: results of different runs must be comparable.
  static constexpr std::uint64_t kPermutationSeed = 0;

  // `most`: only as many samples, the first of the permutation.
  EvaluationBatches(std::shared_ptr<const Dataset> dataset, const DatasetInfo& info, int batch_size,
                    std::int64_t most = std::numeric_limits<std::int64_t>::max());

  std::int64_t count() const { return count_; }
  // Samples in batch `index`, counting those that will be left out as damaged.
  std::int64_t size(std::int64_t index) const;
  // Fills `batch` with batch `index`, normalised, not augmented, on `threads` threads for this call. Pictures left out
  // as damaged are missing in it: it may be smaller than size(), even empty. Rethrows what went wrong with the first
  // sample that it did with. May be called from several threads.
  void read(std::int64_t index, Batch& batch, int threads = 1) const;

 private:
  // Place of the batch's first sample in the permutation.
  std::int64_t first(std::int64_t index) const;

  std::shared_ptr<const Dataset> dataset_;
  PixelTransform transform_;
  Framing framing_;
  std::int64_t count_;
  std::vector<std::uint32_t> permutation_;  // of the samples taken
};

}  // namespace resist
