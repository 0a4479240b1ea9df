#include "resist/partition/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace resist {
namespace {

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

std::int64_t samples_per_iteration(const TrainOptions& options, int workers) {
  return std::int64_t{options.batch_size} * workers;
}

// What is missing to `total_samples`; more, where more of them came back.
std::int64_t samples_left(const TrainOptions& options, std::int64_t total_samples, const TrainPosition& position) {
  const auto returned =
      std::ranges::count_if(position.returned_batches, [&](std::int64_t first) { return first < total_samples; });
  return std::max({std::int64_t{0}, total_samples - position.samples, returned * options.batch_size});
}

}  // namespace

std::vector<std::int64_t> to_numbers(const TrainPosition& position) {
  std::vector<std::int64_t> numbers{position.round, position.iteration, position.samples, position.stream_position};
  numbers.insert(numbers.end(), position.returned_batches.begin(), position.returned_batches.end());
  return numbers;
}

TrainPosition position_from_numbers(std::span<const std::int64_t> numbers) {
  return {.round = numbers[0],
          .iteration = numbers[1],
          .samples = numbers[2],
          .stream_position = numbers[3],
          .returned_batches = {numbers.begin() + 4, numbers.end()}};
}

TrainLength train_length(const TrainOptions& options, int workers, std::int64_t dataset_size,
                         const TrainPosition& position) {
  const std::int64_t step = samples_per_iteration(options, workers);
  if (options.rounds > 0) {
    const std::int64_t left = std::max<std::int64_t>(0, options.rounds - position.round);
    return {.total_samples = position.samples + left * options.local_iterations * step,
            .total_rounds = position.round + left};
  }
  const auto total = static_cast<std::int64_t>(std::ceil(options.epochs * static_cast<double>(dataset_size)));
  const std::int64_t iterations = ceil_divide(samples_left(options, total, position), step);
  return {.total_samples = total, .total_rounds = position.round + ceil_divide(iterations, options.local_iterations)};
}

std::int64_t round_iterations(const TrainOptions& options, int workers, const TrainLength& length,
                              const TrainPosition& position) {
  const std::int64_t left =
      ceil_divide(samples_left(options, length.total_samples, position), samples_per_iteration(options, workers));
  return std::clamp<std::int64_t>(left, 0, options.local_iterations);
}

int iterations_under_way(const Config& config) {
  return config.sync.overlap_iterations.value_or((config.train.local_iterations + 1) / 2);
}

bool at_full_depth(const TrainOptions& options, std::int64_t dataset_size, const TrainLength& length,
                   const TrainPosition& position) {
  const auto samples = static_cast<double>(position.samples);
  const auto epoch = static_cast<double>(dataset_size);
  const auto last = options.full_depth_epochs * epoch;
  return samples < options.warmup_epochs * epoch ||
         (last > 0 && samples >= static_cast<double>(length.total_samples) - last);
}

double epochs_at_full_depth(const TrainOptions& options) {
  return options.warmup_epochs + options.full_depth_epochs;
}

double learning_rate(const TrainOptions& options, int workers, std::int64_t dataset_size, const TrainLength& length,
                     std::int64_t samples) {
  const double done = static_cast<double>(samples) / static_cast<double>(length.total_samples);
  double factor = 1.0;
  switch (options.schedule) {
    case Schedule::step:
      factor = done < 0.5 ? 1.0 : done < 0.75 ? 0.1 : 0.01;
      break;
    case Schedule::cosine:
      factor = 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(done, 1.0)));
      break;
    case Schedule::constant:
      break;
  }
  constexpr double kUsualWarmup = 0.05;
  const double warmup_samples = options.lr_warmup_epochs ? *options.lr_warmup_epochs * static_cast<double>(dataset_size)
                                                         : kUsualWarmup * static_cast<double>(length.total_samples);
  if (warmup_samples > 0) {
    const auto after = static_cast<double>(samples + samples_per_iteration(options, workers));
    factor *= std::min(1.0, after / warmup_samples);
  }
  return options.lr * factor;
}

}  // namespace resist
