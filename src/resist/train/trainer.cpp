#include "resist/train/trainer.h"

#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <utility>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/core/heap.h"
#include "resist/telemetry/memory.h"
#include "resist/train/sgd.h"
#include "resist/train/travelling_blocks.h"

namespace resist {

// Trivially copyable: workers exchange it before each synchronisation.
struct Trainer::LocalRound {
  double loss = 0;  // mean over the iterations
  double seconds_compute = 0;
  double seconds_sync = 0;  // averaging gradients, where the method does; waiting for an average to land
  double learning_rate = 0;
  std::int64_t iterations = 0;
  Payload payload;                  // gradients, and with --overlap the average that landed
  std::int64_t bad_iteration = -1;  // first at which something is not finite; -1: all is
  bool bad_loss = false;            // it was the loss, otherwise a parameter after the round's last iteration
  char bad_parameter[64] = {};      // name of the first parameter that is not finite
  int stop_signal = 0;
  bool finite() const { return bad_iteration < 0; }
};

// Exchanged after the commit, for the round's record.
struct Trainer::Synced {
  double seconds_wait = 0;
  double seconds_sync = 0;
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  std::int64_t peak_memory_bytes = 0;
};

namespace {

constexpr std::int64_t kSgdGrain = 1 << 16;  // elements worth a thread

BatchSchedule batch_schedule(const Config& config, const Communicator& communicator) {
  return {.mode = config.data.data_mode,
          .worker = communicator.rank(),
          .workers = communicator.size(),
          .batch_size = config.train.batch_size};
}

// The field of every worker's report.
template <typename Report, typename Field>
std::vector<Field> column(const std::vector<Report>& reports, Field Report::*field) {
  std::vector<Field> values;
  values.reserve(reports.size());
  for (const Report& report : reports) {
    values.push_back(report.*field);
  }
  return values;
}

template <typename T>
T largest(const std::vector<T>& values) {
  return *std::ranges::max_element(values);
}

template <typename T>
T sum(const std::vector<T>& values) {
  return std::accumulate(values.begin(), values.end(), T{});
}

}  // namespace

Trainer::Trainer(const TrainingSetup& setup, Communicator& communicator, TrainPosition position,
                 const std::atomic<int>& stop)
    : setup_(setup),
      communicator_(communicator),
      stop_(stop),
      method_(make_method(setup.config, setup.decks, communicator.size())),
      position_(position),
      length_(train_length(setup.config.train, communicator.size(), setup.data.train->size(), position)),
      parameters_(std::make_unique<WorkerParameters>(setup.spec, setup.layout, placement_at(position),
                                                     communicator.rank(), setup.config.train.seed)),
      sync_(std::make_unique<RoundSync>(setup, communicator, *parameters_)),
      trained_in_warmup_(in_warmup(setup.config.train, setup.data.train->size(), position)),
      loader_(setup.data.train, setup.data.info, make_augmentation(setup.config.data, setup.data.info),
              batch_schedule(setup.config, communicator), setup.config.train.seed, position.stream_position,
              loader_threads(setup)),
      test_batches_(test_batches(setup, setup.data.evaluation())) {
}

Trainer::~Trainer() = default;

Placement Trainer::placement_at(const TrainPosition& position) const {
  const bool warmup = in_warmup(setup_.config.train, setup_.data.train->size(), position);
  return make_placement(setup_.layout, *method_, position.round, warmup);
}

std::vector<double> Trainer::block_scale() const {
  return method_->block_scale(trained_in_warmup_);
}

TrainingResult Trainer::run(TrainingObserver& observer) {
  sync_->agree();
  while (position_.round < length_.total_rounds) {
    observer.round_starts(*this);
    trained_in_warmup_ = in_warmup(setup_.config.train, setup_.data.train->size(), position_);
    LocalRound local = run_local_iterations(observer);
    check_finite(local);

    const Stopwatch ready;
    const auto locals = all_gather_value(communicator_, local, kControlTag);
    const double seconds_wait = ready.seconds();
    for (int worker = 0; worker < communicator_.size(); ++worker) {
      const LocalRound& report = locals[worker];
      if (!report.finite()) {
        return {.position = position_,
                .non_finite = NonFinite{.worker = worker,
                                        .round = position_.round + 1,
                                        .iteration = report.bad_iteration,
                                        .in_loss = report.bad_loss,
                                        .parameter = report.bad_parameter}};
      }
    }

    TrainPosition after = position_;
    ++after.round;
    after.iteration += local.iterations;
    after.samples += local.iterations * setup_.config.train.batch_size * communicator_.size();
    after.stream_position += local.iterations * batch_schedule(setup_.config, communicator_).stride();
    const auto stop_signals = column(locals, &LocalRound::stop_signal);
    const int stop_signal = largest(stop_signals);
    const bool complete = after.round == length_.total_rounds;
    const bool last = complete || stop_signal != 0;
    Synced own = synchronise_round(after, last || evaluation_due(after) || observer.needs_agreement(after.round));
    own.seconds_wait = seconds_wait;
    own.seconds_sync += local.seconds_sync;
    own.bytes_sent += local.payload.sent;
    own.bytes_received += local.payload.received;
    const auto synced = all_gather_value(communicator_, own, kControlTag);

    RoundRecord record{.round = position_.round,
                       .epoch = static_cast<double>(position_.samples) / static_cast<double>(setup_.data.train->size()),
                       .loss = sum(column(locals, &LocalRound::loss)) / communicator_.size(),
                       .learning_rate = local.learning_rate,
                       .samples = position_.samples,
                       .seconds_compute = largest(column(locals, &LocalRound::seconds_compute)),
                       .seconds_sync = largest(column(synced, &Synced::seconds_sync)),
                       .seconds_wait = largest(column(synced, &Synced::seconds_wait)),
                       .bytes_sent = sum(column(synced, &Synced::bytes_sent)),
                       .bytes_received = sum(column(synced, &Synced::bytes_received)),
                       .peak_memory_bytes = largest(column(synced, &Synced::peak_memory_bytes)),
                       .worker_loss = column(locals, &LocalRound::loss),
                       .worker_seconds_compute = column(locals, &LocalRound::seconds_compute),
                       .worker_seconds_sync = column(synced, &Synced::seconds_sync),
                       .worker_seconds_wait = column(synced, &Synced::seconds_wait),
                       .worker_bytes_sent = column(synced, &Synced::bytes_sent),
                       .worker_bytes_received = column(synced, &Synced::bytes_received),
                       .worker_peak_memory_bytes = column(synced, &Synced::peak_memory_bytes)};
    std::exception_ptr failure;
    if (evaluation_due(position_)) {
      try {
        evaluate_into(record);
      } catch (const InputError&) {  // a test picture; all workers throw here
        failure = std::current_exception();
      } catch (const PeerFailed&) {
        failure = std::current_exception();
      }
    }
    observer.round_committed(*this, record, last || failure != nullptr);
    if (failure) {
      std::rethrow_exception(failure);
    }
    if (stop_signal != 0 && !complete) {
      return {.position = position_, .stop_signal = stop_signal};
    }
  }
  return {.position = position_};
}

Trainer::LocalRound Trainer::run_local_iterations(TrainingObserver& observer) {
  const TrainOptions& options = setup_.config.train;
  LocalRound local;
  local.iterations = round_iterations(options, communicator_.size(), length_, position_);
  if (momentum_sync(setup_.config) == MomentumSync::reset) {
    std::fill_n(parameters_->momentum(), parameters_->placement().arena.size(), 0.0F);
  }
  sync_->set_out();
  Stopwatch watch;
  for (std::int64_t i = 0; i < local.iterations; ++i) {
    const Batch& batch = loader_.next();
    const std::int64_t samples = position_.samples + i * options.batch_size * communicator_.size();
    local.learning_rate = learning_rate(options, communicator_.size(), setup_.data.train->size(), length_, samples);
    observer.batch_used(*this, batch, local.learning_rate);
    const at::Tensor loss_tensor = forward(batch);
    const auto loss = loss_tensor.item<double>();
    local.loss += loss / static_cast<double>(local.iterations);
    if (!std::isfinite(loss) && local.finite()) {
      local.bad_iteration = position_.iteration + i + 1;
      local.bad_loss = true;
      if (!method_->averages_gradients()) {
        break;  // nothing that follows can be kept; the others learn of it at the round's end
      }
    }
    const auto step = [&](const WorkerParameters::Place& place, const float* gradient) {
      step_parameter(place, gradient, local.learning_rate);
    };
    if (method_->averages_gradients()) {
      const std::span<float> gradients = parameters_->gradients();
      parameters_->backward(loss_tensor, [&](const WorkerParameters::Place& place, const float* gradient) {
        std::copy_n(gradient, place.size, gradients.data() + place.offset);
      });
      local.seconds_compute += watch.lap();
      local.payload += mean_in_place(communicator_, gradients, round_tag(position_.round));
      local.seconds_sync += watch.lap();
      for (const WorkerParameters::Place& place : parameters_->places()) {
        step(place, gradients.data() + place.offset);
      }
    } else {
      parameters_->backward(loss_tensor, step);
    }
  }
  local.seconds_compute += watch.lap();
  local.payload += sync_->land();
  local.seconds_sync += watch.lap();
  local.stop_signal = stop_.load();
  return local;
}

void Trainer::step_parameter(const WorkerParameters::Place& place, const float* gradient, double rate) {
  const TrainOptions& options = setup_.config.train;
  const bool decays = place.weight || options.decay_norms;
  const SgdOptions sgd{.lr = static_cast<float>(rate),
                       .momentum = static_cast<float>(options.momentum),
                       .weight_decay = decays ? static_cast<float>(options.weight_decay) : 0.0F,
                       .nesterov = options.nesterov};
  float* momentum = parameters_->momentum() + place.offset;
  float* values = parameters_->values() + place.offset;
  at::parallel_for(0, place.size, kSgdGrain, [&](std::int64_t begin, std::int64_t end) {
    sgd_step(sgd, end - begin, gradient + begin, momentum + begin, values + begin);
  });
}

at::Tensor Trainer::forward(const Batch& batch) {
  const NetworkSpec& spec = setup_.spec;
  // from_blob takes mutable memory; the network only reads it.
  const at::Tensor images = at::from_blob(const_cast<float*>(batch.pixels.data()),
                                          {batch.size(), spec.channels, spec.height, spec.image_width}, at::kFloat);
  const at::Tensor labels = at::from_blob(const_cast<std::int64_t*>(batch.labels.data()), {batch.size()}, at::kLong);
  constexpr std::int64_t kIgnoreNone = -100;  // no label is negative
  return at::cross_entropy_loss(parameters_->network().forward(images), labels, {}, at::Reduction::Mean, kIgnoreNone,
                                setup_.config.train.label_smoothing);
}

void Trainer::check_finite(LocalRound& local) {
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

Trainer::Synced Trainer::synchronise_round(const TrainPosition& after, bool in_full) {
  Synced synced;
  if (!method_->averages_gradients()) {
    const Stopwatch watch;
    give_back_freed_memory();
    const Payload payload = sync_->synchronise(placement_at(after), position_.round, in_full);
    synced.seconds_sync = watch.seconds();
    synced.bytes_sent = payload.sent;
    synced.bytes_received = payload.received;
  }
  position_ = after;
  synced.peak_memory_bytes = peak_memory_bytes();
  return synced;
}

bool Trainer::evaluation_due(const TrainPosition& position) const {
  const int every = setup_.config.evaluation.eval_every;
  return position.round == length_.total_rounds || (every > 0 && position.round % every == 0);
}

GlobalNetwork Trainer::global_network() {
  Network network(setup_.spec, setup_.layout);
  network.bind_shared(
      {.values = at::from_blob(parameters_->values(), {parameters_->placement().arena.size()}, at::kFloat)});
  return {communicator_, std::move(network), std::make_unique<TravellingBlocks>(communicator_, *parameters_), setup_,
          block_scale()};
}

void Trainer::evaluate_into(RoundRecord& record) {
  const Stopwatch watch;
  GlobalNetwork network = global_network();
  const EvaluationResult result = network.evaluate(test_batches_.front().batches);
  record.accuracy = result.top1;
  record.top5_accuracy = result.top5;
  record.test_loss = result.loss;
  record.eval_batch_size = setup_.config.evaluation.eval_batch_size;
  record.eval_permutation_seed = EvaluationBatches::kPermutationSeed;
  for (const TestBatches& further : std::span(test_batches_).subspan(1)) {
    const EvaluationResult on = network.evaluate(further.batches);
    record.further.push_back({.name = further.name,
                              .samples = on.samples,
                              .accuracy = on.top1,
                              .top5_accuracy = on.top5,
                              .test_loss = on.loss});
  }
  record.seconds_evaluation = watch.seconds();
}

}  // namespace resist
