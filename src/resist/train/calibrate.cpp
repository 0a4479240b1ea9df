#include "resist/train/calibrate.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kCandidates = 5;

// One batch's statistics: its number of samples, and every norm's means and variances in the norms' order.
using Row = std::vector<float>;

Row to_row(const NormStatistics& statistics, std::int64_t samples) {
  Row row = {static_cast<float>(samples)};
  for (const auto& [name, moments] : statistics) {
    row.insert(row.end(), moments.mean.begin(), moments.mean.end());
    row.insert(row.end(), moments.variance.begin(), moments.variance.end());
  }
  return row;
}

// Sums over samples of a channel's value and of its square, each a mean over the map.
struct ChannelSums {
  double value = 0;
  double square = 0;
};

}  // namespace

NormStatistics calibrate(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job) {
  const auto norms = norm_channels(job.layout);
  const std::int64_t channels = std::accumulate(norms.begin(), norms.end(), std::int64_t{0},
                                                [](std::int64_t sum, const auto& norm) { return sum + norm.second; });
  const auto width = static_cast<std::size_t>(1 + 2 * channels);

  FullPass pass(communicator, network, blocks, job);
  std::vector<NormStatistics> collected(static_cast<std::size_t>(pass.share()));
  Row own(collected.size() * width);
  pass.run([&](std::int64_t batch) { network.collect_statistics(&collected[static_cast<std::size_t>(batch)]); },
           [&](std::int64_t batch, const at::Tensor& /*logits*/, const at::Tensor& labels) {
             auto& statistics = collected[static_cast<std::size_t>(batch)];
             std::ranges::copy(to_row(statistics, labels.size(0)),
                               own.begin() + batch * static_cast<std::int64_t>(width));
             statistics.clear();
           });
  network.collect_statistics(nullptr);

  const auto bytes = pass.gather(std::as_bytes(std::span(own)), width * sizeof(float));
  std::vector<ChannelSums> sums(static_cast<std::size_t>(channels));
  double samples = 0;
  Row row(width);
  for (std::size_t at = 0; at < bytes.size(); at += width * sizeof(float)) {
    std::memcpy(row.data(), &bytes[at], width * sizeof(float));
    const double weight = row[0];
    samples += weight;
    std::size_t place = 1;
    auto sum = sums.begin();
    for (const auto& [name, count] : norms) {
      const auto size = static_cast<std::size_t>(count);
      for (std::size_t channel = 0; channel < size; ++channel, ++sum) {
        const double mean = row[place + channel];
        sum->value += weight * mean;
        sum->square += weight * (row[place + size + channel] + mean * mean);
      }
      place += 2 * size;
    }
  }
  if (samples == 0) {
    throw InputError("not one training picture can be read, so there are no statistics");
  }
  NormStatistics statistics;
  auto sum = sums.begin();
  for (const auto& [name, count] : norms) {
    ChannelMoments& moments = statistics[name];
    for (std::int64_t channel = 0; channel < count; ++channel, ++sum) {
      const double mean = sum->value / samples;
      moments.mean.push_back(static_cast<float>(mean));
      moments.variance.push_back(static_cast<float>(std::max(0.0, sum->square / samples - mean * mean)));
    }
  }
  return statistics;
}

std::vector<double> scale_candidates(int workers) {
  std::vector<double> candidates;
  for (int i = 0; i < kCandidates; ++i) {
    const double exponent = 1 - 0.5 * i / (kCandidates - 1);
    candidates.push_back(std::pow(workers, -exponent));
  }
  return candidates;
}

}  // namespace resist
