#include "resist/train/trainer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/core/failpoint.h"
#include "resist/model/operations.h"
#include "resist/telemetry/memory.h"
#include "resist/train/standing.h"

namespace resist {

struct Trainer::Staged {
  TrainPosition after;
  CommitRecord record;
  std::vector<double> block_scale;
  std::vector<double> next_scale;  // of the round that follows
  BalanceState balance;
  Pace pace;               // this worker's
  bool parameters = true;  // they are staged as well; otherwise they are in place
  Report report;           // of the round that ends with it
  bool complete = false;   // all of it is there
};

namespace {

BatchSchedule batch_schedule(const Config& config, const Communicator& communicator, int identity) {
  return {.mode = config.data.data_mode,
          .worker = config.data.data_mode == DataMode::replicated ? identity : communicator.rank(),
          .workers = communicator.size(),
          .batch_size = config.train.batch_size};
}

Unserved unserved_at(const TrainPosition& position) {
  return {position.stream_position, position.returned_batches};
}

std::unique_ptr<TrainLoader> make_loader(const TrainingSetup& setup, const BatchSchedule& batches,
                                         const TrainPosition& position) {
  return std::make_unique<TrainLoader>(setup.data.train, setup.data.info,
                                       make_augmentation(setup.config.data, setup.data.info), batches,
                                       setup.config.train.seed, unserved_at(position), loader_threads(setup));
}

}  // namespace

Trainer::Trainer(const TrainingSetup& setup, Communicator& communicator, TrainPosition position,
                 const std::atomic<int>& stop, Membership* membership, const BalanceState& balance)
    : setup_(setup),
      communicator_(&communicator),
      stop_(stop),
      membership_(membership),
      identity_(membership == nullptr ? communicator.rank() : membership->identity()),
      generation_{.number = 0, .members = everyone(communicator.size()), .communicator = nullptr},
      method_(make_method(setup.config, setup.decks, communicator.size())),
      position_(std::move(position)),
      length_(train_length(setup.config.train, communicator.size(), setup.data.train->size(), position_)),
      parameters_(std::make_unique<WorkerParameters>(setup.spec, setup.layout, placement_at(position_, balance.hands),
                                                     communicator.rank(), setup.config.train.seed)),
      step_(make_local_step(setup, *parameters_)),
      sync_(std::make_unique<RoundSync>(setup, communicator, *parameters_)),
      pace_(balance.paces.empty() ? Pace{} : balance.paces.at(static_cast<std::size_t>(communicator.rank()))),
      balance_(balance),
      block_scale_(scale_at(position_)),
      scale_under_way_(block_scale_),
      batches_(batch_schedule(setup.config, communicator, identity_)),
      loader_(make_loader(setup, batches_, position_)),
      test_batches_(test_batches(setup, setup.data.evaluation())),
      local_(std::make_unique<LocalRound>()),
      last_round_(std::make_unique<Report>()),
      placed_(generation_.members),
      reported_(position_.round) {
}

Trainer::Trainer(const TrainingSetup& setup, Generation generation, const std::atomic<int>& stop,
                 Membership& membership)
    : Trainer(setup, *generation.communicator, {}, stop, &membership) {
  mending_ = std::make_unique<GenerationRecord>(GenerationRecord{
      .generation = generation.number, .members = generation.members, .joined = {membership.identity()}});
  joins_ = true;
  generation_ = std::move(generation);
}

Trainer::~Trainer() = default;

void Trainer::load_from_here() {
  batches_ = batch_schedule(setup_.config, *communicator_, identity_);
  loader_ = make_loader(setup_, batches_, position_);
}

std::unique_ptr<TrainingMethod> Trainer::method_at(const TrainPosition& position, int workers,
                                                   const Hands& hands) const {
  return make_method(config_at(setup_.config, share_done(length_, position)), setup_.decks, workers, hands);
}

std::vector<double> Trainer::scale_at(const TrainPosition& position) const {
  return method_at(position, communicator_->size())->block_scale(full_depth_at(position));
}

Placement Trainer::placement_at(const TrainPosition& position, const Hands& hands) const {
  return make_placement(setup_.layout, *method_at(position, communicator_->size(), hands), position.round,
                        full_depth_at(position));
}

bool Trainer::full_depth_at(const TrainPosition& position) const {
  return at_full_depth(setup_.config.train, setup_.data.train->size(), length_, position);
}

Pace Trainer::pace_now() const {
  Pace pace = pace_;
  if (local_->iterations > 0) {
    const auto operations = static_cast<double>(forward_operations(setup_.spec, setup_.layout, parameters_->held()));
    pace.add(local_->seconds_compute / static_cast<double>(local_->iterations) / operations);
  }
  return pace;
}

BalanceState Trainer::next_balance(const TrainPosition& after, const std::vector<Standing>& standings) const {
  if (!setup_.balance) {
    return {};
  }
  std::vector<Pace> paces = column(standings, &Standing::pace);
  Hands hands = setup_.balance->next_hands(generation_.number, after.round, paces, mending_ ? Hands{} : balance_.hands);
  return {.hands = std::move(hands), .paces = std::move(paces)};
}

void Trainer::note(std::string_view step) const {
  failpoint(step, identity_, position_.round + 1);
}

TrainingResult Trainer::run(TrainingObserver& observer) {
  sync_->agree();
  while (mending_ || position_.round < length_.total_rounds) {
    const Stopwatch watch;
    const bool whole_round = !mending_;
    try {
      if (!mending_) {
        observer.round_starts(*this);
        run_local_iterations(observer);
        check_finite();
        note("trained");
      }
      if (const auto result = end_round(observer)) {
        return *result;
      }
      if (membership_ != nullptr && whole_round) {
        membership_->round_took(watch.seconds());
      }
    } catch (const CommError& error) {
      if (membership_ == nullptr) {
        throw;
      }
      recover(error);
    }
  }
  return {.position = position_};
}

std::optional<TrainingResult> Trainer::end_round(TrainingObserver& observer) {
  const Stopwatch ready;
  const auto standings = agree_on_commits();
  const double seconds_wait = ready.seconds();
  adopt(standings);
  for (int worker = 0; worker < communicator_->size(); ++worker) {
    const LocalRound& local = standings[worker].local;
    if (!local.finite()) {
      return TrainingResult{.position = position_,
                            .non_finite = NonFinite{.worker = worker,
                                                    .round = position_.round + 1,
                                                    .iteration = local.bad_iteration,
                                                    .in_loss = local.bad_loss,
                                                    .parameter = local.bad_parameter}};
    }
  }
  note("ready");

  const TrainPosition after = position_after(standings);
  if (mending_) {
    length_ = train_length(setup_.config.train, communicator_->size(), setup_.data.train->size(), after);
  }
  const int stop_signal = stop_signal_ = std::ranges::max(column(standings, &Standing::stop_signal));
  const bool complete = after.round == length_.total_rounds;
  // Where only some have lost it, the others will soon miss their signs of life.
  const bool rendezvous_lost = std::ranges::all_of(standings, &Standing::rendezvous_lost);
  const bool last = complete || stop_signal != 0 || !generation_.enough || rendezvous_lost;

  const Stopwatch watch;
  CommitRecord record = contributions(after, standings);
  Report end{.local = *local_, .seconds_wait = seconds_wait};
  const Payload payload =
      mending_ ? stage_mended(after, standings, observer)
               : stage(after, standings, last || evaluation_due(after) || observer.needs_agreement(after.round));
  end.bytes_sent = payload.sent + local_->payload.sent;
  end.bytes_received = payload.received + local_->payload.received;
  staged_->report = end;
  staged_->record = std::move(record);
  staged_->record.next_blocks = staged_->balance.hands;
  staged_->complete = true;
  note("staged");
  communicator_->barrier();  // the commit: whoever passes knows that all have staged
  note("agreed");
  const bool ended = after.round > position_.round;
  commit();
  if (ended) {
    last_round_->seconds_sync = watch.seconds() + end.local.seconds_sync;
  }
  failpoint("committed", identity_, position_.round);
  if (mending_) {
    settle(observer);
  }
  const bool reported = std::ranges::all_of(standings, [&](const Standing& standing) {
    return standing.commits < 0 || standing.reported >= position_.round;
  });
  // A training that ends here, after a loss, has to be saved even if its last round was reported before.
  const bool unsaved = mending_ && last && !complete && std::ranges::any_of(standings, &Standing::has_report);
  if (!reported || unsaved) {
    report(observer, last);
  }
  mending_.reset();
  if (!complete && last) {
    return TrainingResult{.position = position_,
                          .stop_signal = stop_signal,
                          .too_few = !generation_.enough,
                          .rendezvous_lost = rendezvous_lost};
  }
  if (!complete && std::ranges::any_of(standings, &Standing::somebody_waits)) {
    noticed_ = Stopwatch();
    enter(membership_->next_generation("somebody joins"));
  }
  return std::nullopt;
}

// All must be at the same commit. Whoever has made one proves that all had staged it, so the others make it now.
std::vector<Standing> Trainer::agree_on_commits() {
  while (true) {
    Standing own{.local = *local_,
                 .commits = joins_ ? -1 : commits_,
                 .staged = staged_ && staged_->complete ? commits_ + 1 : -1,
                 .placed_as = joins_ ? -1 : parameters_->worker(),
                 .placed_workers = joins_ ? 0 : parameters_->placement().assignment.workers(),
                 .reported = reported_,
                 .has_report = last_round_->local.iterations > 0,
                 .stop_signal = std::max(stop_signal_, stop_.load()),
                 .somebody_waits = membership_ != nullptr && membership_->somebody_waits(),
                 .rendezvous_lost = membership_ != nullptr && membership_->rendezvous_lost()};
    std::ranges::copy(block_scale_, own.block_scale.begin());
    std::ranges::copy(scale_under_way_, own.scale_under_way.begin());
    own.pace = pace_now();
    auto standings = all_gather_value(*communicator_, own, kControlTag);
    const std::int64_t newest = std::ranges::max(column(standings, &Standing::commits));
    const auto is_behind = [&](const Standing& standing) {
      return standing.commits < 0 ? standing.staged == newest : standing.commits < newest;
    };
    if (std::ranges::none_of(standings, is_behind)) {
      return standings;
    }
    if (is_behind(own)) {
      commit();
    }
  }
}

// Of the workers that trained this round, lost ones included.
BatchSchedule Trainer::schedule_of_round(const std::vector<Standing>& standings) const {
  BatchSchedule schedule = batches_;
  schedule.workers = workers_of_round(standings);
  return schedule;
}

// Of each of them, by the rank that it had, the iterations that are not lost.
std::vector<std::int64_t> Trainer::iterations_kept(const std::vector<Standing>& standings) const {
  const auto workers = static_cast<std::size_t>(workers_of_round(standings));
  std::vector<std::int64_t> kept(workers);
  for (const Standing& standing : standings) {
    if (method_->averages_gradients()) {  // every step was all workers'
      std::ranges::fill(kept, std::max(kept.front(), standing.local.iterations));
    } else if (standing.placed_as >= 0) {
      kept[static_cast<std::size_t>(standing.placed_as)] = standing.local.iterations;
    }
  }
  return kept;
}

TrainPosition Trainer::position_after(const std::vector<Standing>& standings) const {
  const auto kept = iterations_kept(standings);
  const std::int64_t iterations = std::ranges::max(kept);
  TrainPosition after = position_;
  if (iterations > 0) {
    ++after.round;
    after.iteration += iterations;
    after.samples += std::accumulate(kept.begin(), kept.end(), std::int64_t{0}) * setup_.config.train.batch_size;
    Unserved unserved = schedule_of_round(standings).after(unserved_at(position_), iterations, kept);
    after.stream_position = unserved.next;
    after.returned_batches = std::move(unserved.returned);
  }
  return after;
}

CommitRecord Trainer::contributions(const TrainPosition& after, const std::vector<Standing>& standings) const {
  CommitRecord record{.round = after.round, .generation = generation_.number, .members = generation_.members};
  if (joins_) {
    return record;  // it does not know who held what
  }
  BatchSchedule schedule = schedule_of_round(standings);
  const Unserved unserved = unserved_at(position_);
  const auto kept = iterations_kept(standings);
  for (std::size_t rank = 0; rank < kept.size(); ++rank) {
    if (kept[rank] == 0) {
      continue;
    }
    schedule.worker = static_cast<int>(rank);
    std::vector<std::int64_t> positions;
    positions.reserve(static_cast<std::size_t>(kept[rank]));
    for (std::int64_t iteration = 0; iteration < kept[rank]; ++iteration) {
      positions.push_back(schedule.first(unserved, iteration));
    }
    record.contributions.push_back({.worker = placed_[rank],
                                    .iterations = kept[rank],
                                    .batches = to_runs(positions),
                                    .blocks = parameters_->placement().assignment.held(static_cast<int>(rank))});
  }
  return record;
}

Payload Trainer::stage(const TrainPosition& after, const std::vector<Standing>& standings, bool in_full) {
  const Placement next = begin_staging(after, standings);
  if (!staged_->parameters) {
    return {};
  }
  return sync_->stage(next, position_.round, samples_of(standings, setup_.config.train.batch_size), in_full);
}

Placement Trainer::begin_staging(const TrainPosition& after, const std::vector<Standing>& standings) {
  staged_ = std::make_unique<Staged>(Staged{.after = after,
                                            .record = {},
                                            .block_scale = scale_under_way_,
                                            .next_scale = scale_at(after),
                                            .balance = next_balance(after, standings),
                                            .pace = pace_now(),
                                            .parameters = mending_ || !method_->averages_gradients(),
                                            .report = {}});
  return placement_at(after, staged_->balance.hands);
}

void Trainer::commit() {
  if (staged_->parameters) {
    sync_->commit();
  }
  if (staged_->after.round > position_.round) {
    *last_round_ = staged_->report;
    last_round_->peak_memory_bytes = peak_memory_bytes();
    block_scale_ = staged_->block_scale;
    last_commit_ = staged_->record;
  }
  scale_under_way_ = std::move(staged_->next_scale);
  placed_ = staged_->record.members;
  position_ = staged_->after;
  balance_ = std::move(staged_->balance);
  pace_ = staged_->pace;
  *local_ = {};
  staged_.reset();
  ++commits_;
  joins_ = false;
}

}  // namespace resist
