#include "resist/report/report_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "resist/config/enum_words.h"
#include "resist/config/option.h"
#include "resist/config/version.h"
#include "resist/report/comparison.h"
#include "resist/report/figures.h"

namespace resist {
namespace {

using nlohmann::json;

// Whole numbers as such, what is not finite as null. `digits`: how many count; 0: all.
json number(double value, int digits = 0) {
  constexpr double kExact = 9e15;  // whole numbers below it are exact
  if (!std::isfinite(value)) {
    return nullptr;
  }
  if (std::abs(value) < kExact && value == std::floor(value)) {
    return static_cast<std::int64_t>(value);
  }
  return digits > 0 ? std::strtod(fmt::format("{:.{}g}", value, digits).c_str(), nullptr) : value;
}

json short_number(double value) {
  constexpr int kDigits = 7;
  return number(value, kDigits);
}

const char* word(FigureKind kind) {
  switch (kind) {
    case FigureKind::share:
      return "share";
    case FigureKind::count:
      return "count";
    case FigureKind::seconds:
      return "seconds";
    case FigureKind::bytes:
      return "bytes";
    case FigureKind::number:
      break;
  }
  return "number";
}

// A value for each round; seconds, bytes and samples add up from the run's start.
json columns_of(const RunHistory& run) {
  std::map<std::string, json> columns;
  double seconds = 0;
  double bytes = 0;
  std::int64_t samples = 0;
  for (const RoundRecord& record : run.records) {
    seconds += round_seconds(record);
    bytes += round_bytes(record);
    samples = std::max(samples, record.samples);
    columns["round"].push_back(record.round);
    columns["seconds"].push_back(short_number(seconds));
    columns["bytes"].push_back(number(bytes));
    columns["samples"].push_back(samples);
    columns["loss"].push_back(short_number(record.loss));
    columns["compute"].push_back(short_number(mean_worker(record.worker_seconds_compute)));
    columns["sync"].push_back(short_number(mean_worker(record.worker_seconds_sync)));
    columns["wait"].push_back(short_number(mean_worker(record.worker_seconds_wait)));
  }
  return columns;
}

// Of the rounds that were evaluated; `at` says where they are in the columns.
json evaluations_of(const RunHistory& run) {
  json at = json::array();
  json accuracy = json::array();
  json test_loss = json::array();
  for (std::size_t i = 0; i < run.records.size(); ++i) {
    const RoundRecord& record = run.records[i];
    if (record.accuracy) {
      at.push_back(i);
      accuracy.push_back(short_number(*record.accuracy));
      test_loss.push_back(short_number(record.test_loss.value_or(NAN)));
    }
  }
  return {{"at", at}, {"accuracy", accuracy}, {"test_loss", test_loss}};
}

// What each worker did in the whole run, by rank.
json workers_of(const RunHistory& run) {
  std::vector<std::map<std::string, double>> workers;
  for (const RoundRecord& record : run.records) {
    workers.resize(std::max(workers.size(), record.worker_loss.size()));
    for (std::size_t i = 0; i < record.worker_loss.size(); ++i) {
      auto& worker = workers[i];
      const auto add = [&](const char* key, double value) { worker[key] += std::isfinite(value) ? value : 0; };
      const auto sent = static_cast<double>(record.worker_bytes_sent[i]);
      add("bytes_sent", sent);
      add("bytes_received", static_cast<double>(record.worker_bytes_received[i]));
      add("seconds_compute", record.worker_seconds_compute[i]);
      add("seconds_wait", record.worker_seconds_wait[i]);
      worker["most_bytes_sent"] = std::max(worker["most_bytes_sent"], sent);
      worker["peak_memory_bytes"] =
          std::max(worker["peak_memory_bytes"], static_cast<double>(record.worker_peak_memory_bytes[i]));
    }
  }
  json list = json::array();
  for (const auto& worker : workers) {
    json object = json::object();
    for (const auto& [key, value] : worker) {
      object[key] = number(value);
    }
    list.push_back(std::move(object));
  }
  return list;
}

// For each worker the blocks that it holds, as the bits of a hexadecimal number (block 0 is the first digit's highest
// bit), with spaces between the workers.
std::string held_blocks(const Assignment& assignment) {
  constexpr int kBits = 4;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int worker = 0; worker < assignment.workers(); ++worker) {
    std::vector<unsigned> digits(static_cast<std::size_t>((assignment.blocks() + kBits - 1) / kBits));
    for (const int block : assignment.held(worker)) {
      digits[static_cast<std::size_t>(block / kBits)] |= 8U >> static_cast<unsigned>(block % kBits);
    }
    text += worker > 0 ? " " : "";
    for (const unsigned digit : digits) {
      text += kDigits[digit];
    }
  }
  return text;
}

json holdings_of(const RunHistory& run) {
  json first = json::array();
  json last = json::array();
  json held = json::array();
  for (const HoldingSpan& span : run.holdings) {
    first.push_back(span.first_round);
    last.push_back(span.last_round);
    held.push_back(held_blocks(span.assignment));
  }
  return {{"blocks", run.blocks}, {"first", first}, {"last", last}, {"held", held}};
}

json options_of(const Config& config) {
  json options = json::array();
  for (const Option& option : option_table()) {
    options.push_back({option.name, option_text(config, option), option.group});
  }
  return options;
}

json run_json(const RunHistory& run) {
  json object = {{"name", run.name}, {"path", run.path.string()}};
  if (run.config) {
    const TrainOptions& train = run.config->train;
    object["method"] = to_word(train.method);
    object["data"] = run.config->data.data;
    object["model"] = run.config->model.model;
    object["options"] = options_of(*run.config);
    object["epochs"] = train.rounds > 0 ? json() : number(train.epochs);
    object["rounds"] = train.rounds > 0 ? json(train.rounds) : json();
    object["workers"] = run.records.empty() ? static_cast<std::size_t>(run.config->cluster.workers.most)
                                            : run.records.back().worker_loss.size();
  }
  object["epoch"] = run.records.empty() ? json() : short_number(run.records.back().epoch);
  object["columns"] = columns_of(run);
  object["evaluations"] = evaluations_of(run);
  object["per_worker"] = workers_of(run);
  object["holdings"] = holdings_of(run);
  return object;
}

json figures_json(const std::vector<RunHistory>& runs) {
  json list = json::array();
  for (const Figure& figure : final_figures(runs)) {
    json values = json::array();
    for (const auto& value : figure.values) {
      values.push_back(value ? number(*value) : json());
    }
    list.push_back({{"label", figure.label},
                    {"kind", word(figure.kind)},
                    {"values", std::move(values)},
                    {"explanation", figure.explanation}});
  }
  return list;
}

// Such characters stand only inside texts, where JSON may escape them.
std::string without_markup(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::string report_json(const std::vector<RunHistory>& runs) {
  json report = {{"version", version()}, {"notes", report_notes(runs)}, {"figures", figures_json(runs)}};
  report["differences"] = json::array();
  for (const DifferingOption& option : differing_options(runs)) {
    report["differences"].push_back({{"name", option.name}, {"values", option.values}});
  }
  report["runs"] = json::array();
  for (const RunHistory& run : runs) {
    report["runs"].push_back(run_json(run));
  }
  constexpr bool kAscii = true;
  return without_markup(report.dump(-1, ' ', kAscii, json::error_handler_t::replace));
}

}  // namespace resist
