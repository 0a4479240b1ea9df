#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/random.h"
#include "resist/data/loader.h"
#include "resist/data/on_threads.h"

namespace resist {

EvaluationBatches::EvaluationBatches(std::shared_ptr<const Dataset> dataset, const DatasetInfo& info, int batch_size,
                                     std::int64_t most)
    : dataset_(std::move(dataset)), transform_(info), framing_(info.evaluation_framing()), count_(0) {
  const std::int64_t samples = std::min(dataset_->size(), most);
  if (batch_size < 1 || samples < 1) {
    throw InputError(
        fmt::format("can't evaluate {} samples in batches of {}: both must be at least 1", samples, batch_size));
  }
  count_ = (samples + batch_size - 1) / batch_size;
  permutation_ = random_permutation(static_cast<std::uint32_t>(dataset_->size()),
                                    RandomStream(kPermutationSeed, RandomPurpose::evaluation_order, {}));
  permutation_.resize(static_cast<std::size_t>(samples));
}

std::int64_t EvaluationBatches::first(std::int64_t index) const {
  // Batch i takes [i * n / count, (i + 1) * n / count): sizes differ by at most one.
  return index * static_cast<std::int64_t>(permutation_.size()) / count_;
}

std::int64_t EvaluationBatches::size(std::int64_t index) const {
  if (index < 0 || index >= count_) {
    throw Error(fmt::format("there is no evaluation batch {}: there are {}", index, count_));
  }
  return first(index + 1) - first(index);
}

void EvaluationBatches::read(std::int64_t index, Batch& batch, int threads) const {
  const auto samples = static_cast<std::size_t>(size(index));
  const auto begin = static_cast<std::size_t>(first(index));
  const std::size_t values = transform_.size();
  batch.pixels.resize(samples * values);
  batch.labels.resize(samples);
  std::vector<char> is_there(samples);
  const auto out = [&](std::size_t sample) { return std::span(batch.pixels).subspan(sample * values, values); };
  run_on_threads(samples, threads, [&](std::size_t sample) {
    const std::int64_t in_dataset = permutation_[begin + sample];
    std::vector<std::uint8_t> buffer(values);
    const auto pixels = dataset_->read(in_dataset, framing_, buffer);
    if (!pixels.empty()) {
      transform_.normalise(pixels, out(sample));
      batch.labels[sample] = dataset_->label(in_dataset);
      is_there[sample] = 1;
    }
  });
  std::size_t kept = 0;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    if (is_there[sample] != 0 && kept != sample) {
      std::ranges::copy(out(sample), out(kept).begin());
      batch.labels[kept] = batch.labels[sample];
    }
    kept += is_there[sample] != 0 ? 1 : 0;
  }
  batch.pixels.resize(kept * values);
  batch.labels.resize(kept);
}

}  // namespace resist
