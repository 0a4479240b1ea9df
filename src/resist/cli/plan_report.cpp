#include "resist/cli/plan_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>

#include "resist/cli/forecast_report.h"
#include "resist/cli/plan_input.h"
#include "resist/config/enum_words.h"
#include "resist/plan/prediction.h"

namespace resist {
namespace {

constexpr double kGiga = 1e9;
constexpr double kMega = 1e6;
// Payload differs from round to round with what moves; the table shows the mean over so many.
constexpr std::int64_t kPlannedRounds = 100;

double mean(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Of the slowest link.
std::optional<double> floor_seconds(const PlanCommand& command, const Prediction& prediction) {
  if (command.bandwidths.empty()) {
    return std::nullopt;
  }
  return mean(prediction.busiest_link_bytes) * 8 / std::ranges::min(command.bandwidths);
}

struct PlanRow {
  std::string method;
  Prediction prediction;
};

std::vector<PlanRow> plan_rows(const PlanCommand& command, const NetworkSpec& spec, const Layout& layout) {
  std::vector<PlanRow> rows;
  for (const Method method : command.methods) {
    Config config = command.config;
    config.train.method = method;
    for (const int workers : command.workers) {
      rows.push_back({.method = std::string(to_word(method)),
                      .prediction = predict(config, spec, layout, workers, kPlannedRounds)});
    }
  }
  return rows;
}

nlohmann::json to_json(const MemoryPrediction& memory) {
  return {{"arena_bytes", memory.arena},
          {"arenas_bytes", memory.arenas},
          {"compress_bytes", memory.compress},
          {"outer_bytes", memory.outer},
          {"protect_bytes", memory.protect},
          {"overlap_bytes", memory.overlap},
          {"bf16_bytes", memory.bf16},
          {"step_bytes", memory.step},
          {"synchronisation_bytes", memory.synchronisation},
          {"evaluation_bytes", memory.evaluation},
          {"total_bytes", memory.total()}};
}

nlohmann::json to_json(const PlanRow& row, const std::optional<double>& floor) {
  const Prediction& prediction = row.prediction;
  nlohmann::json json = {{"method", row.method},
                         {"workers", prediction.workers},
                         {"blocks_per_worker", prediction.slots},
                         {"parameters_per_worker", prediction.parameters_per_worker},
                         {"paper_bytes_per_round", prediction.paper_bytes},
                         {"payload_bytes_by_round", prediction.payload_bytes},
                         {"busiest_link_bytes_by_round", prediction.busiest_link_bytes},
                         {"memory_per_worker", to_json(prediction.memory)}};
  if (prediction.warmup_memory) {
    json["memory_per_worker_in_warmup"] = to_json(*prediction.warmup_memory);
  }
  if (floor) {
    json["synchronisation_floor_seconds"] = *floor;
  }
  return json;
}

// What is missing for a forecast of seconds.
const char* hint(const PlanCommand& command) {
  const bool speeds = !command.speeds.empty() || command.measure;
  if (command.bandwidths.empty()) {
    return speeds ? "seconds need --bandwidth too" : "seconds need --bandwidth, and --speed or --measure N";
  }
  return "seconds need --speed or --measure N too";
}

void print_plan_table(const PlanCommand& command, const NetworkSpec& spec, const Layout& layout,
                      const std::vector<PlanRow>& rows, std::ostream& out) {
  out << fmt::format("{} parameters: {} shared, {} in {} partitioned blocks; pictures of {}x{}x{}, {} classes\n\n",
                     layout.total_size(), layout.shared_size, layout.partitioned_size(), layout.blocks.size(),
                     spec.channels, spec.height, spec.image_width, spec.classes);
  out << fmt::format("{:14} {:>7} {:>7} {:>12} {:>14} {:>15} {:>12}", "method", "workers", "blocks", "parameters",
                     "paper GB/round", "payload GB/round", "memory MB");
  out << (command.bandwidths.empty() ? "\n" : fmt::format(" {:>12}\n", "sync floor s"));
  for (const PlanRow& row : rows) {
    const Prediction& prediction = row.prediction;
    out << fmt::format("{:14} {:>7} {:>7} {:>12} {:>14.3f} {:>16.3f} {:>12.0f}", row.method, prediction.workers,
                       fmt::format("{}", fmt::join(prediction.slots, "+")), prediction.parameters_per_worker,
                       static_cast<double>(prediction.paper_bytes) / kGiga, mean(prediction.payload_bytes) / kGiga,
                       static_cast<double>(prediction.memory.total()) / kMega);
    const auto floor = floor_seconds(command, prediction);
    out << (floor ? fmt::format(" {:>12.3f}\n", *floor) : "\n");
  }
  out << "\nblocks, parameters, memory: of the worker that holds most. paper: the ResIST paper's counting, an upload\n"
         "and a download of everything each worker holds. payload: what resist sends, all workers, mean of "
      << kPlannedRounds
      << " rounds.\nmemory: parameters, momentum and the next round's parameters, and the most that a step, a "
         "synchronisation or an\nevaluation takes besides; libtorch itself and the data come on top.\n";
  if (!command.bandwidths.empty()) {
    out << "sync floor: what the busiest link must carry of a round's payload, over its rate.\n";
  }
  if (command.config.partition.balance == Balance::speed) {
    out << "--balance speed: blocks, parameters and memory are those of a worker so fast that the others keep the "
           "least;\n"
           "payload and sync floor those of workers that are equally fast; seconds and GB of the methods\n"
           "those of blocks that follow --speed.\n";
  }
  for (const PlanRow& row : rows) {
    for (const auto& [option, bytes] :
         {std::pair("--compress", row.prediction.memory.compress),
          std::pair("the outer step", row.prediction.memory.outer),
          std::pair("--protect buddy", row.prediction.memory.protect),
          std::pair("--overlap", row.prediction.memory.overlap),
          std::pair("a step's copy of the weights in bf16", row.prediction.memory.bf16)}) {
      if (bytes >= kMega) {
        out << fmt::format("{} takes {:.0f} MB of the memory of {} with {} workers.\n", option,
                           static_cast<double>(bytes) / kMega, row.method, row.prediction.workers);
      }
    }
    if (row.prediction.warmup_memory) {
      out << fmt::format(
          "{} of {} workers takes {:.0f} MB while every worker holds every block, in the first or last epochs.\n",
          row.method, row.prediction.workers, static_cast<double>(row.prediction.warmup_memory->total()) / kMega);
    }
  }
}

}  // namespace

void print_plan(const PlanCommand& command, std::ostream& out) {
  const PlanInput input = plan_input(command);
  const NetworkSpec spec = make_network_spec(command.config, input.shape);
  const Layout layout = make_layout(spec);
  const auto rows = plan_rows(command, spec, layout);
  const auto forecasts = forecast_methods(command, input, spec, layout);
  if (command.format == OutputFormat::table) {
    print_plan_table(command, spec, layout, rows, out);
    print_forecasts(command, input, forecasts, out);
    if (forecasts.empty()) {
      out << "\n" << hint(command) << "\n";
    }
    return;
  }
  nlohmann::json plans = nlohmann::json::array();
  for (const PlanRow& row : rows) {
    plans.push_back(to_json(row, floor_seconds(command, row.prediction)));
  }
  nlohmann::json groups = nlohmann::json::array();
  for (const ForecastGroup& group : forecasts) {
    groups.push_back(to_json(group));
  }
  out << nlohmann::json{{"parameters", layout.total_size()},
                        {"shared_parameters", layout.shared_size},
                        {"partitioned_parameters", layout.partitioned_size()},
                        {"partitioned_blocks", layout.blocks.size()},
                        {"plans", plans},
                        {"forecasts", groups}}
             .dump(2)
      << '\n';
}

}  // namespace resist
