#include "resist/simulate/round_costs.h"

#include <algorithm>

#include "resist/model/operations.h"
#include "resist/partition/schedule.h"

namespace resist {
namespace {

constexpr double kBits = 8;
// A new process group under a new store prefix, in the same process; measured with four workers.
constexpr double kNewGroup = 0.016;

}  // namespace

RoundCosts::RoundCosts(const Config& config, const NetworkSpec& spec, const Layout& layout,
                       const SimulationOptions& options, const BlockDealing& dealing, const Cluster& cluster)
    : config_(config),
      layout_(layout),
      options_(options),
      cluster_(cluster),
      exchanges_(config, layout, options, dealing, cluster),
      samples_(static_cast<double>(config.train.local_iterations) * config.train.batch_size),
      shared_operations_(static_cast<double>(forward_operations(spec, layout, {}))),
      shared_bytes_(resist::shared_bytes(config, layout)) {
  for (int block = 0; block < static_cast<int>(layout.blocks.size()); ++block) {
    block_operations_.push_back(static_cast<double>(forward_operations(spec, layout, {block})) - shared_operations_);
    block_bytes_.push_back(resist::block_bytes(config, layout, block));
  }
}

double RoundCosts::local_seconds(int worker, const std::vector<int>& held, std::int64_t round) const {
  double operations = shared_operations_;
  for (const int block : held) {
    operations += block_operations_[static_cast<std::size_t>(block)];
  }
  const double jitter = cluster_.draws.log_normal(ClusterDraws::Kind::jitter, worker, round, cluster_.model.jitter);
  return samples_ * kTrainingFactor * operations / cluster_.speeds[static_cast<std::size_t>(worker)] * jitter;
}

SyncCost RoundCosts::synchronisation(const Handover& handover, const std::vector<int>& members, double next_seconds) {
  SyncCost cost;
  double hidden = 0;
  const auto transfers = round_transfers(config_, layout_, handover);
  for (std::size_t index = 0; index < transfers.size(); ++index) {
    const RoundTransfer& transfer = transfers[index];
    const ExchangeCost exchange = exchanges_.cost(transfer, index, members);
    const double seconds = exchange.seconds + exchange.handled_bytes * cluster_.model.handling;
    cost.busiest_link_bytes += transfer.times * exchange.busiest_link_bytes;
    if (transfer.times > 1) {
      cost.pieces = transfer.times;
      cost.piece_seconds = seconds;
      cost.piece_bytes = exchange.bytes;
    } else {
      (transfer.hidden ? hidden : cost.seconds) += seconds;
      cost.bytes += exchange.bytes;
    }
  }
  const double hides = next_seconds * iterations_under_way(config_) / config_.train.local_iterations;
  cost.seconds += std::max(0.0, hidden - hides) + control_seconds(members);
  return cost;
}

double RoundCosts::messages_seconds(const std::vector<int>& members, int gathers) const {
  if (members.size() < 2) {
    return 0;
  }
  std::vector<Link> links;
  links.reserve(members.size());
  for (const int member : members) {
    links.push_back(cluster_.links[static_cast<std::size_t>(member)]);
  }
  const bool one_site = cluster_.site(members.front()) == cluster_.site(members.back());
  const double uplink = one_site ? 0 : cluster_.model.uplink_latency;
  if (!options_.hierarchical) {
    for (Link& link : links) {
      link.latency += uplink;
    }
    return gathers * gather_seconds(links) + barrier_seconds(links);
  }
  // Inside each site, then between one worker of each.
  const Link slowest{.bandwidth = 0, .latency = std::ranges::max(links, {}, &Link::latency).latency};
  const auto sites = static_cast<std::size_t>(cluster_.model.sites);
  const std::vector<Link> inside((links.size() + sites - 1) / sites, slowest);
  const std::vector<Link> between(sites, {.bandwidth = 0, .latency = slowest.latency + uplink});
  return gathers * (gather_seconds(inside) + gather_seconds(between)) + barrier_seconds(inside) +
         barrier_seconds(between);
}

double RoundCosts::control_seconds(const std::vector<int>& members) const {
  return messages_seconds(members, 2);
}

double RoundCosts::regroup_seconds(const std::vector<int>& members) const {
  return kNewGroup + messages_seconds(members, 1);
}

double RoundCosts::state_bytes(const std::vector<int>& held) const {
  double bytes = shared_bytes_;
  for (const int block : held) {
    bytes += block_bytes(block);
  }
  return bytes;
}

double RoundCosts::link_seconds(int worker, double bytes) const {
  return bytes * kBits * kFraming / cluster_.links[static_cast<std::size_t>(worker)].bandwidth;
}

double RoundCosts::fetch_seconds(int worker, double bytes) const {
  const double uplink = cluster_.model.sites > 1 ? cluster_.model.uplink_latency : 0;
  const double latency = cluster_.links[static_cast<std::size_t>(worker)].latency + uplink;
  return link_seconds(worker, bytes) + 4 * latency + bytes * cluster_.model.handling;
}

}  // namespace resist
