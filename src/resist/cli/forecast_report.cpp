#include "resist/cli/forecast_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <string>
#include <utility>

#include "resist/config/enum_words.h"
#include "resist/core/counted.h"
#include "resist/core/error.h"
#include "resist/partition/schedule.h"
#include "resist/partition/training_method.h"
#include "resist/plan/quantity.h"
#include "resist/run/measure_speed.h"

namespace resist {
namespace {

constexpr double kGiga = 1e9;

// One value for each worker, from one for all or one for each.
std::vector<double> for_workers(const char* flag, const std::vector<double>& given, int workers) {
  const auto count = static_cast<std::size_t>(workers);
  if (given.size() == 1) {
    return std::vector<double>(count, given.front());
  }
  if (given.size() != count) {
    throw InputError(fmt::format("{} has {} values, but {} workers are planned for: give one, or one for each worker",
                                 flag, given.size(), workers));
  }
  return given;
}

std::vector<Link> links_of(const PlanCommand& command, int workers) {
  const auto bandwidths = for_workers("--bandwidth", command.bandwidths, workers);
  const auto latencies = for_workers("--latency", command.latencies, workers);
  std::vector<Link> links;
  for (std::size_t worker = 0; worker < bandwidths.size(); ++worker) {
    links.push_back({.bandwidth = bandwidths[worker], .latency = latencies[worker]});
  }
  return links;
}

// The speeds of a plan's workers, given or measured. What has been measured once is not measured again.
class Speeds {
 public:
  Speeds(const PlanCommand& command, const PlanInput& input, const NetworkSpec& spec, const Layout& layout)
      : command_(command), input_(input), spec_(spec), layout_(layout) {}

  std::vector<WorkerSpeed> of(const Config& config, int workers) {
    std::vector<WorkerSpeed> speeds;
    if (!command_.speeds.empty()) {
      for (const double speed : for_workers("--speed", command_.speeds, workers)) {
        speeds.push_back({.training = speed, .evaluation = speed, .handling = kUsualHandling});
      }
      return speeds;
    }
    const int at_once = std::min(workers, *command_.measure);
    WorkerSpeed speed = measured(sub_network(config, workers), at_once);
    speed.evaluation = measured(spec_.depths, at_once).evaluation;
    return std::vector<WorkerSpeed>(static_cast<std::size_t>(workers), speed);
  }

 private:
  // Blocks per section of what a worker trains.
  std::vector<int> sub_network(const Config& config, int workers) const {
    std::vector<int> depths = spec_.depths;
    constexpr double kHalfway = 0.5;  // where sub-networks grow
    const auto slots = make_method(config_at(config, kHalfway), deck_sizes(layout_), workers)->slots(false);
    for (std::size_t deck = 0; deck < layout_.decks.size(); ++deck) {
      int& depth = depths[static_cast<std::size_t>(layout_.decks[deck].section - 1)];
      depth += slots[deck] - layout_.decks[deck].count;
    }
    return depths;
  }

  WorkerSpeed measured(const std::vector<int>& depths, int workers) {
    const auto known = measured_.find({depths, workers});
    if (known != measured_.end()) {
      return known->second;
    }
    const WorkerSpeed speed = measure_speed(command_.config, input_.shape, depths, workers);
    measured_.emplace(std::pair(depths, workers), speed);
    return speed;
  }

  const PlanCommand& command_;
  const PlanInput& input_;
  const NetworkSpec& spec_;
  const Layout& layout_;
  std::map<std::pair<std::vector<int>, int>, WorkerSpeed> measured_;
};

std::string duration(double seconds) {
  if (seconds < 60) {
    return fmt::format("{:.3g} s", seconds);
  }
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string range_in_words(const std::vector<double>& values, Quantity quantity) {
  const auto [least, most] = std::ranges::minmax(values);
  return in_words(least, quantity) + (least == most ? "" : " to " + in_words(most, quantity));
}

std::string speeds_in_words(const PlanCommand& command) {
  if (!command.measure) {
    return "workers of " + range_in_words(command.speeds, Quantity::speed);
  }
  return fmt::format("speeds measured here, at most {} at once", counted(*command.measure, "worker"));
}

nlohmann::json to_json(const RoundForecast& round) {
  return {{"operations", round.operations},
          {"bytes", round.bytes},
          {"compute_seconds", round.compute_seconds},
          {"sync_seconds", round.sync_seconds}};
}

}  // namespace

std::vector<ForecastGroup> forecast_methods(const PlanCommand& command, const PlanInput& input, const NetworkSpec& spec,
                                            const Layout& layout) {
  std::vector<ForecastGroup> groups;
  if (command.bandwidths.empty() || (command.speeds.empty() && !command.measure)) {
    return groups;
  }
  Speeds speeds(command, input, spec, layout);
  for (const int workers : command.workers) {
    ForecastGroup group{.workers = workers, .methods = {}};
    for (const Method method : command.methods) {
      Config config = command.config;
      config.train.method = method;
      const std::vector<WorkerSpeed> of_workers = speeds.of(config, workers);
      const Forecaster forecaster(config, spec, layout, workers, hands_for(config, spec, layout, of_workers));
      const Circumstances circumstances{.speeds = of_workers,
                                        .links = links_of(command, workers),
                                        .training_samples = input.training_samples,
                                        .evaluation_samples = input.evaluation_samples};
      group.methods.push_back({.method = method,
                               .forecast = forecaster.forecast(circumstances),
                               .balanced_bandwidth = forecaster.balanced_bandwidth(circumstances)});
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

void print_forecasts(const PlanCommand& command, const PlanInput& input, const std::vector<ForecastGroup>& groups,
                     std::ostream& out) {
  if (groups.empty()) {
    return;
  }
  out << fmt::format(
      "\nlinks of {}, latency {}; {}; {} samples\n", range_in_words(command.bandwidths, Quantity::bandwidth),
      range_in_words(command.latencies, Quantity::duration), speeds_in_words(command), input.training_samples);
  out << fmt::format("{:14} {:>7} {:>12} {:>10} {:>10} {:>10} {:>7} {:>7} {:>10} {:>8} {:>10}\n", "method", "workers",
                     "Gflop/round", "compute s", "sync s", "evaluate s", "save s", "rounds", "Gflop all", "GB all",
                     "finished in");
  for (const ForecastGroup& group : groups) {
    for (const MethodForecast& row : group.methods) {
      const Forecast& forecast = row.forecast;
      out << fmt::format(
          "{:14} {:>7} {:>12.4g} {:>10.4g} {:>10.4g} {:>10.4g} {:>7.4g} {:>7} {:>10.4g} {:>8.4g} {:>10}\n",
          to_word(row.method), group.workers, forecast.round.operations / kGiga, forecast.round.compute_seconds,
          forecast.round.sync_seconds, forecast.evaluation_seconds, forecast.checkpoint_seconds,
          forecast.rounds + forecast.warmup_rounds, forecast.operations() / kGiga, forecast.bytes() / kGiga,
          duration(forecast.seconds()));
    }
  }
  out << "\ncompute, sync: of a round, the slowest worker's; evaluate: of one evaluation; save: of one checkpoint. "
         "Gflop: local\nsteps', all workers. finished in: with the running statistics at the end. All methods train on "
         "the same number of samples; what they learn from them differs.\n";
  for (const ForecastGroup& group : groups) {
    out << fmt::format("{}: {}.\n", counted(group.workers, "worker"), recommend(group.methods));
  }
}

nlohmann::json to_json(const ForecastGroup& group) {
  nlohmann::json methods = nlohmann::json::array();
  for (const MethodForecast& row : group.methods) {
    const Forecast& forecast = row.forecast;
    nlohmann::json method = {{"method", to_word(row.method)},
                             {"rounds", forecast.rounds},
                             {"round", to_json(forecast.round)},
                             {"warmup_rounds", forecast.warmup_rounds},
                             {"evaluations", forecast.evaluations},
                             {"evaluation_seconds", forecast.evaluation_seconds},
                             {"checkpoints", forecast.checkpoints},
                             {"checkpoint_seconds", forecast.checkpoint_seconds},
                             {"calibration_seconds", forecast.calibration_seconds},
                             {"seconds", forecast.seconds()},
                             {"bytes", forecast.bytes()},
                             {"operations", forecast.operations()}};
    if (std::isfinite(row.balanced_bandwidth)) {
      method["balanced_bandwidth"] = row.balanced_bandwidth;
    }
    if (forecast.warmup_rounds > 0) {
      method["warmup_round"] = to_json(forecast.warmup_round);
    }
    methods.push_back(std::move(method));
  }
  return {{"workers", group.workers}, {"methods", methods}, {"recommendation", recommend(group.methods)}};
}

}  // namespace resist
