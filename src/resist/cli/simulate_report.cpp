#include "resist/cli/simulate_report.h"

#include <fmt/format.h>

#include <cmath>
#include <ostream>
#include <string>

#include "resist/config/enum_words.h"
#include "resist/plan/quantity.h"
#include "resist/simulate/simulation_report.h"

namespace resist {
namespace {

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;
constexpr double kPercent = 100;

std::string hours_in_words(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

// One value, or the first of several with a hint that there are more.
std::string list_in_words(const std::vector<double>& values, Quantity quantity) {
  return in_words(values.front(), quantity) + (values.size() > 1 ? " and others" : "");
}

std::string spread_in_words(double spread) {
  return spread > 0 ? fmt::format(" (spread {:g})", spread) : "";
}

std::string variant_in_words(const SimulationOptions& options) {
  std::string words;
  if (options.cluster.sites > 1) {
    words += fmt::format(", on {} sites with uplinks of {}", options.cluster.sites,
                         in_words(options.cluster.uplink_bandwidth, Quantity::bandwidth));
  }
  if (options.groups > 1) {
    words += fmt::format(", in {} groups that meet every {} rounds", options.groups, options.group_rounds);
  }
  if (options.homes > 0) {
    words += fmt::format(", blocks in {} homes for {} rounds", options.homes, options.home_rounds);
  }
  words += options.hierarchical ? ", averaged hierarchically" : "";
  words += options.asynchronous ? ", asynchronous" : "";
  return words;
}

void print_what(const SimulationRequest& request, const Layout& layout, std::ostream& out) {
  const ClusterModel& cluster = request.options.cluster;
  out << fmt::format("{}, {} workers{}; {} shared parameters, {} partitioned blocks\n",
                     to_word(request.config.train.method), cluster.workers, variant_in_words(request.options),
                     layout.shared_size, layout.blocks.size());
  out << fmt::format("workers of {}{}, links of {}{}, latency {}; {:g} failures an hour each, protection {}\n\n",
                     list_in_words(cluster.speeds, Quantity::speed), spread_in_words(cluster.speed_spread),
                     list_in_words(cluster.bandwidths, Quantity::bandwidth), spread_in_words(cluster.bandwidth_spread),
                     list_in_words(cluster.latencies, Quantity::duration), cluster.failures_per_hour,
                     to_word(request.config.sync.protect));
}

void print_stalled(const SimulationOptions& options, const SimulationResult& result, std::ostream& out) {
  std::string what = "stalled";
  if (options.groups > 1) {
    what = fmt::format("{} of {} groups stalled{}", result.stalled_groups, options.groups,
                       result.stalled_groups > 1 ? ", the first" : "");
  }
  const bool somebody_returns = options.cluster.return_seconds > 0;
  out << fmt::format("{} after {} of {} rounds: {}\n", what, result.rounds, options.rounds,
                     somebody_returns ? "workers die faster than a round can be finished" : "nobody who dies returns");
}

void print_time(const SimulationResult& result, std::ostream& out) {
  const std::string more = result.most_rounds > result.rounds ? fmt::format(" to {}", result.most_rounds) : "";
  out << fmt::format("rounds              {}{} in {}\n", result.rounds, more, hours_in_words(result.seconds));
  out << fmt::format("a round             mean {:.4g} s, median {:.4g} s, 99 % {:.4g} s, longest {:.4g} s\n",
                     result.round.mean, result.round.median, result.round.percentile_99, result.round.most);
  out << fmt::format("  local iterations  {:.4g} s\n  synchronisation   {:.4g} s\n", result.compute_seconds,
                     result.sync_seconds);
  if (result.meeting_seconds > 0) {
    out << fmt::format("  between groups    {:.4g} s\n", result.meeting_seconds);
  }
  out << fmt::format(
      "goodput             {:.4g} samples/s of {:.4g} workers, {:.1f} % of even workers that never fail\n",
      result.goodput, result.contributors, kPercent * result.goodput_share);
}

void print_losses(const SimulationResult& result, std::ostream& out) {
  const Tally& tally = result.tally;
  const double all = std::max(1.0, tally.samples + tally.samples_lost + tally.samples_rolled_back);
  out << fmt::format("lost                {:.3g} % of the samples with workers that died, {:.3g} % rolled back\n",
                     kPercent * tally.samples_lost / all, kPercent * tally.samples_rolled_back / all);
  out << fmt::format(
      "failures            {} ({} cut off), {} returned; {} synchronisations began anew; {} times nobody "
      "was left\n",
      tally.failures, tally.cut_off, tally.joined, tally.stopped, tally.restarted);
  if (tally.merges > 0) {
    out << fmt::format("staleness           mean {:.3g} rounds, most {:.3g}\n",
                       tally.staleness / static_cast<double>(tally.merges), tally.most_staleness);
  }
}

void print_bytes_and_blocks(const SimulationResult& result, std::ostream& out) {
  const Tally& tally = result.tally;
  out << fmt::format("bytes a round       {:.4g} GB of all workers, {:.4g} MB of the busiest\n",
                     result.round_bytes / kGiga, result.round_busiest_link_bytes / kMega);
  out << fmt::format("  of all bytes      {:.3g} GB wasted, {:.3g} GB to workers that joined\n",
                     tally.wasted_bytes / kGiga, tally.state_bytes / kGiga);
  const BlockTally& blocks = tally.blocks;
  if (blocks.block_rounds == 0) {
    return;
  }
  out << fmt::format("blocks              {:.1f} holders ({} to {}); {} of {} left without one at a round's end\n",
                     result.holders, blocks.least_holders, blocks.most_holders, blocks.unheld, blocks.block_rounds);
  out << fmt::format(
      "  went on from      {} a buddy, {} another group, {} a checkpoint ({:.0f} rounds of theirs lost)\n",
      blocks.from_buddy, blocks.from_group, blocks.from_checkpoint, blocks.rounds_lost);
}

}  // namespace

void print_simulation(const SimulationRequest& request, OutputFormat format, std::ostream& out) {
  const ModelOptions& model = request.config.model;
  const NetworkSpec spec = make_network_spec(
      request.config,
      {.channels = model.channels, .height = model.image_size, .width = model.image_size, .classes = model.classes});
  const Layout layout = make_layout(spec);
  const SimulationResult result = simulate(request.config, spec, layout, request.options);
  if (format == OutputFormat::json) {
    out << nlohmann::json{{"simulated", to_json(request.config, request.options)}, {"result", to_json(result)}}.dump(2)
        << '\n';
    return;
  }
  print_what(request, layout, out);
  if (result.stalled_groups > 0) {
    print_stalled(request.options, result, out);
  }
  if (result.rounds_done == 0) {
    return;
  }
  print_time(result, out);
  print_losses(result, out);
  print_bytes_and_blocks(result, out);
}

}  // namespace resist
