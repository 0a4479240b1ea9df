#include "resist/simulate/asynchronous.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <queue>
#include <tuple>
#include <utility>

#include "resist/partition/schedule.h"

namespace resist {
namespace {

enum class Phase { dead, fetching, training, merging };

// The end of a worker's phase. One of an earlier life, or of a phase that was cut short, is out of date.
struct PhaseEnd {
  double seconds;
  int worker;
  std::int64_t phase;  // the worker's how manieth
  bool operator>(const PhaseEnd& other) const {
    return std::tie(seconds, worker, phase) > std::tie(other.seconds, other.worker, other.phase);
  }
};

struct Worker {
  Phase phase = Phase::dead;
  std::int64_t phases = 0;
  std::vector<int> hand;         // blocks that it trains, or merges
  std::int64_t hands = 0;        // drawn so far
  double began = 0;              // its local iterations
  double trains = 0;             // seconds of them
  std::int64_t merges_seen = 0;  // of all workers, when it took its values
  double served_until = 0;       // its link is busy with what was asked of it while it was the slowest one
};

class Asynchronous {
 public:
  explicit Asynchronous(const SimulationSetup& setup);

  Outcome run();

 private:
  bool lives(const Worker& worker) const { return worker.phase != Phase::dead; }
  void begin(int worker, Phase phase, double seconds);
  void draw_hand(Worker& worker, int id);
  void fetch(int worker);
  void train(int worker);
  void merge(int worker);
  double merge_seconds(int worker, double given, double taken);
  int slowest_link() const;
  void finish_merge(int worker);
  void finish_round();
  void secure();
  void note(const Outage& outage);
  void die(int worker, bool cut_off);
  void lose_blocks();
  bool next();

  const SimulationSetup& setup_;
  const ClusterModel& model_;
  BlockDealing dealing_;
  RoundCosts costs_;
  Outages outages_;
  std::vector<Worker> workers_;
  std::priority_queue<PhaseEnd, std::vector<PhaseEnd>, std::greater<>> ends_;

  double now_ = 0;
  int living_ = 0;
  int merging_ = 0;
  std::vector<int> by_link_;           // all workers, the slowest link first
  std::vector<double> uplink_until_;   // by site: busy with what was asked of it
  double unreachable_until_ = 0;       // an owner that is cut off
  std::vector<int> holders_;           // per block: living workers that train it or merge it
  std::vector<char> merged_in_round_;  // per block
  std::int64_t merges_in_round_ = 0;
  double round_began_ = 0;
  std::int64_t rounds_ = 0;
  // Since the checkpoint.
  std::int64_t rounds_at_risk_ = 0;
  double samples_at_risk_ = 0;                // merged
  std::vector<double> block_rounds_at_risk_;  // per block: in which it was merged, mean of its parts
  Tally tally_;
};

Asynchronous::Asynchronous(const SimulationSetup& setup)
    : setup_(setup),
      model_(setup.cluster.model),
      dealing_(setup.config, setup.layout, setup.options, model_.workers),
      costs_(setup.config, setup.spec, setup.layout, setup.options, dealing_, setup.cluster),
      outages_(setup.cluster, 0, model_.workers),
      workers_(static_cast<std::size_t>(model_.workers)),
      by_link_(workers_.size()),
      uplink_until_(static_cast<std::size_t>(model_.sites), 0),
      holders_(setup.layout.blocks.size()),
      merged_in_round_(setup.layout.blocks.size()),
      block_rounds_at_risk_(setup.layout.blocks.size()) {
  std::iota(by_link_.begin(), by_link_.end(), 0);
  std::ranges::stable_sort(by_link_, {},
                           [&](int worker) { return setup.cluster.links[static_cast<std::size_t>(worker)].bandwidth; });
  living_ = model_.workers;
  for (int worker = 0; worker < model_.workers; ++worker) {
    draw_hand(workers_[static_cast<std::size_t>(worker)], worker);
    train(worker);
  }
}

void Asynchronous::begin(int worker, Phase phase, double seconds) {
  Worker& of = workers_[static_cast<std::size_t>(worker)];
  of.phase = phase;
  ends_.push({.seconds = now_ + seconds, .worker = worker, .phase = ++of.phases});
}

void Asynchronous::draw_hand(Worker& worker, int id) {
  const std::vector<int> sizes = dealing_.hand_sizes(std::max(1, living_));
  worker.hand.clear();
  for (std::size_t deck = 0; deck < sizes.size(); ++deck) {
    const Deck& cards = setup_.layout.decks[deck];
    // Each deck has draws of its own.
    const std::int64_t position = worker.hands * static_cast<std::int64_t>(sizes.size()) + static_cast<int>(deck);
    for (const int card : setup_.cluster.draws.hand(id, position, sizes[deck], cards.count)) {
      worker.hand.push_back(cards.first_block + card);
    }
  }
  ++worker.hands;
  for (const int block : worker.hand) {
    ++holders_[static_cast<std::size_t>(block)];
  }
}

void Asynchronous::fetch(int worker) {
  Worker& of = workers_[static_cast<std::size_t>(worker)];
  ++living_;
  draw_hand(of, worker);
  const double bytes = costs_.state_bytes(of.hand);
  tally_.bytes += bytes;
  tally_.state_bytes += bytes;
  ++tally_.joined;
  begin(worker, Phase::fetching, costs_.fetch_seconds(worker, bytes));
}

void Asynchronous::train(int worker) {
  Worker& of = workers_[static_cast<std::size_t>(worker)];
  of.began = now_;
  of.trains = costs_.local_seconds(worker, of.hand, of.hands);
  of.merges_seen = tally_.merges;
  begin(worker, Phase::training, of.trains);
}

// Of a living worker.
int Asynchronous::slowest_link() const {
  return *std::ranges::find_if(by_link_, [&](int worker) { return lives(workers_[static_cast<std::size_t>(worker)]); });
}

double Asynchronous::merge_seconds(int worker, double given, double taken) {
  const bool buddy = setup_.config.sync.protect == Protection::buddy;
  // What it owns itself does not travel.
  const double remote = 1 - 1.0 / living_;
  const double more = std::max(given, taken) * remote;
  const double passed_on = buddy ? given * remote : 0;
  const double sent = (given + taken) * remote + passed_on;  // by this worker and the owners
  tally_.bytes += sent;
  tally_.busiest_link_bytes += sent / model_.workers;
  const double others = static_cast<double>(merging_) / living_ * (1 + passed_on / std::max(more, 1.0));
  const Link& link = setup_.cluster.links[static_cast<std::size_t>(worker)];
  const double uplink_latency = model_.sites > 1 ? model_.uplink_latency : 0;
  double until = now_ + costs_.link_seconds(worker, more) * (1 + others) + 4 * (2 * link.latency + 2 * uplink_latency) +
                 2 * sent * model_.handling;
  const int slowest = slowest_link();
  double& served_until = workers_[static_cast<std::size_t>(slowest)].served_until;
  served_until = std::max(served_until, now_) + costs_.link_seconds(slowest, (more + passed_on) / living_);
  until = std::max(until, served_until);
  if (model_.sites > 1) {
    // Both directions carry the same: what it gives leaves its site, what it takes enters it, the other way round
    // where the owners are.
    constexpr double kBits = 8;
    const double seconds = more * kBits * kFraming / model_.uplink_bandwidth;
    const auto home = static_cast<std::size_t>(setup_.cluster.site(worker));
    for (std::size_t site = 0; site < uplink_until_.size(); ++site) {
      const double share = site == home ? 1 - 1.0 / model_.sites : 1.0 / model_.sites;
      uplink_until_[site] = std::max(uplink_until_[site], now_) + share * seconds;
      until = std::max(until, uplink_until_[site]);
    }
  }
  return std::max(until, unreachable_until_) - now_;
}

void Asynchronous::merge(int worker) {
  Worker& of = workers_[static_cast<std::size_t>(worker)];
  tally_.compute_seconds += of.trains / model_.workers;
  // Hands are of one size, whatever their blocks.
  const double bytes = costs_.state_bytes(of.hand);
  const double seconds = merge_seconds(worker, bytes, bytes);
  tally_.sync_seconds += seconds / model_.workers;
  begin(worker, Phase::merging, seconds);
  ++merging_;
}

void Asynchronous::finish_merge(int worker) {
  Worker& of = workers_[static_cast<std::size_t>(worker)];
  --merging_;
  const double stale = static_cast<double>(tally_.merges - of.merges_seen) / living_;
  tally_.staleness += stale;
  tally_.most_staleness = std::max(tally_.most_staleness, stale);
  ++tally_.merges;
  tally_.samples += costs_.samples();
  samples_at_risk_ += costs_.samples();
  for (const int block : of.hand) {
    merged_in_round_[static_cast<std::size_t>(block)] = 1;
    --holders_[static_cast<std::size_t>(block)];
  }
  draw_hand(of, worker);
  train(worker);
  ++merges_in_round_;
  if (merges_in_round_ >= living_) {
    finish_round();
  }
}

void Asynchronous::finish_round() {
  bool any_unheld = false;
  for (std::size_t block = 0; block < holders_.size(); ++block) {
    tally_.blocks.count_holders(holders_[block]);
    const bool unheld = merged_in_round_[block] == 0;
    tally_.blocks.unheld += unheld ? 1 : 0;
    block_rounds_at_risk_[block] += unheld ? 0 : 1;
    any_unheld = any_unheld || unheld;
    merged_in_round_[block] = 0;
  }
  tally_.blocks.rounds_with_unheld += any_unheld ? 1 : 0;
  tally_.round_seconds.push_back(now_ - round_began_);
  round_began_ = now_;
  merges_in_round_ = 0;
  ++rounds_;
  ++rounds_at_risk_;
  if (checkpoint_due(setup_.config.run, rounds_)) {
    secure();
  }
}

// All would begin anew with what there is now.
void Asynchronous::secure() {
  rounds_at_risk_ = 0;
  samples_at_risk_ = 0;
  std::ranges::fill(block_rounds_at_risk_, 0);
}

void Asynchronous::note(const Outage& outage) {
  now_ = outage.seconds;
  if (outage.returns == lives(workers_[static_cast<std::size_t>(outage.worker)])) {
    return;  // a known outage that changes nothing
  }
  if (outage.returns) {
    fetch(outage.worker);
  } else {
    die(outage.worker, outage.cut_off);
  }
}

void Asynchronous::die(int worker, bool cut_off) {
  Worker& of = workers_[static_cast<std::size_t>(worker)];
  ++tally_.failures;
  if (cut_off) {
    ++tally_.cut_off;
    unreachable_until_ = now_ + static_cast<double>(setup_.config.cluster.timeout.count());
  }
  if (of.phase == Phase::merging) {
    --merging_;
    tally_.samples_lost += costs_.samples();
  } else if (of.phase == Phase::training) {
    tally_.samples_lost += costs_.samples() * std::min(1.0, (now_ - of.began) / of.trains);
  }
  for (const int block : of.hand) {
    --holders_[static_cast<std::size_t>(block)];
  }
  of.phase = Phase::dead;
  ++of.phases;
  of.served_until = 0;
  --living_;
  lose_blocks();
}

// What the parts that the dead worker owned go on from.
void Asynchronous::lose_blocks() {
  if (living_ == 0) {
    ++tally_.restarted;
    tally_.samples -= samples_at_risk_;
    tally_.samples_rolled_back += samples_at_risk_;
    tally_.rounds_rolled_back += rounds_at_risk_;
    secure();
    return;
  }
  const double owned = 1.0 / (living_ + 1);
  for (std::size_t block = 0; block < holders_.size(); ++block) {
    if (holders_[block] > 0) {
      continue;
    }
    if (setup_.config.sync.protect == Protection::buddy) {
      ++tally_.blocks.from_buddy;
    } else {
      ++tally_.blocks.from_checkpoint;
      const double lost = owned * block_rounds_at_risk_[block];
      tally_.blocks.rounds_lost += lost;
      block_rounds_at_risk_[block] -= lost;
    }
  }
}

// False: nothing happens any more.
bool Asynchronous::next() {
  const double until = ends_.empty() ? std::numeric_limits<double>::infinity() : ends_.top().seconds;
  if (const auto outage = outages_.take(until)) {
    note(*outage);
    return true;
  }
  if (ends_.empty()) {
    return false;
  }
  const PhaseEnd end = ends_.top();
  ends_.pop();
  Worker& worker = workers_[static_cast<std::size_t>(end.worker)];
  if (worker.phases != end.phase) {
    return true;
  }
  now_ = end.seconds;
  switch (worker.phase) {
    case Phase::fetching:
      train(end.worker);
      break;
    case Phase::training:
      merge(end.worker);
      break;
    case Phase::merging:
      finish_merge(end.worker);
      break;
    case Phase::dead:
      break;
  }
  return true;
}

Outcome Asynchronous::run() {
  // Where everybody dies before a merge is done, no round ever ends.
  constexpr std::int64_t kMostOutages = 1'000;  // per worker, without a round
  Outcome outcome;
  std::int64_t failures_then = 0;
  std::int64_t rounds_then = 0;
  bool stalled = false;
  while (rounds_ < setup_.options.rounds && !stalled) {
    stalled = !next() || tally_.failures - failures_then > kMostOutages * model_.workers;
    if (rounds_ != rounds_then) {
      rounds_then = rounds_;
      failures_then = tally_.failures;
    }
  }
  outcome.tally = std::move(tally_);
  outcome.stalled_groups = stalled ? 1 : 0;
  outcome.seconds = now_;
  outcome.rounds = rounds_;
  outcome.most_rounds = rounds_;
  return outcome;
}

}  // namespace

Outcome run_asynchronous(const SimulationSetup& setup) {
  return Asynchronous(setup).run();
}

}  // namespace resist
