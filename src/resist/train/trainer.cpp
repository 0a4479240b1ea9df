#include "resist/train/trainer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <iterator>
#include <numeric>
#include <utility>

#include "resist/comm/agreement.h"
#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/core/clock.h"
#include "resist/core/error.h"
#include "resist/core/failpoint.h"
#include "resist/core/random.h"
#include "resist/model/initialise.h"
#include "resist/model/operations.h"
#include "resist/sync/mending.h"
#include "resist/telemetry/memory.h"
#include "resist/train/standing.h"
#include "resist/train/travelling_blocks.h"

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

void Trainer::recover(const CommError& error) {
  step_->give();
  if (local_->iterations > 0) {
    check_finite();
  }
  if (!mending_ || told_) {
    noticed_ = Stopwatch();
  }
  call_next_generation(error);
  enter(membership_->next_generation(error.what()));
}

void Trainer::call_next_generation(const CommError& error) {
  if (membership_ != nullptr) {
    membership_->call_next(error.what());
    communicator_->abort();  // so that nobody waits for this worker in the old generation
  }
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

// What workers that join have to know; parameters come with the next commit.
void Trainer::adopt(const std::vector<Standing>& standings) {
  const auto joins = [](const Standing& standing) { return standing.commits < 0; };
  if (std::ranges::none_of(standings, joins)) {
    return;
  }
  const auto positions = all_gather_lists(*communicator_, to_numbers(position_), kControlTag);
  if (joins_) {
    const auto other = std::ranges::find_if_not(standings, joins);
    position_ = position_from_numbers(positions[static_cast<std::size_t>(other - standings.begin())]);
    commits_ = other->commits;
    reported_ = other->reported;
    std::copy_n(other->block_scale.begin(), block_scale_.size(), block_scale_.begin());
    std::copy_n(other->scale_under_way.begin(), scale_under_way_.size(), scale_under_way_.begin());
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
  staged_ = std::make_unique<Staged>(Staged{.after = after,
                                            .block_scale = scale_under_way_,
                                            .next_scale = scale_at(after),
                                            .balance = next_balance(after, standings),
                                            .pace = pace_now(),
                                            .parameters = !method_->averages_gradients(),
                                            .report = {}});
  if (!staged_->parameters) {
    return {};
  }
  return sync_->stage(placement_at(after, staged_->balance.hands), position_.round,
                      samples_of(standings, setup_.config.train.batch_size), in_full);
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

void Trainer::report(TrainingObserver& observer, bool last) {
  RoundRecord record = gather_record();
  std::exception_ptr failure;
  if (evaluation_due(position_)) {
    try {
      evaluate_into(record);
    } catch (const InputError&) {  // a test picture; all workers throw here
      failure = std::current_exception();
    } catch (const PeerFailed&) {
      failure = std::current_exception();
    }
    failpoint("evaluated", identity_, position_.round);
  }
  observer.round_committed(*this, record, last || failure != nullptr);
  if (failure) {
    std::rethrow_exception(failure);
  }
  reported_ = position_.round;
  failpoint("reported", identity_, position_.round);
}

RoundRecord Trainer::gather_record() {
  const auto reports = all_gather_value(*communicator_, *last_round_, kControlTag);
  RoundRecord record = merge_reports(reports);
  record.round = position_.round;
  record.samples = position_.samples;
  record.epoch = static_cast<double>(position_.samples) / static_cast<double>(setup_.data.train->size());
  if (setup_.balance) {
    record.worker_blocks = blocks_held(reports, setup_.decks.size());
    record.next_blocks = balance_.hands;
  }
  return record;
}

void Trainer::enter(Generation generation) {
  // Another loss before the last one was mended is mended with it.
  const bool goes_on = mending_ && !told_;
  std::vector<int> lost = goes_on ? mending_->lost : std::vector<int>{};
  std::vector<int> joined = goes_on ? mending_->joined : std::vector<int>{};
  told_ = false;
  std::ranges::set_difference(generation_.members, generation.members, std::back_inserter(lost));
  std::ranges::set_difference(generation.members, generation_.members, std::back_inserter(joined));
  mending_ = std::make_unique<GenerationRecord>(GenerationRecord{.generation = generation.number,
                                                                 .members = generation.members,
                                                                 .lost = std::move(lost),
                                                                 .joined = std::move(joined)});
  sync_->enter(*generation.communicator);
  communicator_ = generation.communicator.get();
  generation_ = std::move(generation);
  method_ = make_method(setup_.config, setup_.decks, communicator_->size());
}

// Workers that were there work it out, the others hear it from the first of them.
Mending Trainer::agree_on_sources(const std::vector<Standing>& standings) {
  std::vector<Survivor> survivors;
  survivors.reserve(standings.size());
  for (const Standing& standing : standings) {
    survivors.push_back({.iterations = standing.local.iterations, .placed_as = standing.placed_as});
  }
  const int workers = communicator_->size();
  const int blocks = static_cast<int>(setup_.layout.blocks.size());
  std::vector<std::byte> own(encoded_mending_size(workers, blocks));
  if (survivors[communicator_->rank()].placed_as >= 0) {
    const Agreement agreement = method_->averages_gradients()             ? Agreement::at_each_iteration
                                : shared_always_agree(setup_.config.sync) ? Agreement::at_commits
                                                                          : Agreement::never;
    own = encode(find_sources(parameters_->placement().assignment, sync_->keepers(), survivors, agreement), workers);
  }
  const auto teller = std::ranges::find_if(survivors, [](const Survivor& one) { return one.placed_as >= 0; });
  std::vector<std::byte> all(own.size() * static_cast<std::size_t>(workers));
  all_gather_bytes(*communicator_, own, all, kControlTag);
  const auto place = static_cast<std::size_t>(teller - survivors.begin()) * own.size();
  return decode_mending(std::span(all).subspan(place, own.size()), workers, blocks);
}

Payload Trainer::stage_mended(const TrainPosition& after, const std::vector<Standing>& standings,
                              TrainingObserver& observer) {
  Mending mending = agree_on_sources(standings);
  mending.sources.samples = samples_of(standings, setup_.config.train.batch_size);
  mending_->round = position_.round;
  mending_->round_kept = after.round > position_.round;
  for (int block = 0; block < static_cast<int>(mending.copied.size()); ++block) {
    if (mending.copied[block] && !std::ranges::binary_search(mending.lost, block)) {
      mending_->restored.push_back(block);
    }
  }
  for (const int block : mending.lost) {
    if (communicator_->rank() == 0) {
      const std::span<float> values = sync_->restored(block);
      const auto round = observer.restore_block(*this, block, values);
      if (!round) {
        initialise(setup_.layout.blocks[block].parameters, setup_.config.train.seed, values);
      }
      mending_->lost_blocks.push_back({.block = block, .rounds = position_.round - round.value_or(0)});
    }
  }
  staged_ = std::make_unique<Staged>(Staged{.after = after,
                                            .block_scale = scale_under_way_,
                                            .next_scale = scale_at(after),
                                            .balance = next_balance(after, standings),
                                            .pace = pace_now(),
                                            .report = {}});
  return sync_->stage(placement_at(after, staged_->balance.hands), position_.round, mending);
}

void Trainer::settle(TrainingObserver& observer) {
  batches_ = batch_schedule(setup_.config, *communicator_, identity_);
  loader_ = make_loader(setup_, batches_, position_);
  mending_->seconds = noticed_.seconds();
  mending_->next_blocks = balance_.hands;
  observer.generation_began(*this, *mending_);
  told_ = true;
}

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

bool Trainer::evaluation_due(const TrainPosition& position) const {
  const int every = setup_.config.evaluation.eval_every;
  return position.round == length_.total_rounds || (every > 0 && position.round % every == 0);
}

GlobalNetwork Trainer::global_network() {
  return {*communicator_,
          setup_,
          {parameters_->values(), static_cast<std::size_t>(setup_.layout.shared_size)},
          std::make_unique<TravellingBlocks>(*communicator_, *parameters_),
          block_scale_,
          make_ensemble(setup_.config, *method_at(position_, communicator_->size(), balance_.hands), position_.round,
                        full_depth_at(position_))};
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
