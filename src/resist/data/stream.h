#pragma once

#include <cstdint>
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

// Which positions of which stream a worker's batches take. Replicated: its own stream, batch after batch. Sharded: the
// one common stream, iteration i of worker w takes batch i * workers + w.
struct BatchSchedule {
  DataMode mode;
  int worker;  // sharded: its rank; replicated: its identity, which stays when other workers come and go
  int workers;
  int batch_size;

  std::uint32_t stream() const { return mode == DataMode::replicated ? static_cast<std::uint32_t>(worker) : 0; }
  // How far one iteration of all workers moves the stream position, in samples.
  std::int64_t stride() const { return mode == DataMode::replicated ? batch_size : std::int64_t{batch_size} * workers; }
  // First stream position of this worker's batch when the stream position before the iteration is `stream_position`.
  std::int64_t first(std::int64_t stream_position) const {
    return mode == DataMode::replicated ? stream_position : stream_position + std::int64_t{batch_size} * worker;
  }
};

}  // namespace resist
