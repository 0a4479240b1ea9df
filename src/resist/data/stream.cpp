#include "resist/data/stream.h"

#include <fmt/format.h>

#include <limits>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {

SampleStream::SampleStream(std::int64_t dataset_size, std::uint64_t seed, std::uint32_t stream)
    : dataset_size_(dataset_size), seed_(seed), stream_(stream) {
  constexpr std::int64_t kMostSamples = std::numeric_limits<std::uint32_t>::max();
  if (dataset_size < 1 || dataset_size > kMostSamples) {
    throw InputError(
        fmt::format("the training set has {} samples, but 1 to {} are allowed", dataset_size, kMostSamples));
  }
}

SamplePlace SampleStream::at(std::int64_t position) {
  if (position < 0) {
    throw Error(fmt::format("stream position {} is negative", position));
  }
  const std::int64_t epoch = position / dataset_size_;
  const auto in_epoch = static_cast<std::uint32_t>(position % dataset_size_);
  const auto epoch_number = static_cast<std::uint32_t>(epoch);
  if (epoch != cached_epoch_) {
    permutation_ =
        random_permutation(static_cast<std::uint32_t>(dataset_size_),
                           RandomStream(seed_, RandomPurpose::data_order, {.stream = stream_, .epoch = epoch_number}));
    cached_epoch_ = epoch;
  }
  return {.stream = stream_, .epoch = epoch_number, .position = in_epoch, .index = permutation_[in_epoch]};
}

}  // namespace resist
