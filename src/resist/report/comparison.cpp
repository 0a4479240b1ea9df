#include "resist/report/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "resist/config/option.h"

namespace resist {
namespace {

using Names = std::vector<std::string_view>;

bool names(const Names& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// What changes nothing but where a run lies and how its workers find each other.
const Names kPlaces = {"run-dir", "resume", "replay-membership", "port", "interface", "rendezvous-timeout", "timeout"};
// What an accuracy depends on besides the network.
const Names kTestedOn = {"data", "holdout", "eval-batch-size"};
// What seconds depend on besides the method.
const Names kSpeed = {"threads", "loader-threads", "device", "precision", "in-process"};

// "--data (fashion-mnist, cifar10)": each value once, of those options that `counts` is true for; empty: none.
template <typename Counts>
std::string listed(const std::vector<DifferingOption>& options, Counts counts) {
  std::string text;
  for (const DifferingOption& option : options) {
    if (!counts(option.name)) {
      continue;
    }
    std::vector<std::string> values;
    for (const std::string& value : option.values) {
      const std::string& word = value.empty() ? "default" : value;
      if (std::find(values.begin(), values.end(), word) == values.end()) {
        values.push_back(word);
      }
    }
    text += fmt::format("{}--{} ({})", text.empty() ? "" : ", ", option.name, fmt::join(values, ", "));
  }
  return text;
}

void compare(const std::vector<RunHistory>& runs, std::vector<std::string>& notes) {
  std::vector<RunHistory> begun;  // without their rounds, which nobody asks for here
  for (const RunHistory& run : runs) {
    if (!run.records.empty()) {
      begun.push_back({.name = run.name, .path = run.path, .config = run.config});
    }
  }
  const auto options = differing_options(begun);
  const auto add = [&](const std::string& which, const char* sentence) {
    if (!which.empty()) {
      notes.push_back(fmt::format("The runs differ in {}: {}", which, sentence));
    }
  };
  add(listed(options, [](std::string_view name) { return names(kTestedOn, name); }),
      "their accuracies were not measured on the same test and can't be compared.");
  add(listed(options, [](const std::string& name) { return find_option(name).group == "Model"; }),
      "they train different networks, and time and bytes follow from that too.");
  add(listed(options, [](std::string_view name) { return names(kSpeed, name); }), "their times can't be compared.");
}

// What the rounds of one run leave open.
void check_rounds(const RunHistory& run, std::vector<std::string>& notes) {
  std::int64_t before = 0;
  std::size_t workers = run.records.empty() ? 0 : run.records.front().worker_loss.size();
  for (const RoundRecord& record : run.records) {
    if (record.round > before + 1) {
      notes.push_back(
          fmt::format("{}: metrics.jsonl lacks rounds {} to {}, so its times and bytes are too small and its "
                      "samples per second too large.",
                      run.name, before + 1, record.round - 1));
    }
    before = record.round;
    if (record.worker_loss.size() != workers) {
      notes.push_back(fmt::format("{}: was resumed with {} workers instead of {} in round {}.", run.name,
                                  record.worker_loss.size(), workers, record.round));
      workers = record.worker_loss.size();
    }
  }
}

}  // namespace

std::vector<DifferingOption> differing_options(const std::vector<RunHistory>& runs) {
  std::vector<DifferingOption> result;
  for (const Option& option : option_table()) {
    if (names(kPlaces, option.name)) {
      continue;
    }
    DifferingOption differing{.name = option.name};
    const std::string* first = nullptr;
    bool differs = false;
    differing.values.reserve(runs.size());
    for (const RunHistory& run : runs) {
      const std::string& value = differing.values.emplace_back(run.config ? option_text(*run.config, option) : "");
      if (run.config) {
        differs = differs || (first != nullptr && *first != value);
        first = first == nullptr ? &value : first;
      }
    }
    if (differs) {
      result.push_back(std::move(differing));
    }
  }
  return result;
}

std::vector<std::string> report_notes(const std::vector<RunHistory>& runs) {
  std::vector<std::string> notes;
  for (const RunHistory& run : runs) {
    if (!run.problem.empty()) {
      notes.push_back(fmt::format("{}: {}", run.name, run.problem));
    } else if (run.records.empty()) {
      notes.push_back(fmt::format("{}: no round yet.", run.name));
    }
    check_rounds(run, notes);
  }
  compare(runs, notes);
  return notes;
}

}  // namespace resist
