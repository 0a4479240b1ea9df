#include "resist/simulate/job.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "resist/partition/schedule.h"
#include "resist/sync/sync_plan.h"

namespace resist {
namespace {

constexpr double kNotice = 0.01;  // seconds until a closed connection has raised in its peers; measured

double deadline_of(const Config& config) {
  return static_cast<double>(config.cluster.timeout.count());
}

// At one round, until it counts as hopeless. Those of a very large job take long to simulate.
int most_attempts(int workers) {
  return std::clamp(1'000'000 / workers, 100, 1000);
}

void insert(std::vector<int>& ascending, int value) {
  const auto place = std::ranges::lower_bound(ascending, value);
  if (place == ascending.end() || *place != value) {
    ascending.insert(place, value);
  }
}

}  // namespace

Job::Job(const SimulationSetup& setup, int first, int workers)
    : setup_(setup),
      first_(first),
      dealing_(setup.config, setup.layout, setup.options, workers),
      costs_(setup.config, setup.spec, setup.layout, setup.options, dealing_, setup.cluster),
      outages_(setup.cluster, first, workers),
      deadline_(deadline_of(setup.config)),
      most_attempts_(most_attempts(workers)),
      block_rounds_at_risk_(setup.layout.blocks.size()),
      living_(static_cast<std::size_t>(workers)),
      keepers_(setup.layout.blocks.size(), -1) {
  std::vector<int> all(static_cast<std::size_t>(workers));
  std::iota(all.begin(), all.end(), first);
  Assignment assignment = dealing_.deal(all, 0);
  enter(std::move(all), std::move(assignment));
}

void Job::enter(std::vector<int> members, Assignment assignment) {
  members_ = std::move(members);
  assignment_ = std::move(assignment);
  std::ranges::fill(living_, 0);
  for (const int member : members_) {
    living_[static_cast<std::size_t>(member - first_)] = 1;
  }
  living_count_ = static_cast<int>(members_.size());
  local_seconds_ = local_seconds(members_, *assignment_, round_);
}

std::vector<double> Job::local_seconds(const std::vector<int>& members, const Assignment& assignment,
                                       std::int64_t round) const {
  std::vector<double> seconds;
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    seconds.push_back(costs_.local_seconds(members[rank], assignment.held(static_cast<int>(rank)), round));
  }
  return seconds;
}

bool Job::run_round() {
  const double begin = clock_;
  for (int attempt = 0; attempt < most_attempts_ && !stalled_; ++attempt) {
    if (train() && synchronise()) {
      tally_.round_seconds.push_back(clock_ - begin);
      return true;
    }
    if (!stalled_ && !begin_anew()) {
      break;
    }
  }
  stalled_ = true;
  return false;
}

double Job::slowest_living() const {
  double slowest = 0;
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    slowest = lives(members_[rank]) ? std::max(slowest, local_seconds_[rank]) : slowest;
  }
  return slowest;
}

// False: nobody has come through it.
bool Job::train() {
  round_began_ = clock_;
  double ready = clock_ + slowest_living();
  while (const auto outage = outages_.take(ready)) {
    const bool is_waited_for = lives(outage->worker);
    note(*outage);
    if (is_waited_for && !outage->returns) {
      ready = std::max(clock_ + slowest_living(), outage->seconds + kNotice);
    }
  }
  ready = wait_until(ready);
  compute_seconds_ = ready - round_began_;
  clock_ = ready;
  return living_count_ > 0;
}

// False: nobody has come through it.
bool Job::synchronise() {
  double done = 0;  // pieces of the exchange
  for (int attempt = 0; attempt < most_attempts_ && living_count_ > 0; ++attempt) {
    Exchange exchange = plan_exchange();
    const bool new_generation = regroup_ || exchange.participants.size() != exchange.handover.trained.size();
    const double left = exchange.cost.pieces - done;
    const double bytes = left * exchange.cost.piece_bytes + exchange.cost.bytes;
    const double seconds = left * exchange.cost.piece_seconds + exchange.cost.seconds +
                           (new_generation ? costs_.regroup_seconds(exchange.participants) : 0);
    std::optional<Outage> death;
    while (!death) {
      const auto outage = outages_.take(clock_ + seconds);
      if (!outage) {
        commit(std::move(exchange), seconds, bytes);
        return true;
      }
      const bool takes_part = std::ranges::binary_search(exchange.participants, outage->worker);
      if (note(*outage) && takes_part) {
        death = outage;
      }
    }
    const double share = seconds > 0 ? (death->seconds - clock_) / seconds : 1;
    const double pieces_done = std::floor(left * share);
    tally_.bytes += bytes * share;
    tally_.wasted_bytes += bytes * share - pieces_done * exchange.cost.piece_bytes;
    done += pieces_done;
    ++tally_.stopped;
    somebody_cut_off_ = false;  // that is this death itself
    clock_ = wait_until(death->seconds + (death->cut_off ? deadline_ : kNotice));
  }
  stalled_ = living_count_ > 0;
  return false;
}

Job::Exchange Job::plan_exchange() {
  Exchange exchange;
  std::vector<int> living;
  std::ranges::copy_if(members_, std::back_inserter(living), [&](int member) { return lives(member); });
  std::ranges::set_union(living, joining_, std::back_inserter(exchange.participants));
  exchange.next = dealing_.deal(exchange.participants, round_ + 1);
  exchange.handover.workers = static_cast<int>(exchange.participants.size());
  std::vector<int> rank_of(living_.size(), -1);  // of those that live, by worker - first_
  for (int rank = 0; rank < exchange.handover.workers; ++rank) {
    const int worker = exchange.participants[static_cast<std::size_t>(rank)];
    if (lives(worker)) {
      rank_of[static_cast<std::size_t>(worker - first_)] = rank;
      exchange.handover.trained.push_back(rank);
    }
  }
  for (int block = 0; block < static_cast<int>(keepers_.size()); ++block) {
    hand_over_block(block, rank_of, exchange);
  }
  add_keepers(exchange);
  // Nothing is put off where all have to agree at the round's end.
  const bool in_full = agreement_due(setup_.config, round_ + 1, setup_.options.rounds);
  const double next_seconds =
      in_full ? 0 : std::ranges::max(local_seconds(exchange.participants, *exchange.next, round_ + 1));
  exchange.cost = costs_.synchronisation(exchange.handover, exchange.participants, next_seconds);
  return exchange;
}

void Job::hand_over_block(int block, const std::vector<int>& rank_of, Exchange& exchange) const {
  std::vector<int> holders;
  for (const int place : assignment_->holders(block)) {
    const int rank = rank_of[static_cast<std::size_t>(members_[static_cast<std::size_t>(place)] - first_)];
    if (rank >= 0) {
      holders.push_back(rank);
    }
  }
  if (holders.empty()) {
    holders.push_back(rank_of[static_cast<std::size_t>(source_of(block) - first_)]);
  }
  exchange.handover.holders.push_back(std::move(holders));
  exchange.handover.receivers.push_back(exchange.next->holders(block));
}

void Job::add_keepers(Exchange& exchange) const {
  if (setup_.config.sync.protect == Protection::none) {
    exchange.keepers.assign(keepers_.size(), -1);
    return;
  }
  Handover& handover = exchange.handover;
  exchange.keepers = choose_keepers(handover.holders, handover.receivers, handover.workers);
  for (std::size_t block = 0; block < keepers_.size(); ++block) {
    int& keeper = exchange.keepers[block];
    if (keeper >= 0) {
      insert(handover.receivers[block], keeper);
      keeper = exchange.participants[static_cast<std::size_t>(keeper)];
    }
  }
}

// Who sends a block of which no holder is left: who has kept a copy, else who reads the checkpoint or asks another
// group.
int Job::source_of(int block) const {
  const int keeper = keepers_[static_cast<std::size_t>(block)];
  return keeper >= 0 && lives(keeper) ? keeper
                                      : *std::ranges::find_if(members_, [&](int worker) { return lives(worker); });
}

void Job::commit(Exchange exchange, double seconds, double bytes) {
  clock_ += seconds;
  count_blocks();
  const double samples = costs_.samples() * living_count_;
  tally_.samples += samples;
  samples_at_risk_ += samples;
  tally_.compute_seconds += compute_seconds_;
  tally_.sync_seconds += seconds;
  tally_.bytes += bytes;
  tally_.busiest_link_bytes += exchange.cost.busiest_link_bytes;
  for (std::size_t rank = 0; rank < exchange.participants.size(); ++rank) {
    if (!lives(exchange.participants[rank])) {
      ++tally_.joined;
      tally_.state_bytes += costs_.state_bytes(exchange.next->held(static_cast<int>(rank)));
    }
  }
  std::vector<int> still_joining;
  std::ranges::set_difference(joining_, exchange.participants, std::back_inserter(still_joining));
  joining_ = std::move(still_joining);
  keepers_ = std::move(exchange.keepers);
  ++round_;
  ++rounds_at_risk_;
  regroup_ = false;
  if (setup_.options.groups == 1 && checkpoint_due(setup_.config.run, round_)) {
    secure();
  }
  enter(std::move(exchange.participants), std::move(*exchange.next));
}

void Job::count_blocks() {
  BlockTally& blocks = tally_.blocks;
  bool any_unheld = false;
  for (int block = 0; block < static_cast<int>(keepers_.size()); ++block) {
    const auto& holders = assignment_->holders(block);
    blocks.count_holders(static_cast<int>(holders.size()));
    if (std::ranges::any_of(holders, [&](int place) { return lives(members_[static_cast<std::size_t>(place)]); })) {
      ++block_rounds_at_risk_[static_cast<std::size_t>(block)];
      continue;
    }
    any_unheld = true;
    ++blocks.unheld;
    const int keeper = keepers_[static_cast<std::size_t>(block)];
    if (keeper >= 0 && lives(keeper)) {
      ++blocks.from_buddy;
    } else if (setup_.options.groups > 1) {
      ++blocks.from_group;
    } else {
      ++blocks.from_checkpoint;
      blocks.rounds_lost +=
          static_cast<double>(std::exchange(block_rounds_at_risk_[static_cast<std::size_t>(block)], 0));
    }
  }
  blocks.rounds_with_unheld += any_unheld ? 1 : 0;
}

// The job would begin anew with what it has now.
void Job::secure() {
  rounds_at_risk_ = 0;
  samples_at_risk_ = 0;
  std::ranges::fill(block_rounds_at_risk_, 0);
}

// True: a worker that somebody may be waiting for has died.
bool Job::note(const Outage& outage) {
  if (outage.returns) {
    if (!lives(outage.worker)) {
      insert(joining_, outage.worker);
    }
    return false;
  }
  const auto joining = std::ranges::lower_bound(joining_, outage.worker);
  const bool was_joining = joining != joining_.end() && *joining == outage.worker;
  const bool was_member = lives(outage.worker);
  if (was_joining) {
    joining_.erase(joining);
  }
  if (was_member) {
    const auto rank = std::ranges::lower_bound(members_, outage.worker) - members_.begin();
    const double trained = (outage.seconds - round_began_) / local_seconds_[static_cast<std::size_t>(rank)];
    tally_.samples_lost += costs_.samples() * std::clamp(trained, 0.0, 1.0);
    living_[static_cast<std::size_t>(outage.worker - first_)] = 0;
    --living_count_;
    somebody_cut_off_ = somebody_cut_off_ || outage.cut_off;
    regroup_ = true;
  }
  if (was_member || was_joining) {
    ++tally_.failures;
    tally_.cut_off += outage.cut_off ? 1 : 0;
  }
  return was_member || was_joining;
}

void Job::note_until(double seconds) {
  while (const auto outage = outages_.take(seconds)) {
    note(*outage);
  }
}

// Until then, and for another deadline whenever somebody has been cut off in the meantime. Returns when that is over.
double Job::wait_until(double seconds) {
  note_until(seconds);
  while (std::exchange(somebody_cut_off_, false) && living_count_ > 0) {
    seconds += deadline_;
    note_until(seconds);
  }
  return seconds;
}

bool Job::begin_anew() {
  while (joining_.empty()) {
    const auto outage = outages_.take(std::numeric_limits<double>::infinity());
    if (!outage) {
      return false;
    }
    note(*outage);
    clock_ = std::max(clock_, outage->seconds);
    note_until(clock_);
  }
  ++tally_.restarted;
  tally_.samples -= samples_at_risk_;
  tally_.samples_rolled_back += samples_at_risk_;
  tally_.rounds_rolled_back += rounds_at_risk_;
  secure();
  for (int& keeper : keepers_) {
    keeper = -1;
  }
  std::vector<int> members = std::exchange(joining_, {});
  Assignment assignment = dealing_.deal(members, round_);
  double slowest = 0;
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    const double bytes = costs_.state_bytes(assignment.held(static_cast<int>(rank)));
    slowest = std::max(slowest, costs_.fetch_seconds(members[rank], bytes));
    ++tally_.joined;
    tally_.state_bytes += bytes;
    tally_.bytes += bytes;
  }
  clock_ += slowest + costs_.regroup_seconds(members);
  regroup_ = false;
  enter(std::move(members), std::move(assignment));
  return true;
}

void Job::meet(double clock, double bytes, double busiest_link_bytes) {
  tally_.round_seconds.back() += clock - clock_;
  tally_.meeting_seconds += clock - clock_;
  tally_.bytes += bytes;
  tally_.busiest_link_bytes += busiest_link_bytes;
  clock_ = clock;
  secure();
}

}  // namespace resist
