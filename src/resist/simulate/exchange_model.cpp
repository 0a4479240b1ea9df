#include "resist/simulate/exchange_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace resist {
namespace {

constexpr double kBits = 8;
constexpr std::size_t kMostExact = 32;

// Workers whose exact exchange tells how long others are waited for; fewer where many groups have one each. More than
// 32, so that their steps have a fixed order as well.
std::size_t most_sampled(int groups) {
  return static_cast<std::size_t>(std::clamp(1024 / groups, 40, 128));
}

std::vector<Link> links_of(const Cluster& cluster, const std::vector<int>& members) {
  std::vector<Link> links;
  links.reserve(members.size());
  for (const int member : members) {
    links.push_back(cluster.links[static_cast<std::size_t>(member)]);
  }
  return links;
}

// `count` of the members, evenly from the slowest link to the fastest.
std::vector<int> sample_of(const Cluster& cluster, std::vector<int> members, std::size_t count) {
  if (count >= members.size()) {
    return members;
  }
  std::ranges::stable_sort(members, {},
                           [&](int member) { return cluster.links[static_cast<std::size_t>(member)].bandwidth; });
  std::vector<int> sample;
  for (std::size_t i = 0; i < count; ++i) {
    sample.push_back(count == 1 ? members.front() : members[i * (members.size() - 1) / (count - 1)]);
  }
  std::ranges::sort(sample);
  return sample;
}

Handover whole_handover(const Assignment& now, const Assignment& next) {
  Handover handover{.workers = now.workers(), .trained = everyone(now.workers()), .holders = {}, .receivers = {}};
  for (int block = 0; block < now.blocks(); ++block) {
    handover.holders.push_back(now.holders(block));
    handover.receivers.push_back(next.holders(block));
  }
  return handover;
}

double mean_latency(const std::vector<Link>& links) {
  return std::accumulate(links.begin(), links.end(), 0.0,
                         [](double sum, const Link& link) { return sum + link.latency; }) /
         static_cast<double>(links.size());
}

// A worker's own part in a leg, if it never waits for others. `peers`: latency of a peer, mean.
double own_seconds(const Leg& leg, const Load& load, const Link& link, double peers) {
  const double transfer = load.busiest() * kBits * kFraming / link.bandwidth;
  return transfer + leg.steps * 3 * (link.latency + peers);
}

}  // namespace

ExchangeModel::ExchangeModel(const Config& config, const Layout& layout, const SimulationOptions& options,
                             const BlockDealing& dealing, const Cluster& cluster)
    : config_(config), layout_(layout), options_(options), dealing_(dealing), cluster_(cluster) {
}

bool ExchangeModel::exact(std::size_t members) const {
  switch (options_.exchange) {
    case ExchangeDetail::exact:
      return true;
    case ExchangeDetail::aggregate:
      return false;
    case ExchangeDetail::automatic:
      break;
  }
  // A cluster of many small groups would plan too many exchanges.
  return static_cast<std::size_t>(cluster_.model.workers) <= kMostExact && cluster_.model.sites == 1 &&
         members <= kMostExact;
}

ExchangeCost ExchangeModel::cost(const RoundTransfer& transfer, std::size_t index, const std::vector<int>& members) {
  if (members.size() < 2) {
    return {};
  }
  std::vector<int> sites;
  sites.reserve(members.size());
  for (const int member : members) {
    sites.push_back(cluster_.site(member));
  }
  const auto legs = options_.hierarchical ? hierarchical_loads(transfer.segments, sites, cluster_.model.sites)
                                          : flat_loads(transfer.segments, sites, cluster_.model.sites);
  ExchangeCost cost;
  for (const Load& load : total_loads(legs)) {
    cost.bytes += load.sent;
    cost.busiest_link_bytes = std::max(cost.busiest_link_bytes, load.busiest());
    cost.handled_bytes = std::max(cost.handled_bytes, load.sent + load.received);
  }
  if (exact(members.size())) {
    const ExchangePlan plan = make_exchange_plan(transfer.segments, static_cast<int>(members.size()));
    cost.seconds = exchange_seconds(transfer_steps(plan), links_of(cluster_, members));
  } else {
    cost.seconds = aggregate_seconds(legs, members, waiting(index, members, legs.front().crossing));
  }
  return cost;
}

double ExchangeModel::waiting(std::size_t index, const std::vector<int>& members, double crossing) {
  if (index >= calibrations_.size()) {
    calibrations_.resize(index + 1);
  }
  // A tenth more or fewer workers hardly change it.
  Calibration& calibration = calibrations_[index];
  const std::size_t then = calibration.members;
  const std::size_t change = members.size() > then ? members.size() - then : then - members.size();
  if (then == 0 || change * 10 > then) {
    calibration = calibrate(index, members, crossing);
  }
  return calibration.waiting;
}

ExchangeModel::Calibration ExchangeModel::calibrate(std::size_t index, const std::vector<int>& members,
                                                    double crossing) const {
  const auto sites = static_cast<std::size_t>(options_.hierarchical ? cluster_.model.sites : 1);
  const std::size_t together = (members.size() + sites - 1) / sites;
  const std::vector<int> sample = sample_of(cluster_, members, std::min(most_sampled(options_.groups), together));
  if (sample.size() < 2) {
    return {.members = members.size()};
  }
  const Handover handover = whole_handover(dealing_.deal(sample, 0), dealing_.deal(sample, 1));
  const auto transfers = round_transfers(config_, layout_, handover);
  if (index >= transfers.size()) {
    return {.members = members.size()};  // goes to workers that join only: from one to one, so that nobody waits
  }
  const RoundTransfer& transfer = transfers[index];
  // Fewer workers send each other more at a time; links that are faster by as much make up for it, so that transfers
  // and ways are to each other as they are among all.
  std::vector<Link> links = links_of(cluster_, sample);
  for (Link& link : links) {
    link.bandwidth *= static_cast<double>(together - 1) / static_cast<double>(sample.size() - 1);
    link.latency += crossing * cluster_.model.uplink_latency;
  }
  const auto legs = flat_loads(transfer.segments, std::vector<int>(sample.size(), 0), 1);
  double own = 0;
  for (std::size_t rank = 0; rank < sample.size(); ++rank) {
    double seconds = 0;
    for (const Leg& leg : legs) {
      seconds += own_seconds(leg, leg.workers[rank], links[rank], mean_latency(links));
    }
    own = std::max(own, seconds);
  }
  const ExchangePlan plan = make_exchange_plan(transfer.segments, handover.workers);
  const double together_seconds = exchange_seconds(transfer_steps(plan), links);
  return {.members = members.size(), .waiting = own > 0 ? together_seconds / own : 1};
}

double ExchangeModel::aggregate_seconds(const std::vector<Leg>& legs, const std::vector<int>& members,
                                        double waiting) const {
  const std::vector<Link> links = links_of(cluster_, members);
  const double peers = mean_latency(links);
  double slowest = 0;
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    double seconds = 0;
    for (const Leg& leg : legs) {
      const double way = 2 * leg.crossing * cluster_.model.uplink_latency;
      double leg_seconds = own_seconds(leg, leg.workers[rank], links[rank], peers + way);
      leg_seconds *= leg.inside_order ? waiting : 1;
      if (cluster_.model.sites > 1) {
        const Load& uplink = leg.uplinks[static_cast<std::size_t>(cluster_.site(members[rank]))];
        const Link shared{.bandwidth = cluster_.model.uplink_bandwidth, .latency = links[rank].latency};
        leg_seconds = std::max(leg_seconds, own_seconds(leg, uplink, shared, peers + way));
      }
      seconds += leg_seconds;
    }
    slowest = std::max(slowest, seconds);
  }
  return slowest;
}

}  // namespace resist
