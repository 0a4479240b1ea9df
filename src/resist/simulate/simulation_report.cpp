#include "resist/simulate/simulation_report.h"

#include "resist/config/option.h"

namespace resist {
namespace {

nlohmann::json to_json(const Durations& durations) {
  return {{"mean", durations.mean},
          {"median", durations.median},
          {"percentile_99", durations.percentile_99},
          {"most", durations.most}};
}

nlohmann::json to_json(const ClusterModel& cluster) {
  nlohmann::json object = {{"workers", cluster.workers},
                           {"speeds", cluster.speeds},
                           {"speed_spread", cluster.speed_spread},
                           {"jitter", cluster.jitter},
                           {"bandwidths", cluster.bandwidths},
                           {"bandwidth_spread", cluster.bandwidth_spread},
                           {"latencies", cluster.latencies},
                           {"handling", cluster.handling},
                           {"failures_per_hour", cluster.failures_per_hour},
                           {"return_seconds", cluster.return_seconds},
                           {"cut_off_share", cluster.cut_off_share}};
  if (cluster.sites > 1) {
    object["sites"] = cluster.sites;
    object["uplink_bandwidth"] = cluster.uplink_bandwidth;
    object["uplink_latency"] = cluster.uplink_latency;
  }
  return object;
}

nlohmann::json to_json(const BlockTally& blocks) {
  return {{"block_rounds", blocks.block_rounds},
          {"least_holders", blocks.block_rounds > 0 ? blocks.least_holders : 0},
          {"most_holders", blocks.most_holders},
          {"unheld", blocks.unheld},
          {"rounds_with_unheld", blocks.rounds_with_unheld},
          {"from_buddy", blocks.from_buddy},
          {"from_group", blocks.from_group},
          {"from_checkpoint", blocks.from_checkpoint},
          {"rounds_lost", blocks.rounds_lost}};
}

}  // namespace

nlohmann::json to_json(const Config& config, const SimulationOptions& options) {
  nlohmann::json object = to_json(options.cluster);
  for (const std::string& name : simulated_options()) {
    object["options"][name] = find_option(name).get(config);
  }
  object["rounds"] = options.rounds;
  object["replication"] = options.replication;
  object["hierarchical"] = options.hierarchical;
  object["asynchronous"] = options.asynchronous;
  if (options.groups > 1) {
    object["groups"] = options.groups;
    object["group_rounds"] = options.group_rounds;
    object["options"].erase("checkpoint-every");  // a group that loses everybody asks another one
  }
  if (options.homes > 0) {
    object["homes"] = options.homes;
    object["home_rounds"] = options.home_rounds;
  }
  return object;
}

nlohmann::json to_json(const SimulationResult& result) {
  const Tally& tally = result.tally;
  nlohmann::json blocks = to_json(tally.blocks);
  blocks["holders"] = result.holders;
  nlohmann::json object = {{"rounds", result.rounds},
                           {"most_rounds", result.most_rounds},
                           {"stalled", result.stalled_groups > 0},
                           {"stalled_groups", result.stalled_groups},
                           {"seconds", result.seconds},
                           {"round_seconds", to_json(result.round)},
                           {"compute_seconds", result.compute_seconds},
                           {"sync_seconds", result.sync_seconds},
                           {"meeting_seconds", result.meeting_seconds},
                           {"contributors", result.contributors},
                           {"goodput", result.goodput},
                           {"goodput_share", result.goodput_share},
                           {"samples", tally.samples},
                           {"samples_lost", tally.samples_lost},
                           {"samples_rolled_back", tally.samples_rolled_back},
                           {"bytes", tally.bytes},
                           {"round_bytes", result.round_bytes},
                           {"round_busiest_link_bytes", result.round_busiest_link_bytes},
                           {"wasted_bytes", tally.wasted_bytes},
                           {"state_bytes", tally.state_bytes},
                           {"failures", tally.failures},
                           {"cut_off", tally.cut_off},
                           {"joined", tally.joined},
                           {"stopped_synchronisations", tally.stopped},
                           {"restarted_jobs", tally.restarted},
                           {"rounds_rolled_back", tally.rounds_rolled_back},
                           {"blocks", blocks}};
  if (tally.merges > 0) {
    object["staleness"] = {{"mean", tally.staleness / static_cast<double>(tally.merges)},
                           {"most", tally.most_staleness}};
  }
  return object;
}

}  // namespace resist
