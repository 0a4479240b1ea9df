#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// Where a sample is in a stream; keys its augmentation.
struct SamplePlace {
  std::uint32_t stream;  // the worker (replicated) or 0 (sharded)
  std::uint32_t epoch;
  std::uint32_t position;  // within the epoch's permutation
  std::int64_t index;      // of the sample in the data set
};

// The endless order in which a worker sees samples: one random permutation per epoch, running on across epochs, so
// every batch is full. A pure function of (seed, stream, position); only the current epoch's permutation is cached.
// Not for several threads at once.
class SampleStream {
 public:
  SampleStream(std::int64_t dataset_size, std::uint64_t seed, std::uint32_t stream);
  // The sample at `position` (from the start of training) of the stream.
  SamplePlace at(std::int64_t position);

 private:
  std::int64_t dataset_size_;
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::int64_t cached_epoch_ = -1;
  std::vector<std::uint32_t> permutation_;
};

// What a stream has yet to serve: the batches that came back, in this order, then everything from `next` on.
struct Unserved {
  std::int64_t next = 0;               // stream position
  std::vector<std::int64_t> returned;  // stream positions of batches' first samples; sharded only
  bool operator==(const Unserved&) const = default;
};

// Which batches of which stream a worker takes. Replicated: its own stream, batch after batch. Sharded: the one common
// stream, in turns: of what is unserved, local iteration i of worker w takes batch i * workers + w.
struct BatchSchedule {
  DataMode mode;
  int worker;  // sharded: its rank; replicated: its identity, which stays when other workers come and go
  int workers;
  int batch_size;

  std::uint32_t stream() const { return mode == DataMode::replicated ? static_cast<std::uint32_t>(worker) : 0; }
  // Stream position of the first sample of this worker's batch of local iteration `iteration`, from 0.
  std::int64_t first(const Unserved& unserved, std::int64_t iteration) const;
  // What is unserved after `iterations` of all workers, of which those of worker w count only up to kept[w]: the
  // batches of the others come back. `kept`: an entry a worker.
  Unserved after(const Unserved& unserved, std::int64_t iterations, std::span<const std::int64_t> kept) const;
};

}  // namespace resist
