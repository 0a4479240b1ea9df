#include <fmt/format.h>

#include <utility>

#include "resist/core/error.h"
#include "resist/core/random.h"
#include "resist/data/loader.h"

namespace resist {

EvaluationBatches::EvaluationBatches(std::shared_ptr<const Dataset> dataset, const DatasetInfo& info, int batch_size)
    : dataset_(std::move(dataset)), transform_(info), count_(0) {
  if (batch_size < 1 || dataset_->size() < 1) {
    throw InputError(fmt::format("can't evaluate {} samples in batches of {}: both must be at least 1",
                                 dataset_->size(), batch_size));
  }
  count_ = (dataset_->size() + batch_size - 1) / batch_size;
  permutation_ = random_permutation(static_cast<std::uint32_t>(dataset_->size()),
                                    RandomStream(kPermutationSeed, RandomPurpose::evaluation_order, {}));
}

std::int64_t EvaluationBatches::first(std::int64_t index) const {
  // Batch i takes [i * n / count, (i + 1) * n / count): sizes differ by at most one.
  return index * dataset_->size() / count_;
}

std::int64_t EvaluationBatches::size(std::int64_t index) const {
  if (index < 0 || index >= count_) {
    throw Error(fmt::format("there is no evaluation batch {}: there are {}", index, count_));
  }
  return first(index + 1) - first(index);
}

void EvaluationBatches::read(std::int64_t index, Batch& batch) const {
  const auto samples = static_cast<std::size_t>(size(index));
  const auto begin = static_cast<std::size_t>(first(index));
  const std::size_t values = transform_.size();
  std::vector<std::uint8_t> pixels(values);
  batch.pixels.resize(samples * values);
  batch.labels.resize(samples);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const std::int64_t in_dataset = permutation_[begin + sample];
    dataset_->read(in_dataset, pixels);
    transform_.normalise(pixels, std::span(batch.pixels).subspan(sample * values, values));
    batch.labels[sample] = dataset_->label(in_dataset);
  }
}

}  // namespace resist
