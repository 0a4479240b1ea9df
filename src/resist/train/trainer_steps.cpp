#include <algorithm>
#include <cmath>
#include <exception>
#include <iterator>

#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/random.h"
#include "resist/train/standing.h"
#include "resist/train/trainer.h"

// The trainer's part between two synchronisations: a round's local iterations.

namespace resist {

void Trainer::run_local_iterations(TrainingObserver& observer) {
  const TrainOptions& options = setup_.config.train;
  LocalRound& local = *local_;
  const std::int64_t iterations = round_iterations(options, communicator_->size(), length_, position_);
  if (momentum_sync(setup_.config) == MomentumSync::reset) {
    for (const WorkerParameters::Run& run : parameters_->runs()) {
      std::fill_n(parameters_->momentum() + run.offset, run.size, 0.0F);
    }
  }
  for (std::size_t deck = 0; deck < setup_.layout.decks.size(); ++deck) {
    const Deck& dealt = setup_.layout.decks[deck];
    local.blocks[deck] = static_cast<int>(std::ranges::count_if(parameters_->held(), [&](int block) {
      return block >= dealt.first_block && block < dealt.first_block + dealt.count;
    }));
  }
  const int lands_after = iterations_under_way(setup_.config);
  std::exception_ptr lost;
  step_->take();
  sync_->set_out();
  Stopwatch watch;
  while (local.iterations < iterations && run_iteration(observer, watch)) {
    if (local.iterations == lands_after && sync_->under_way()) {
      try {
        land(watch);
        step_->take();
      } catch (const CommError& error) {
        // The iterations are finished all the same, but nobody need wait for this worker meanwhile.
        lost = std::current_exception();
        call_next_generation(error);
      }
    }
  }
  if (lost) {
    std::rethrow_exception(lost);
  }
  land(watch);
}

bool Trainer::run_iteration(TrainingObserver& observer, Stopwatch& watch) {
  const TrainOptions& options = setup_.config.train;
  LocalRound& local = *local_;
  if (membership_ != nullptr) {
    membership_->passes(position_.round, local.iterations);
  }
  const Batch& batch = loader_->next();
  const std::int64_t samples = position_.samples + local.iterations * options.batch_size * communicator_->size();
  local.learning_rate = learning_rate(options, communicator_->size(), setup_.data.train->size(), length_, samples);
  observer.batch_used(*this, batch, local.learning_rate);
  const double loss = step_->forward(batch, passed_by());
  if (!std::isfinite(loss) && local.finite()) {
    local.bad_iteration = position_.iteration + local.iterations + 1;
    local.bad_loss = true;
    if (!method_->averages_gradients()) {
      return false;  // nothing that follows can be kept; the others learn of it at the round's end
    }
  }
  if (method_->averages_gradients()) {
    const std::span<float> gradients = step_->gradients();
    local.seconds_compute += watch.lap();
    local.payload += mean_in_place(*communicator_, gradients, round_tag(position_.round));
    local.seconds_sync += watch.lap();
    step_->step_by_gradients(local.learning_rate);
  } else {
    step_->step(local.learning_rate);
  }
  local.loss += loss;
  ++local.iterations;
  if (local.iterations == 1) {
    note("training");
  }
  return true;
}

void Trainer::land(Stopwatch& watch) {
  step_->give();
  local_->seconds_compute += watch.lap();
  local_->payload += sync_->land();
  local_->seconds_sync += watch.lap();
}

std::vector<int> Trainer::passed_by() const {
  const double probability = setup_.config.train.stochastic_depth;
  if (probability == 0) {
    return {};
  }
  RandomStream random(setup_.config.train.seed, RandomPurpose::stochastic_depth,
                      {.stream = static_cast<std::uint32_t>(identity_),
                       .epoch = static_cast<std::uint32_t>(position_.round),
                       .position = static_cast<std::uint32_t>(local_->iterations)});
  std::vector<int> passed;
  std::ranges::copy_if(parameters_->held(), std::back_inserter(passed),
                       [&](int /*block*/) { return random.uniform() < probability; });
  return passed;
}

void Trainer::check_finite() {
  LocalRound& local = *local_;
  for (const auto& run : parameters_->runs()) {
    const float* values = parameters_->values() + run.offset;
    const auto* bad = std::find_if_not(values, values + run.size, [](float value) { return std::isfinite(value); });
    if (bad != values + run.size) {
      const std::string name = parameters_->parameter_at(run.offset + (bad - values));
      name.copy(local.bad_parameter, sizeof local.bad_parameter - 1);
      if (local.finite()) {
        local.bad_iteration = position_.iteration + local.iterations;
      }
      return;
    }
  }
}

}  // namespace resist
