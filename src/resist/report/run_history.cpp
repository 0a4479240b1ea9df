#include "resist/report/run_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "resist/config/resolve.h"
#include "resist/core/error.h"
#include "resist/model/layout.h"
#include "resist/model/network_spec.h"
#include "resist/partition/schedule.h"
#include "resist/partition/training_method.h"
#include "resist/telemetry/history.h"
#include "resist/telemetry/run_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

// Which blocks are dealt follows from the depths alone, so any input will do where the data set decides.
constexpr InputShape kAnyInput = {.channels = 3, .height = 224, .width = 224, .classes = 1000};

void check_records(const std::vector<RoundRecord>& records) {
  std::int64_t before = 0;
  for (const RoundRecord& record : records) {
    if (record.round <= before) {
      throw InputError(fmt::format("its round {} follows round {}", record.round, before));
    }
    before = record.round;
    const std::size_t workers = record.worker_loss.size();
    const bool as_many = record.worker_seconds_compute.size() == workers &&
                         record.worker_seconds_sync.size() == workers && record.worker_seconds_wait.size() == workers &&
                         record.worker_bytes_sent.size() == workers && record.worker_bytes_received.size() == workers &&
                         record.worker_peak_memory_bytes.size() == workers;
    if (workers == 0 || !as_many) {
      throw InputError(fmt::format("round {} does not name every worker's values", record.round));
    }
  }
}

// More than any data set has: a record that says so makes no sense.
constexpr double kMostSamples = 1e12;

// How blocks were dealt in a round.
struct Dealt {
  bool full_depth = false;  // every block to every worker
  double share_done = 0;    // of the training, before it
};

// In the round that came to be `record`, with the data set's size taken back from what the record says of epochs.
Dealt dealt_in(const Config& config, const RoundRecord* before, const RoundRecord& record) {
  const bool changes = epochs_at_full_depth(config.train) > 0 || config.partition.final_min_blocks;
  if (!changes || !(record.epoch > 0) || !std::isfinite(record.epoch)) {
    return {};
  }
  const double samples = std::round(static_cast<double>(record.samples) / record.epoch);
  if (std::abs(samples) > kMostSamples) {
    return {};
  }
  const auto dataset_size = static_cast<std::int64_t>(samples);
  const int workers = static_cast<int>(record.worker_loss.size());
  const std::int64_t full_round =
      std::int64_t{config.train.local_iterations} * config.train.batch_size * static_cast<std::int64_t>(workers);
  const bool follows = before != nullptr && before->round + 1 == record.round;
  const std::int64_t samples_before = follows ? before->samples : record.round > 1 ? record.samples - full_round : 0;
  const TrainPosition position{.round = record.round - 1, .samples = samples_before};
  const TrainLength length{.total_samples = total_samples(config.train, workers, dataset_size, position)};
  return {.full_depth = at_full_depth(config.train, dataset_size, length, position),
          .share_done = share_done(length, position)};
}

// What the workers had agreed to hold in a round; empty: as many each, or it is not known.
Hands hands_of(const RoundRecord& record, const RoundRecord* before) {
  const bool follows = before != nullptr && before->round + 1 == record.round && before->next_blocks &&
                       before->next_blocks->size() == record.worker_loss.size();
  return follows ? *before->next_blocks : Hands{};
}

// What each worker trained in every round that the run's history has in full. Empty where there is no history.
std::map<std::int64_t, Assignment> holdings_of_history(const fs::path& run_dir, int blocks) {
  std::map<std::int64_t, Assignment> holdings;
  std::error_code ignored;
  if (!fs::exists(run_dir / "history.jsonl", ignored)) {
    return holdings;
  }
  for (const HistoryRecord& record : read_history(run_dir)) {
    const auto* commit = std::get_if<CommitRecord>(&record);
    if (commit == nullptr) {
      continue;
    }
    std::vector<std::vector<int>> held;
    std::vector<bool> found(static_cast<std::size_t>(blocks));
    bool plausible = true;
    for (const Contribution& contribution : commit->contributions) {
      for (const int block : held.emplace_back(contribution.blocks)) {
        plausible = plausible && block >= 0 && block < blocks;
        if (plausible) {
          found[static_cast<std::size_t>(block)] = true;
        }
      }
    }
    if (plausible && std::ranges::all_of(found, std::identity())) {
      holdings.insert_or_assign(commit->round, Assignment(std::move(held), blocks));
    }
  }
  return holdings;
}

void add_holdings(RunHistory& history, const Layout& layout) {
  const std::vector<DeckSize> decks = deck_sizes(layout);
  // By workers, whose number may change, what they held, and the least that they had to.
  std::map<std::tuple<int, Hands, std::optional<int>>, std::unique_ptr<TrainingMethod>> methods;
  // A depth that grows depends on how long the training was to last, which another start may have changed.
  const auto known = history.config->partition.final_min_blocks
                         ? holdings_of_history(history.path, static_cast<int>(layout.blocks.size()))
                         : std::map<std::int64_t, Assignment>();
  const RoundRecord* before = nullptr;
  for (const RoundRecord& record : history.records) {
    const int workers = static_cast<int>(record.worker_loss.size());
    const Hands hands = hands_of(record, before);
    const Dealt dealt = dealt_in(*history.config, before, record);
    const Config config = config_at(*history.config, dealt.share_done);
    auto& method = methods[{workers, hands, config.partition.min_blocks}];
    if (!method) {
      method = make_method(config, decks, workers, hands);
    }
    // A method counts the rounds committed before, a record includes its own.
    const auto exact = known.find(record.round);
    Assignment assignment = exact != known.end() && exact->second.workers() == workers
                                ? exact->second
                                : method->assignment(record.round - 1, dealt.full_depth);
    if (before != nullptr && before->round + 1 == record.round && history.holdings.back().assignment == assignment) {
      history.holdings.back().last_round = record.round;
    } else {
      history.holdings.push_back(
          {.first_round = record.round, .last_round = record.round, .assignment = std::move(assignment)});
    }
    before = &record;
  }
}

// The last `count` parts of a path.
std::string tail(const fs::path& path, std::ptrdiff_t count) {
  const std::ptrdiff_t parts = std::distance(path.begin(), path.end());
  fs::path result;
  for (auto part = std::next(path.begin(), std::max<std::ptrdiff_t>(0, parts - count)); part != path.end(); ++part) {
    result /= *part;
  }
  return result.string();
}

// Without links, dots and a slash at the end.
fs::path plain(const fs::path& path) {
  std::error_code ignored;
  const fs::path canonical = fs::weakly_canonical(path, ignored);
  const fs::path result = (canonical.empty() ? path : canonical).lexically_normal();
  return result.has_filename() ? result : result.parent_path();
}

}  // namespace

RunHistory read_run_history(const fs::path& run_dir) {
  RunHistory history{.name = tail(plain(run_dir), 1), .path = run_dir, .config = load_run_config(run_dir)};
  if (std::error_code ignored; fs::exists(run_dir / "metrics.jsonl", ignored)) {
    history.records = read_metrics(run_dir);
  }
  try {
    check_records(history.records);
  } catch (const InputError& error) {
    throw InputError(fmt::format("'{}' is damaged: {}", (run_dir / "metrics.jsonl").string(), error.what()));
  }
  try {
    const Layout layout = make_layout(make_network_spec(*history.config, kAnyInput));
    for (const BlockLayout& block : layout.blocks) {
      history.blocks.push_back(fmt::format("layer{}.{}", block.section, block.index));
    }
    add_holdings(history, layout);
  } catch (const InputError& error) {
    throw InputError(fmt::format("'{}' is not a run folder that can be used: {}", run_dir.string(), error.what()));
  }
  return history;
}

std::vector<std::string> run_names(const std::vector<fs::path>& run_dirs) {
  std::vector<fs::path> paths;
  for (const fs::path& run_dir : run_dirs) {
    paths.push_back(plain(run_dir));
    if (std::count(paths.begin(), paths.end(), paths.back()) > 1) {
      throw InputError(fmt::format("the run '{}' is given twice; name each run once", run_dir.string()));
    }
  }
  std::vector<std::string> names;
  for (const fs::path& path : paths) {
    std::ptrdiff_t parts = 1;
    const auto is_taken = [&](const fs::path& other) {
      return other != path && tail(other, parts) == tail(path, parts);
    };
    while (std::any_of(paths.begin(), paths.end(), is_taken)) {
      ++parts;
    }
    names.push_back(tail(path, parts));
  }
  return names;
}

}  // namespace resist
