#include "resist/cli/reports.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "resist/config/enum_words.h"
#include "resist/data/dataset_json.h"
#include "resist/data/loader.h"

namespace resist {
namespace {

using nlohmann::json;

json to_json(const EvaluationResult& result) {
  return {{"samples", result.samples},
          {"accuracy", result.top1},
          {"top5_accuracy", result.top5},
          {"test_loss", result.loss}};
}

const char* norms_in_words(bool running) {
  return running ? "running" : "batch";
}

}  // namespace

void print_average(const AverageReport& report, OutputFormat format, std::ostream& out) {
  const std::string folder = report.folder.string();
  if (format == OutputFormat::json) {
    const json object = {{"run", folder}, {"rounds", report.rounds}, {"parameters", report.parameters}};
    // A folder's name need not be UTF-8.
    out << object.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
    return;
  }
  out << fmt::format("{0}: the mean of rounds {1}, {2} parameters\nnext: resist calibrate {0}, resist evaluate {0}\n",
                     folder, fmt::join(report.rounds, ", "), report.parameters);
}

void print_evaluation(const EvaluateReport& report, OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::json) {
    json object = to_json(report.rows.front().result);
    object.update({{"round", report.round},
                   {"data", report.data},
                   {"eval_batch_size", report.batch_size},
                   {"eval_permutation_seed", EvaluationBatches::kPermutationSeed},
                   {"seconds", report.seconds}});
    for (const EvaluationRow& row : report.rows) {
      json result = to_json(row.result);
      result.update({{"set", row.set}, {"norms", norms_in_words(row.running)}, {"inference", to_word(row.inference)}});
      object["sets"].push_back(std::move(result));
    }
    out << object.dump() << '\n';
    return;
  }
  out << fmt::format("round {} on {}\n\n{:24} {:>8} {:>8} {:>8} {:>8}  {:8} network\n", report.round, report.data,
                     "set", "samples", "top-1 %", "top-5 %", "loss", "norms");
  for (const EvaluationRow& row : report.rows) {
    out << fmt::format("{:24} {:>8} {:>8.2f} {:>8.2f} {:>8.4f}  {:8} {}\n", row.set, row.result.samples,
                       100 * row.result.top1, 100 * row.result.top5, row.result.loss, norms_in_words(row.running),
                       to_word(row.inference));
  }
  out << fmt::format(
      "\nnorms: batch statistics (batches of at most {} along permutation {}), or running ones; network: all blocks, "
      "scaled,\n"
      "or an ensemble of sub-networks; {:.1f} s\n",
      report.batch_size, EvaluationBatches::kPermutationSeed, report.seconds);
}

void print_calibration(const CalibrateReport& report, OutputFormat format, std::ostream& out) {
  const Calibration& calibration = report.calibration;
  if (format == OutputFormat::json) {
    json trials = json::array();
    for (const ScaleTrial& trial : report.trials) {
      json result = to_json(trial.held_out);
      result["scale"] = trial.scale;
      trials.push_back(std::move(result));
    }
    out << json{{"round", calibration.round},   {"calibrate_samples", calibration.samples},
                {"scales", calibration.scales}, {"trials", trials},
                {"test", to_json(report.test)}, {"test_by_batch_statistics", to_json(report.test_by_batch)},
                {"seconds", report.seconds}}
               .dump()
        << '\n';
    return;
  }
  for (const ScaleTrial& trial : report.trials) {
    out << fmt::format("residual scale {:.4f}: held-out accuracy {:.2f} %, loss {:.4f}\n", fmt::join(trial.scale, ", "),
                       100 * trial.held_out.top1, trial.held_out.loss);
  }
  out << fmt::format("round {}: running statistics of {} training samples, residual scale{} {}\n", calibration.round,
                     calibration.samples, calibration.scales.size() == 1 ? "" : "s",
                     calibration.scales.empty() ? "1" : fmt::format("{:.4f}", fmt::join(calibration.scales, ", ")));
  out << fmt::format(
      "test accuracy {:.2f} % with them, {:.2f} % with batch statistics and the scale trained with ({:.1f} s)\n",
      100 * report.test.top1, 100 * report.test_by_batch.top1, report.seconds);
}

void print_export(const ExportReport& report, std::ostream& out) {
  out << fmt::format("{}: round {}, {} parameters\n", report.file.string(), report.round, report.parameters);
}

void print_prediction(const std::filesystem::path& picture, const std::vector<ClassProbability>& best,
                      OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::json) {
    json classes = json::array();
    for (const ClassProbability& one : best) {
      classes.push_back({{"class", one.name}, {"probability", one.probability}});
    }
    // A file's name need not be UTF-8.
    out << json{{"picture", picture.string()}, {"best", classes}}.dump(-1, ' ', false, json::error_handler_t::replace)
        << '\n';
    return;
  }
  out << picture.string() << '\n';
  for (const ClassProbability& one : best) {
    out << fmt::format("  {:6.2f} %  {}\n", 100 * one.probability, one.name);
  }
}

void print_packed_info(const PackedInfo& packed, OutputFormat format, std::ostream& out) {
  const DatasetInfo& info = packed.info;
  const std::string_view storage = to_word(packed.storage);
  if (format == OutputFormat::json) {
    json object = to_json(info);
    object.update({{"storage", storage}, {"bytes", packed.bytes}});
    for (const auto& [name, samples] : packed.parts) {
      object["parts"][name] = samples;
    }
    out << object.dump() << '\n';
    return;
  }
  out << fmt::format("{}: {} bytes, {} classes, ", info.name, packed.bytes, info.classes);
  if (packed.storage == PackStorage::pixels) {
    out << fmt::format("pixels of {}x{}x{} (channels x height x width)\n", info.channels, info.height, info.width);
  } else {
    out << fmt::format("picture files, {}\n", info.channels == 1 ? "grey" : "colour");
  }
  for (const auto& [name, samples] : packed.parts) {
    out << fmt::format("{:8} {:>10} samples\n", name, samples);
  }
}

}  // namespace resist
