#include "resist/partition/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

namespace resist {
namespace {

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

std::int64_t samples_per_iteration(const TrainOptions& options, int workers) {
  return std::int64_t{options.batch_size} * workers;
}

// What the schedule makes of the learning rate when the share `done` of the training is.
double schedule_factor(Schedule schedule, double done) {
  switch (schedule) {
    case Schedule::step:
      return done < 0.5 ? 1.0 : done < 0.75 ? 0.1 : 0.01;
    case Schedule::cosine:
      return 0.5 * (1.0 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0)));
    case Schedule::constant:
      break;
  }
  return 1.0;
}

// Data-parallel training synchronises in each iteration, whatever a round is.
bool rounds_lengthen(const TrainOptions& options) {
  return options.max_local_iterations > 0 && options.method != Method::data_parallel;
}

// Of a round that starts with `samples_left` of `total_samples` to go, if there are as many. A function of what is left
// and not of what is done, so that a round's length and the number of rounds agree also where batches came back.
std::int64_t local_iterations(const TrainOptions& options, std::int64_t total_samples, std::int64_t samples_left) {
  if (!rounds_lengthen(options)) {
    return options.local_iterations;
  }
  const double left = static_cast<double>(samples_left) / static_cast<double>(total_samples);
  const double factor = schedule_factor(options.schedule, 1.0 - left);
  const double grown = std::floor(options.local_iterations / (factor * factor));  // infinite at a rate of 0
  return static_cast<std::int64_t>(std::min<double>(grown, options.max_local_iterations));
}

// How many rounds from here on have `each` iterations; they never have fewer later. `left`: iterations to go, of `step`
// samples.
std::int64_t rounds_alike(const TrainOptions& options, std::int64_t total_samples, std::int64_t left, std::int64_t step,
                          std::int64_t each) {
  std::int64_t alike = 1;
  std::int64_t beyond = ceil_divide(left, each) + 1;
  while (beyond - alike > 1) {
    const std::int64_t middle = alike + (beyond - alike) / 2;
    const bool same = local_iterations(options, total_samples, (left - (middle - 1) * each) * step) == each;
    (same ? alike : beyond) = middle;
  }
  return alike;
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

std::int64_t total_samples(const TrainOptions& options, int workers, std::int64_t dataset_size,
                           const TrainPosition& position) {
  if (options.rounds > 0) {
    const std::int64_t left = std::max<std::int64_t>(0, options.rounds - position.round);
    return position.samples + left * options.local_iterations * samples_per_iteration(options, workers);
  }
  return static_cast<std::int64_t>(std::ceil(options.epochs * static_cast<double>(dataset_size)));
}

TrainLength train_length(const TrainOptions& options, int workers, std::int64_t dataset_size,
                         const TrainPosition& position) {
  const std::int64_t total = total_samples(options, workers, dataset_size, position);
  if (options.rounds > 0) {
    return {.total_samples = total, .total_rounds = std::max(position.round, options.rounds)};
  }
  const std::int64_t step = samples_per_iteration(options, workers);
  const std::int64_t iterations = ceil_divide(samples_left(options, total, position), step);
  TrainLength length{.total_samples = total, .total_rounds = position.round};
  for (std::int64_t left = iterations; left > 0;) {
    const std::int64_t each = local_iterations(options, total, left * step);
    const std::int64_t rounds = rounds_alike(options, total, left, step, each);
    length.total_rounds += rounds;
    left -= std::min(left, rounds * each);
  }
  return length;
}

std::int64_t round_iterations(const TrainOptions& options, int workers, const TrainLength& length,
                              const TrainPosition& position) {
  const std::int64_t step = samples_per_iteration(options, workers);
  const std::int64_t left = ceil_divide(samples_left(options, length.total_samples, position), step);
  return std::min(left, local_iterations(options, length.total_samples, left * step));
}

double mean_round_iterations(const TrainOptions& options, int workers, std::int64_t dataset_size) {
  if (!rounds_lengthen(options)) {
    return options.local_iterations;
  }
  const TrainLength length = train_length(options, workers, dataset_size, {});
  const std::int64_t iterations = ceil_divide(length.total_samples, samples_per_iteration(options, workers));
  return static_cast<double>(iterations) / static_cast<double>(std::max<std::int64_t>(1, length.total_rounds));
}

double share_done(const TrainLength& length, const TrainPosition& position) {
  const auto total = static_cast<double>(std::max<std::int64_t>(1, length.total_samples));
  return std::clamp(static_cast<double>(position.samples) / total, 0.0, 1.0);
}

Config config_at(const Config& config, double share_done) {
  Config now = config;
  if (const auto last = std::exchange(now.partition.final_min_blocks, std::nullopt)) {
    const int first = first_min_blocks(config.partition);
    now.partition.min_blocks = std::min(*last, first + static_cast<int>(share_done * (*last - first + 1)));
  }
  return now;
}

int iterations_under_way(const Config& config) {
  constexpr int kPart = 5;  // of a round; what it costs in accuracy grows with it (docs/algorithm.md)
  return config.sync.overlap_iterations.value_or((config.train.local_iterations + kPart - 1) / kPart);
}

bool evaluation_due(const EvaluationOptions& options, std::int64_t round, std::int64_t total_rounds) {
  return round == total_rounds || (options.eval_every > 0 && round % options.eval_every == 0);
}

bool checkpoint_due(const RunOptions& options, std::int64_t round) {
  return options.checkpoint_every > 0 && round % options.checkpoint_every == 0;
}

bool agreement_due(const Config& config, std::int64_t round, std::int64_t total_rounds) {
  return evaluation_due(config.evaluation, round, total_rounds) || checkpoint_due(config.run, round);
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
  double factor =
      schedule_factor(options.schedule, static_cast<double>(samples) / static_cast<double>(length.total_samples));
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
