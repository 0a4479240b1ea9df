#include "resist/simulate/cluster_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

// Beside the purposes of core/random.h: what is drawn here never shares bits with a training's choices.
constexpr auto kSimulation = static_cast<RandomPurpose>(9);

RandomStream stream_of(std::uint64_t seed, ClusterDraws::Kind kind, int worker, std::int64_t position) {
  return {seed,
          kSimulation,
          {.stream = static_cast<std::uint32_t>(worker),
           .epoch = static_cast<std::uint32_t>(kind),
           .position = static_cast<std::uint32_t>(position)}};
}

// Uniform in [0, 1), 53 bits: the tail of an exponential needs more than RandomStream::uniform's 24.
double uniform_of(RandomStream& random) {
  const std::uint64_t high = random.next();
  return static_cast<double>((high << 32U | random.next()) >> 11U) * 0x1p-53;
}

double value_of(const std::vector<double>& given, int worker) {
  return given.size() == 1 ? given.front() : given[static_cast<std::size_t>(worker)];
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void check_list(const char* flag, const char* example, const std::vector<double>& given, int workers, double least) {
  if (given.empty()) {
    throw InputError(
        fmt::format("{0} is needed: give one value, or one for each worker, such as {0} {1}", flag, example));
  }
  if (given.size() != 1 && given.size() != static_cast<std::size_t>(workers)) {
    throw InputError(
        fmt::format("{} has {} values for {} workers: give one, or one for each worker", flag, given.size(), workers));
  }
  for (const double value : given) {
    if (!(value >= least) || !std::isfinite(value)) {
      throw InputError(fmt::format("{} is {}; it must be at least {}", flag, value, least));
    }
  }
}

void check_range(const char* flag, double value, double least, double most) {
  if (!(value >= least && value <= most)) {
    throw InputError(fmt::format("{} is {}; it must be a number from {} to {}", flag, value, least, most));
  }
}

}  // namespace

ClusterModel ClusterModel::even() const {
  ClusterModel model = *this;
  model.speeds = {mean_of(speeds)};
  model.bandwidths = {mean_of(bandwidths)};
  model.latencies = {mean_of(latencies)};
  model.speed_spread = 0;
  model.jitter = 0;
  model.bandwidth_spread = 0;
  model.failures_per_hour = 0;
  model.known_outages.clear();
  return model;
}

void ClusterModel::validate() const {
  check_range("--workers", workers, 1, kMostSimulated);
  check_list("--speed", "40gflops", speeds, workers, 1);
  check_list("--bandwidth", "100mbit", bandwidths, workers, 1);
  check_list("--latency", "5ms", latencies, workers, 0);
  check_range("--speed-spread", speed_spread, 0, 3);
  check_range("--jitter", jitter, 0, 3);
  check_range("--bandwidth-spread", bandwidth_spread, 0, 3);
  check_range("--sites", sites, 1, workers);
  if (sites > 1) {
    check_range("--uplink", uplink_bandwidth, 1, 1e15);
  }
  check_range("--uplink-latency", uplink_latency, 0, 3600);
  check_range("--fail-per-hour", failures_per_hour, 0, 1e6);
  check_range("--return-after", return_seconds, 0, 1e9);
  check_range("--cut-off-share", cut_off_share, 0, 1);
  for (const Outage& outage : known_outages) {
    check_range("an outage's worker", outage.worker, 0, workers - 1);
    check_range("an outage's time", outage.seconds, 0, 1e12);
  }
}

double ClusterDraws::uniform(Kind kind, int worker, std::int64_t position) const {
  RandomStream random = stream_of(seed_, kind, worker, position);
  return uniform_of(random);
}

double ClusterDraws::exponential(Kind kind, int worker, std::int64_t position, double mean) const {
  return -mean * std::log1p(-uniform(kind, worker, position));
}

// Box and Muller.
double ClusterDraws::log_normal(Kind kind, int worker, std::int64_t position, double spread) const {
  if (spread == 0) {
    return 1;
  }
  RandomStream random = stream_of(seed_, kind, worker, position);
  const double radius = std::sqrt(-2 * std::log1p(-uniform_of(random)));
  return std::exp(spread * radius * std::cos(2 * std::numbers::pi * uniform_of(random)));
}

std::vector<int> ClusterDraws::hand(int worker, std::int64_t position, int count, int bound) const {
  RandomStream random = stream_of(seed_, Kind::hand, worker, position);
  std::vector<int> cards(static_cast<std::size_t>(bound));
  std::iota(cards.begin(), cards.end(), 0);
  for (int taken = 0; taken < count; ++taken) {
    std::swap(cards[taken], cards[taken + static_cast<int>(random.below(static_cast<std::uint32_t>(bound - taken)))]);
  }
  cards.resize(static_cast<std::size_t>(count));
  std::ranges::sort(cards);
  return cards;
}

Cluster::Cluster(const ClusterModel& cluster_model, std::uint64_t seed) : model(cluster_model), draws(seed) {
  for (int worker = 0; worker < model.workers; ++worker) {
    speeds.push_back(value_of(model.speeds, worker) *
                     draws.log_normal(ClusterDraws::Kind::speed, worker, 0, model.speed_spread));
    links.push_back({.bandwidth = value_of(model.bandwidths, worker) *
                                  draws.log_normal(ClusterDraws::Kind::bandwidth, worker, 0, model.bandwidth_spread),
                     .latency = value_of(model.latencies, worker)});
  }
}

}  // namespace resist
