#include "resist/plan/forecast.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "resist/checkpoint/parts.h"
#include "resist/model/activations.h"
#include "resist/model/operations.h"
#include "resist/partition/balance.h"
#include "resist/partition/schedule.h"
#include "resist/partition/training_method.h"
#include "resist/plan/round_exchanges.h"
#include "resist/sync/block_visits.h"
#include "resist/sync/sync_plan.h"

namespace resist {
namespace {

constexpr std::int64_t kPlannedRounds = 10;  // with dealing, what moves differs from round to round
constexpr double kBitsPerByte = 8;
constexpr double kBitsPerFloat = 32;

// How many of the numbers from 1 to `last` are multiples of some of these.
std::int64_t count_multiples(std::int64_t last, std::vector<std::int64_t> periods) {
  if (periods.empty()) {
    return 0;
  }
  const std::int64_t period = periods.back();
  periods.pop_back();
  const std::int64_t of_others = count_multiples(last, periods);
  for (std::int64_t& other : periods) {
    const std::int64_t times = other / std::gcd(other, period);
    other = times > last / period ? last + 1 : times * period;  // the least common multiple, where it matters
  }
  return last / period + of_others - count_multiples(last, periods);
}

// One exchange of a round, as far as its time goes.
struct PlannedExchange {
  std::vector<TransferStep> steps;
  double times;
  bool hidden;                     // behind the next round's local steps
  std::int64_t busiest_bytes = 0;  // sent and received, of the worker that has most
  std::int64_t sent_bytes = 0;     // all workers
};

PlannedExchange planned(const RoundExchange& exchange) {
  PlannedExchange result{
      .steps = transfer_steps(exchange.plan), .times = static_cast<double>(exchange.times), .hidden = exchange.hidden};
  for (const Traffic& traffic : plan_traffic(exchange.plan)) {
    const std::int64_t sent = std::accumulate(traffic.sent.begin(), traffic.sent.end(), std::int64_t{0});
    const std::int64_t received = std::accumulate(traffic.received.begin(), traffic.received.end(), std::int64_t{0});
    result.busiest_bytes = std::max(result.busiest_bytes, sent + received);
    result.sent_bytes += sent;
  }
  return result;
}

struct PlannedRound {
  std::vector<std::int64_t> operations;  // of one sample's forward pass, per worker
  std::vector<PlannedExchange> exchanges;
};

// Rounds of which a forecast takes the mean. Some are synchronised in full; where the others are too, they stand for
// all.
struct PlannedRounds {
  std::vector<PlannedRound> in_full;
  std::vector<PlannedRound> others;
};

}  // namespace

double Forecast::seconds() const {
  return static_cast<double>(rounds) * round.seconds() + static_cast<double>(warmup_rounds) * warmup_round.seconds() +
         static_cast<double>(evaluations) * evaluation_seconds + static_cast<double>(checkpoints) * checkpoint_seconds +
         calibration_seconds;
}

double Forecast::bytes() const {
  return static_cast<double>(rounds) * round.bytes + static_cast<double>(warmup_rounds) * warmup_round.bytes;
}

double Forecast::operations() const {
  return static_cast<double>(rounds) * round.operations + static_cast<double>(warmup_rounds) * warmup_round.operations;
}

struct Forecaster::Impl {
  Impl(const Config& run_config, const NetworkSpec& network, const Layout& network_layout, int worker_count,
       const Hands& dealt)
      : config(run_config),
        spec(network),
        layout(network_layout),
        workers(worker_count),
        hands(dealt),
        method(make_method(config_at(config, 0), deck_sizes(layout), workers, hands)) {
    const bool deals = config.train.method == Method::resist;
    rounds = plan_rounds(deals ? kPlannedRounds : 1, /*in_warmup=*/false);
    if (deals && epochs_at_full_depth(config.train) > 0) {
      warmup = plan_rounds(1, /*in_warmup=*/true);
    }
  }

  PlannedRounds plan_rounds(std::int64_t count, bool in_warmup) const;
  PlannedRound plan_round(std::int64_t round, bool in_full, bool in_warmup) const;
  // Of all rounds, the share that is synchronised in full: before an agreement (agreement_due()), or with the last
  // section's turn.
  double share_in_full(std::int64_t training_samples) const;
  // `iterations`: of a round, on average.
  RoundForecast mean(const PlannedRounds& planned_rounds, double iterations, const Circumstances& with) const;
  RoundForecast one(const PlannedRound& round, double iterations, const Circumstances& with) const;
  double full_pass_seconds(std::int64_t samples, const Circumstances& with) const;
  double checkpoint_seconds(const Circumstances& with) const;
  double visits_seconds(const Assignment& assignment, const std::function<double(int)>& compute_seconds,
                        const Circumstances& with) const;
  void count_rounds(std::int64_t training_samples, double iterations, Forecast& forecast) const;

  const Config& config;
  const NetworkSpec& spec;
  const Layout& layout;
  int workers;
  Hands hands;
  std::unique_ptr<TrainingMethod> method;
  PlannedRounds rounds;
  PlannedRounds warmup;  // none, where there is no warm-up
};

PlannedRounds Forecaster::Impl::plan_rounds(std::int64_t count, bool in_warmup) const {
  PlannedRounds planned_rounds;
  for (std::int64_t round = 0; round < count; ++round) {
    planned_rounds.in_full.push_back(plan_round(round, /*in_full=*/true, in_warmup));
    if (!shared_always_agree(config.sync)) {
      planned_rounds.others.push_back(plan_round(round, /*in_full=*/false, in_warmup));
    }
  }
  return planned_rounds;
}

PlannedRound Forecaster::Impl::plan_round(std::int64_t round, bool in_full, bool in_warmup) const {
  PlannedRound result;
  const Config now = config_at(config, (static_cast<double>(round) + 0.5) / static_cast<double>(kPlannedRounds));
  const Assignment assignment = make_method(now, deck_sizes(layout), workers, hands)->assignment(round, in_warmup);
  for (int worker = 0; worker < workers; ++worker) {
    result.operations.push_back(forward_operations(spec, layout, assignment.held(worker)));
  }
  for (const RoundExchange& exchange : round_exchanges(now, layout, workers, round, in_full, in_warmup, hands)) {
    result.exchanges.push_back(planned(exchange));
  }
  return result;
}

RoundForecast Forecaster::Impl::one(const PlannedRound& round, double iterations, const Circumstances& with) const {
  RoundForecast forecast;
  const double samples = iterations * config.train.batch_size;
  double slowest_handling = 0;
  for (int worker = 0; worker < workers; ++worker) {
    const double operations = samples * kTrainingFactor * static_cast<double>(round.operations[worker]);
    forecast.operations += operations;
    forecast.compute_seconds = std::max(forecast.compute_seconds, operations / with.speeds[worker].training);
    slowest_handling = std::max(slowest_handling, with.speeds[worker].handling);
  }
  double hidden = 0;
  for (const PlannedExchange& exchange : round.exchanges) {
    const double seconds = exchange.times * (exchange_seconds(exchange.steps, with.links) +
                                             static_cast<double>(exchange.busiest_bytes) * slowest_handling);
    (exchange.hidden ? hidden : forecast.sync_seconds) += seconds;
    forecast.bytes += exchange.times * static_cast<double>(exchange.sent_bytes);
  }
  const double hides = forecast.compute_seconds * iterations_under_way(config) / iterations;
  forecast.sync_seconds += std::max(0.0, hidden - hides);
  if (workers > 1) {
    forecast.sync_seconds += 2 * gather_seconds(with.links) + barrier_seconds(with.links);
  }
  return forecast;
}

RoundForecast Forecaster::Impl::mean(const PlannedRounds& planned_rounds, double iterations,
                                     const Circumstances& with) const {
  RoundForecast sum;
  const auto add = [&](const std::vector<PlannedRound>& some, double share) {
    for (const PlannedRound& planned_round : some) {
      const double weight = share / static_cast<double>(some.size());
      const RoundForecast round = one(planned_round, iterations, with);
      sum.operations += round.operations * weight;
      sum.bytes += round.bytes * weight;
      sum.compute_seconds += round.compute_seconds * weight;
      sum.sync_seconds += round.sync_seconds * weight;
    }
  };
  const double in_full = planned_rounds.others.empty() ? 1.0 : share_in_full(with.training_samples);
  add(planned_rounds.in_full, in_full);
  add(planned_rounds.others, 1.0 - in_full);
  return sum;
}

double Forecaster::Impl::share_in_full(std::int64_t training_samples) const {
  const std::int64_t total = train_length(config.train, workers, training_samples, {}).total_rounds;
  std::vector<std::int64_t> periods = {total};  // the last one
  for (const std::int64_t every : {config.evaluation.eval_every, config.run.checkpoint_every,
                                   config.sync.overlap ? 0 : config.sync.last_section_every}) {
    if (every > 0) {
      periods.push_back(every);
    }
  }
  return total == 0 ? 1.0 : static_cast<double>(count_multiples(total, periods)) / static_cast<double>(total);
}

// All samples once through the whole network, as FullPass does it: each worker has its share of the batches, and blocks
// that are dealt visit everybody, some ahead of their use, once for each super-batch.
double Forecaster::Impl::full_pass_seconds(std::int64_t samples, const Circumstances& with) const {
  if (samples < 1) {
    return 0;
  }
  const std::int64_t batches = (samples + config.evaluation.eval_batch_size - 1) / config.evaluation.eval_batch_size;
  const double batch = static_cast<double>(samples) / static_cast<double>(batches);
  const std::int64_t share = (batches + workers - 1) / workers;
  const std::int64_t super_batch =
      evaluation_super_batch(spec, layout, config.train.batch_size, static_cast<std::int64_t>(std::ceil(batch)));
  const double slowest = std::ranges::min(with.speeds, {}, &WorkerSpeed::evaluation).evaluation;
  const auto outside = static_cast<double>(forward_operations(spec, layout, {}));
  double seconds = static_cast<double>(share) * batch * outside / slowest;
  std::vector<double> operations;
  operations.reserve(layout.blocks.size());
  for (int block = 0; block < static_cast<int>(layout.blocks.size()); ++block) {
    operations.push_back(static_cast<double>(forward_operations(spec, layout, {block})) - outside);
  }
  const Assignment assignment = method->assignment(0, false);
  for (std::int64_t first = 0; first < share; first += super_batch) {
    const double visited = static_cast<double>(std::min(super_batch, share - first)) * batch;
    seconds += visits_seconds(
        assignment, [&](int block) { return visited * operations[block] / slowest; }, with);
  }
  return seconds;
}

// All blocks' visits and what is computed with each. A worker sends one after another what it has to send, and takes in
// what all others send it, block by block.
double Forecaster::Impl::visits_seconds(const Assignment& assignment, const std::function<double(int)>& compute_seconds,
                                        const Circumstances& with) const {
  const std::vector<int> senders = visit_senders(layout, assignment);
  const auto ahead = static_cast<std::size_t>(visits_under_way(workers));
  std::vector<double> sent(static_cast<std::size_t>(workers));
  std::vector<double> received(static_cast<std::size_t>(workers));
  std::vector<double> used;  // when everybody is through with a block
  for (std::size_t block = 0; block < senders.size(); ++block) {
    const std::vector<int>& holders = assignment.holders(static_cast<int>(block));
    const double bits = static_cast<double>(layout.blocks[block].size) * kBitsPerFloat * kFraming;
    const double begin = block < ahead ? 0.0 : used[block - ahead];
    double& out = sent[senders[block]];
    out = std::max(out, begin) + static_cast<double>(workers - static_cast<int>(holders.size())) * bits /
                                     with.links[static_cast<std::size_t>(senders[block])].bandwidth;
    double here = out;
    for (int worker = 0; worker < workers; ++worker) {
      if (!std::ranges::binary_search(holders, worker)) {
        received[worker] = std::max(out, std::max(received[worker], begin) + bits / with.links[worker].bandwidth);
        here = std::max(here, received[worker]);
      }
    }
    used.push_back(std::max(here, used.empty() ? 0.0 : used.back()) + compute_seconds(static_cast<int>(block)));
  }
  return used.empty() ? 0.0 : used.back();
}

// One worker after another sends to worker 0.
double Forecaster::Impl::checkpoint_seconds(const Circumstances& with) const {
  const auto bytes = checkpoint_bytes(config, layout, method->assignment(0, false));
  double seconds = 0;
  for (std::size_t worker = 1; worker < bytes.size(); ++worker) {
    const double bandwidth = std::min(with.links[worker].bandwidth, with.links[0].bandwidth);
    const auto sent = static_cast<double>(bytes[worker]);
    seconds += sent * kBitsPerByte * kFraming / bandwidth + sent * with.speeds[0].handling;
  }
  return seconds;
}

void Forecaster::Impl::count_rounds(std::int64_t training_samples, double iterations, Forecast& forecast) const {
  const TrainLength length = train_length(config.train, workers, training_samples, {});
  const double samples_per_round = iterations * config.train.batch_size * workers;
  if (!warmup.in_full.empty()) {
    const double warmup_samples = epochs_at_full_depth(config.train) * static_cast<double>(training_samples);
    forecast.warmup_rounds =
        std::min(length.total_rounds, static_cast<std::int64_t>(std::ceil(warmup_samples / samples_per_round)));
  }
  forecast.rounds = length.total_rounds - forecast.warmup_rounds;
  const auto times = [&](std::int64_t every) {
    return every == 0 ? 1 : (length.total_rounds + every - 1) / every;  // the last round's included
  };
  forecast.evaluations = times(config.evaluation.eval_every);
  forecast.checkpoints = times(config.run.checkpoint_every);
}

Hands hands_for(const Config& config, const NetworkSpec& spec, const Layout& layout,
                const std::vector<WorkerSpeed>& speeds) {
  const auto balance = make_balance(config.partition, deck_sizes(layout), subnetwork_cost(spec, layout));
  if (!balance || config.train.method != Method::resist) {
    return {};
  }
  std::vector<Pace> paces(speeds.size());
  for (std::size_t worker = 0; worker < speeds.size(); ++worker) {
    for (int round = 0; round < Pace::kRounds; ++round) {
      paces[worker].add(1 / speeds[worker].training);
    }
  }
  return balance->next_hands(/*generation=*/0, /*round=*/0, paces, /*now=*/{});
}

Forecaster::Forecaster(const Config& config, const NetworkSpec& spec, const Layout& layout, int workers,
                       const Hands& hands)
    : impl_(std::make_unique<Impl>(config, spec, layout, workers, hands)) {
}

Forecaster::~Forecaster() = default;
Forecaster::Forecaster(Forecaster&&) noexcept = default;

Forecast Forecaster::forecast(const Circumstances& circumstances) const {
  Forecast forecast;
  const double iterations = mean_round_iterations(impl_->config.train, impl_->workers, circumstances.training_samples);
  impl_->count_rounds(circumstances.training_samples, iterations, forecast);
  forecast.round = impl_->mean(impl_->rounds, iterations, circumstances);
  if (!impl_->warmup.in_full.empty()) {
    forecast.warmup_round = impl_->mean(impl_->warmup, iterations, circumstances);
  }
  forecast.evaluation_seconds = impl_->full_pass_seconds(circumstances.evaluation_samples, circumstances);
  forecast.checkpoint_seconds = impl_->checkpoint_seconds(circumstances);
  const std::int64_t calibrated = std::min(impl_->config.evaluation.calibrate_samples, circumstances.training_samples);
  forecast.calibration_seconds = impl_->full_pass_seconds(calibrated, circumstances);
  return forecast;
}

double Forecaster::balanced_bandwidth(const Circumstances& circumstances) const {
  const double iterations = mean_round_iterations(impl_->config.train, impl_->workers, circumstances.training_samples);
  const auto is_bottleneck = [&](double bandwidth) {
    Circumstances changed = circumstances;
    for (Link& link : changed.links) {
      link.bandwidth = bandwidth;
    }
    const RoundForecast round = impl_->mean(impl_->rounds, iterations, changed);
    return round.sync_seconds > round.compute_seconds;
  };
  double slow = 1e3;
  double fast = 1e15;
  if (is_bottleneck(fast)) {
    return std::numeric_limits<double>::infinity();
  }
  while (fast > 1.001 * slow) {
    const double middle = std::sqrt(slow * fast);
    (is_bottleneck(middle) ? slow : fast) = middle;
  }
  return fast;
}

}  // namespace resist
