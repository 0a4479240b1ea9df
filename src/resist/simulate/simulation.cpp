#include "resist/simulate/simulation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "resist/simulate/asynchronous.h"
#include "resist/simulate/replica_groups.h"

namespace resist {
namespace {

constexpr std::int64_t kEvenRounds = 20;  // with dealing, what moves differs from round to round

Durations durations_of(std::vector<double> seconds) {
  if (seconds.empty()) {
    return {};
  }
  std::ranges::sort(seconds);
  const auto count = static_cast<double>(seconds.size());
  // The least value that so large a share of all does not exceed.
  const auto percentile = [&](double share) {
    return seconds[static_cast<std::size_t>(std::max(1.0, std::ceil(share * count))) - 1];
  };
  return {.mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) / count,
          .median = percentile(0.5),
          .percentile_99 = percentile(0.99),
          .most = seconds.back()};
}

Outcome run(const Config& config, const NetworkSpec& spec, const Layout& layout, const SimulationOptions& options) {
  const Cluster cluster(options.cluster, config.train.seed);
  const SimulationSetup setup{.config = config, .spec = spec, .layout = layout, .options = options, .cluster = cluster};
  return options.asynchronous ? run_asynchronous(setup) : run_jobs(setup);
}

// Meetings of groups in so many rounds: the last round has one too.
std::int64_t meetings_in(std::int64_t rounds, const SimulationOptions& options) {
  return (rounds + options.group_rounds - 1) / options.group_rounds;
}

// A few rounds tell about all where they are alike: as many as make whole periods. With --overlap they are not, as some
// are synchronised in full. Groups meet a last time wherever the rounds end, so that meetings are counted apart.
double even_goodput(const Config& config, const NetworkSpec& spec, const Layout& layout, SimulationOptions options) {
  options.cluster = options.cluster.even();
  const std::int64_t all_rounds = options.rounds;
  const std::int64_t period = options.groups > 1 ? options.group_rounds : options.homes > 0 ? options.home_rounds : 1;
  if (!config.sync.overlap) {
    options.rounds = std::min(options.rounds, (kEvenRounds + period - 1) / period * period);
  }
  const Outcome outcome = run(config, spec, layout, options);
  const double meeting_seconds = outcome.tally.meeting_seconds / options.groups;
  const auto times = [](std::int64_t all, std::int64_t few) {
    return static_cast<double>(all) / static_cast<double>(few);
  };
  const double more_rounds = times(all_rounds, options.rounds);
  const double more_meetings = times(meetings_in(all_rounds, options), meetings_in(options.rounds, options));
  const double seconds = (outcome.seconds - meeting_seconds) * more_rounds + meeting_seconds * more_meetings;
  return seconds > 0 ? outcome.tally.samples * more_rounds / seconds : 0;
}

}  // namespace

SimulationResult simulate(const Config& config, const NetworkSpec& spec, const Layout& layout,
                          const SimulationOptions& options) {
  options.validate(config);
  Outcome outcome = run(config, spec, layout, options);
  SimulationResult result{.rounds = outcome.rounds,
                          .most_rounds = outcome.most_rounds,
                          .stalled_groups = outcome.stalled_groups,
                          .seconds = outcome.seconds};
  result.tally = std::move(outcome.tally);
  result.rounds_done = static_cast<std::int64_t>(result.tally.round_seconds.size());
  result.round = durations_of(std::exchange(result.tally.round_seconds, {}));
  result.goodput = outcome.seconds > 0 ? result.tally.samples / outcome.seconds : 0;
  const double even = even_goodput(config, spec, layout, options);
  result.goodput_share = even > 0 ? result.goodput / even : 0;
  if (result.rounds_done > 0) {
    const auto done = static_cast<double>(result.rounds_done);
    result.compute_seconds = result.tally.compute_seconds / done;
    result.sync_seconds = result.tally.sync_seconds / done;
    result.meeting_seconds = result.tally.meeting_seconds / done;
    result.round_busiest_link_bytes = result.tally.busiest_link_bytes / done;
    const auto rounds = static_cast<double>(result.most_rounds);
    const double samples = static_cast<double>(config.train.local_iterations) * config.train.batch_size;
    result.contributors = (result.tally.samples + result.tally.samples_rolled_back) / (rounds * samples);
    result.round_bytes = result.tally.bytes / rounds;
  }
  if (const BlockTally& blocks = result.tally.blocks; blocks.block_rounds > 0) {
    result.holders = blocks.holders / static_cast<double>(blocks.block_rounds);
  }
  return result;
}

}  // namespace resist
