#include "resist/data/stream.h"

#include <fmt/format.h>

#include <algorithm>
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

namespace {

// Of the batch that comes as number `place`, from 0, among those that are unserved.
std::int64_t position_of(const Unserved& unserved, std::int64_t place, int batch_size) {
  const auto returned = static_cast<std::int64_t>(unserved.returned.size());
  return place < returned ? unserved.returned[static_cast<std::size_t>(place)]
                          : unserved.next + (place - returned) * batch_size;
}

}  // namespace

std::int64_t BatchSchedule::first(const Unserved& unserved, std::int64_t iteration) const {
  return mode == DataMode::replicated ? unserved.next + iteration * batch_size
                                      : position_of(unserved, iteration * workers + worker, batch_size);
}

Unserved BatchSchedule::after(const Unserved& unserved, std::int64_t iterations,
                              std::span<const std::int64_t> kept) const {
  if (mode == DataMode::replicated) {
    return {.next = unserved.next + iterations * batch_size, .returned = {}};
  }
  const std::int64_t taken = iterations * workers;
  const std::int64_t returned = std::min(taken, static_cast<std::int64_t>(unserved.returned.size()));
  Unserved after{.next = unserved.next + (taken - returned) * batch_size, .returned = {}};
  for (int other = 0; other < workers; ++other) {
    for (std::int64_t iteration = kept[static_cast<std::size_t>(other)]; iteration < iterations; ++iteration) {
      after.returned.push_back(position_of(unserved, iteration * workers + other, batch_size));
    }
  }
  after.returned.insert(after.returned.end(), unserved.returned.begin() + returned, unserved.returned.end());
  return after;
}

}  // namespace resist
