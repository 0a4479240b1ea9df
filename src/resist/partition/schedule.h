#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "resist/config/config.h"

namespace resist {

// How far training has come. Everything is counted in samples of all workers together, so that another number of
// workers can go on.
struct TrainPosition {
  std::int64_t round = 0;      // committed rounds
  std::int64_t iteration = 0;  // local iterations each worker has taken
  std::int64_t samples = 0;
  // What the workers' streams have yet to serve (data/stream.h: Unserved).
  std::int64_t stream_position = 0;
  std::vector<std::int64_t> returned_batches = {};
};

// For sending it to another worker, and what that one makes of it.
std::vector<std::int64_t> to_numbers(const TrainPosition& position);
TrainPosition position_from_numbers(std::span<const std::int64_t> numbers);

// How long training lasts, from `position` on: until `epochs` passes over the data, or `rounds` rounds. Batches
// that came back and belong to these passes are waited for.
struct TrainLength {
  std::int64_t total_samples = 0;
  std::int64_t total_rounds = 0;
};

// The first of them alone, whatever the rounds are.
std::int64_t total_samples(const TrainOptions& options, int workers, std::int64_t dataset_size,
                           const TrainPosition& position);

TrainLength train_length(const TrainOptions& options, int workers, std::int64_t dataset_size,
                         const TrainPosition& position);

// Local iterations of the round that starts at `position`: l, or what is left. With max_local_iterations l grows with
// the inverse square of what the schedule makes of the learning rate ("a quadratic synchronization rule", Gu et al.,
// ICLR 2024, arXiv 2310.14423).
std::int64_t round_iterations(const TrainOptions& options, int workers, const TrainLength& length,
                              const TrainPosition& position);

// The local iterations of a round on average over the whole length.
double mean_round_iterations(const TrainOptions& options, int workers, std::int64_t dataset_size);

// Share of the training that lies before `position`, in [0, 1].
double share_done(const TrainLength& length, const TrainPosition& position);

// The options in force where that share is done: min_blocks is what it has grown to, every depth lasts as long.
Config config_at(const Config& config, double share_done);

// Local iterations for which an average that is overlapped travels: then it lands, in every round alike.
int iterations_under_way(const Config& config);

// Whether an evaluation follows round `round`, counted from 1, of so many; whether a checkpoint does.
bool evaluation_due(const EvaluationOptions& options, std::int64_t round, std::int64_t total_rounds);
bool checkpoint_due(const RunOptions& options, std::int64_t round);
// Whether all workers have to hold the same then, for either of them. Such a round is synchronised in full, whatever
// --overlap and --last-section-every say.
bool agreement_due(const Config& config, std::int64_t round, std::int64_t total_rounds);

// Whether the round that starts at `position` is one of local SGD: in the warm-up, or in the last epochs.
bool at_full_depth(const TrainOptions& options, std::int64_t dataset_size, const TrainLength& length,
                   const TrainPosition& position);

// Epochs of either.
double epochs_at_full_depth(const TrainOptions& options);

// The learning rate of the iteration before which all workers have trained on `samples`: the schedule over the whole
// length, times a linear rise over the first lr_warmup_epochs, or the first twentieth. `step`: / 10 after 50 % and
// again after 75 %.
double learning_rate(const TrainOptions& options, int workers, std::int64_t dataset_size, const TrainLength& length,
                     std::int64_t samples);

}  // namespace resist
