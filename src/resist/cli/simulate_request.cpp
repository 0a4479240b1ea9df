#include "resist/cli/simulate_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "resist/config/codec.h"
#include "resist/core/error.h"
#include "resist/plan/quantity.h"

namespace resist {
namespace {

constexpr std::int64_t kUsualRounds = 100;
constexpr const char* kCluster = "Cluster";
constexpr const char* kFailures = "Failures";
constexpr const char* kVariants = "Variants";

// The value of one of the command's own flags, or what it has been.
template <typename T>
void read_own(const CommandLine& line, const char* flag, const Codec<T>& codec, T& value) {
  if (const auto given = line.own(flag)) {
    value = parse_value(codec, flag, *given);
  }
}

void read_quantity(const CommandLine& line, const char* flag, Quantity quantity, double& value) {
  if (const auto given = line.own(flag)) {
    value = parse_quantity(flag, *given, quantity);
  }
}

void read_quantities(const CommandLine& line, const char* flag, Quantity quantity, std::vector<double>& values) {
  if (const auto given = line.own(flag)) {
    values = parse_quantities(flag, *given, quantity);
  }
}

void read_cluster(const CommandLine& line, ClusterModel& cluster) {
  const Codec<double> spread = codecs::number(0, 3);
  read_own(line, "--workers", codecs::integer<int>(1, kMostSimulated), cluster.workers);
  read_quantities(line, "--speed", Quantity::speed, cluster.speeds);
  read_own(line, "--speed-spread", spread, cluster.speed_spread);
  read_own(line, "--jitter", spread, cluster.jitter);
  read_quantities(line, "--bandwidth", Quantity::bandwidth, cluster.bandwidths);
  read_own(line, "--bandwidth-spread", spread, cluster.bandwidth_spread);
  read_quantities(line, "--latency", Quantity::duration, cluster.latencies);
  read_own(line, "--sites", codecs::integer<int>(1, kMostSimulated), cluster.sites);
  read_quantity(line, "--uplink", Quantity::bandwidth, cluster.uplink_bandwidth);
  read_quantity(line, "--uplink-latency", Quantity::duration, cluster.uplink_latency);
  read_own(line, "--fail-per-hour", codecs::number(0, 1e6), cluster.failures_per_hour);
  read_own(line, "--return-after", codecs::number(0, 1e9), cluster.return_seconds);
  read_own(line, "--cut-off-share", codecs::number(0, 1), cluster.cut_off_share);
}

void read_variants(const CommandLine& line, SimulationOptions& options) {
  const Codec<int> rounds = codecs::integer<int>(1, 1'000'000);
  const Codec<int> count = codecs::integer<int>(1, kMostSimulated);
  read_own(line, "--replication", count, options.replication);
  read_own(line, "--groups", count, options.groups);
  read_own(line, "--group-rounds", rounds, options.group_rounds);
  read_own(line, "--homes", codecs::integer<int>(0, kMostSimulated), options.homes);
  read_own(line, "--home-rounds", rounds, options.home_rounds);
  options.hierarchical = line.own_switch("--hierarchical");
  options.asynchronous = line.own_switch("--asynchronous");
}

// Flags that do nothing without others.
void check_needs(const CommandLine& line) {
  constexpr auto kNeeds = std::to_array<std::pair<const char*, const char*>>({{"--uplink", "--sites"},
                                                                              {"--uplink-latency", "--sites"},
                                                                              {"--group-rounds", "--groups"},
                                                                              {"--home-rounds", "--homes"},
                                                                              {"--return-after", "--fail-per-hour"},
                                                                              {"--cut-off-share", "--fail-per-hour"}});
  for (const auto& [flag, needed] : kNeeds) {
    if (line.own(flag) && !line.own(needed)) {
      throw InputError(fmt::format("{} does nothing without {}; give both or neither", flag, needed));
    }
  }
}

// What the options' own rules cannot tell, since it is about which flags were given.
void check_given(const CommandLine& line, const SimulationOptions& options) {
  check_needs(line);
  const auto settings = line.settings();
  if (options.groups > 1 && std::ranges::find(settings, "checkpoint-every", &Setting::name) != settings.end()) {
    throw InputError(
        "--checkpoint-every can't be used with --groups: a group that loses everybody goes on from another one; "
        "leave one of them out");
  }
}

}  // namespace

void describe_simulate(CommandLine& simulate) {
  simulate.add_named(simulated_options());
  simulate.add_named({"rounds"}, std::to_string(kUsualRounds));
  simulate.add_own("--workers", "N", "up to 100000; default 4", kCluster);
  simulate.add_own("--speed", "SPEED,...", "operations a second of local steps, such as 40gflops; one, or one for each",
                   kCluster);
  simulate.add_own("--speed-spread", "X", "standard deviation of its logarithm, from worker to worker; default 0",
                   kCluster);
  simulate.add_own("--jitter", "X", "the same from round to round; default 0", kCluster);
  simulate.add_own("--bandwidth", "RATE,...", "rate of the workers' links, such as 1gbit; one, or one for each",
                   kCluster);
  simulate.add_own("--bandwidth-spread", "X", "standard deviation of its logarithm; default 0", kCluster);
  simulate.add_own("--latency", "TIME,...", "from a worker to the middle of its site, one way; default 0s", kCluster);
  simulate.add_own("--sites", "N", "sites that the workers lie in, as many in each; default 1", kCluster);
  simulate.add_own("--uplink", "RATE", "rate of the link that a site's workers share to other sites", kCluster);
  simulate.add_own("--uplink-latency", "TIME", "from a site to the middle of the network, one way; default 0s",
                   kCluster);
  simulate.add_own("--fail-per-hour", "X", "how often a worker dies; default 0", kFailures);
  simulate.add_own("--return-after", "SECONDS", "mean time until it is back; 0: it never is; default 600", kFailures);
  simulate.add_own("--cut-off-share", "X", "share of deaths that are noticed at --timeout only; default 0", kFailures);
  simulate.add_own("--replication", "K", "holders that each block has at least; default 1", kFailures);
  simulate.add_own("--groups", "N", "groups that each train the whole network; default 1", kVariants);
  simulate.add_own("--group-rounds", "N", "rounds between two averages of all groups; default 10", kVariants);
  simulate.add_own_switch("--hierarchical", "average inside sites first, then between them", kVariants);
  simulate.add_own("--homes", "N", "groups of workers that blocks stay in; default 0, none", kVariants);
  simulate.add_own("--home-rounds", "N", "rounds until a block moves to another home; default 10", kVariants);
  simulate.add_own_switch("--asynchronous", "nobody waits at a round's end", kVariants);
  simulate.add_examples({
      "resist simulate --model preact-resnet101 --workers 1000 --speed 100gflops --bandwidth 1gbit --latency 100us",
      "resist simulate --workers 64 --speed 40gflops --speed-spread 0.2 --bandwidth 100mbit --fail-per-hour 0.1 "
      "--protect none",
      "resist simulate --workers 400 --speed 1tflops --bandwidth 10gbit --sites 4 --uplink 1gbit --hierarchical",
  });
}

SimulationRequest read_simulation(const CommandLine& line) {
  SimulationRequest request;
  apply_settings(request.config, line.settings());
  ModelOptions& model = request.config.model;
  model.classes = model.classes == 0 ? 10 : model.classes;
  model.channels = model.channels == 0 ? 3 : model.channels;
  model.image_size = model.image_size == 0 ? 32 : model.image_size;
  validate(request.config);
  read_cluster(line, request.options.cluster);
  read_variants(line, request.options);
  const std::int64_t rounds = request.config.train.rounds;
  request.options.rounds = rounds == 0 ? kUsualRounds : rounds;
  check_given(line, request.options);
  request.options.validate(request.config);
  return request;
}

}  // namespace resist
