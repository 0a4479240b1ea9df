#include "resist/checkpoint/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <utility>

#include "resist/checkpoint/checkpoint_folder.h"
#include "resist/checkpoint/manifest.h"
#include "resist/core/error.h"
#include "resist/core/hash.h"
#include "resist/core/json_text.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

void check_part(const fs::path& path, const std::string& checksum) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(std::size_t{1} << 20);
  Hasher hasher;
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hasher.update(std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(file.gcount()))));
  }
  if (file.bad() || hasher.digest() != checksum) {
    throw InputError(fmt::format("'{}' is damaged: its checksum is not the manifest's", path.string()));
  }
}

struct Candidate {
  std::int64_t round;
  fs::path folder;
  std::optional<double> accuracy;
};

// Checkpoints whose manifest and sizes are right, ascending by round. The others are named in `damaged`, if given.
std::vector<Candidate> complete_checkpoints(const fs::path& run_dir, std::vector<std::string>* damaged = nullptr) {
  std::vector<Candidate> complete;
  for (const auto& [round, folder] : list_round_folders(run_dir)) {
    try {
      complete.push_back({round, folder, read_manifest(folder).state.accuracy});
    } catch (const InputError& error) {
      if (damaged != nullptr) {
        damaged->push_back(error.what());
      }
    }
  }
  return complete;
}

// Worst first, so that the last one is the best: by accuracy, then by round; those that weren't evaluated come first.
void sort_by_accuracy(std::vector<Candidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.accuracy < b.accuracy; });
}

[[noreturn]] void refuse(const fs::path& run_dir, const std::string& which) {
  const std::vector<std::int64_t> rounds = checkpoint_rounds(run_dir);
  const std::string available = rounds.empty() ? "it has no complete checkpoint"
                                               : fmt::format("it has those of rounds {}", fmt::join(rounds, ", "));
  throw InputError(
      fmt::format("there is no checkpoint {} in the run '{}': {}; 'last', 'best' and the number of a round "
                  "are possible",
                  in_quotes(which), run_dir.string(), available));
}

Checkpoint open_round(const fs::path& run_dir, const std::string& which) {
  std::int64_t round = -1;
  const char* end = which.data() + which.size();
  const auto [parsed_end, problem] = std::from_chars(which.data(), end, round);
  const auto folders = list_round_folders(run_dir);
  const auto found = folders.find(round);
  if (problem != std::errc() || parsed_end != end || found == folders.end()) {
    refuse(run_dir, which);
  }
  return Checkpoint(found->second);
}

}  // namespace

Checkpoint::Checkpoint(const fs::path& folder) : folder_(folder) {
  Manifest manifest = read_manifest(folder);
  for (const auto& [name, digest] : manifest.parts) {
    check_part(part_path(folder, name), digest.checksum);
    parts_.push_back(name);
  }
  state_ = std::move(manifest.state);
}

bool Checkpoint::has_part(const std::string& name) const {
  return std::find(parts_.begin(), parts_.end(), name) != parts_.end();
}

SafetensorsReader Checkpoint::part(const std::string& name) const {
  if (!has_part(name)) {
    throw InputError(fmt::format("the checkpoint '{}' has no part {}, only {}", folder_.string(), in_quotes(name),
                                 fmt::join(parts_, ", ")));
  }
  return SafetensorsReader(part_path(folder_, name));
}

Checkpoint open_checkpoint(const fs::path& run_dir, const std::string& which) {
  std::error_code ignored;
  if (!fs::is_directory(run_dir, ignored)) {
    throw InputError(fmt::format("there is no run folder '{}'", run_dir.string()));
  }
  if (which != "last" && which != "best") {
    return open_round(run_dir, which);
  }
  std::vector<std::string> damaged;
  std::vector<Candidate> candidates = complete_checkpoints(run_dir, &damaged);
  if (which == "best") {
    sort_by_accuracy(candidates);
  }
  for (const std::string& reason : damaged) {
    spdlog::warn("a checkpoint is left out: {}", reason);
  }
  for (; !candidates.empty(); candidates.pop_back()) {
    try {
      return Checkpoint(candidates.back().folder);
    } catch (const InputError& error) {
      spdlog::warn("the checkpoint of round {} is left out: {}", candidates.back().round, error.what());
      damaged.emplace_back(error.what());
    }
  }
  if (!damaged.empty()) {
    throw InputError(fmt::format(
        "every checkpoint of the run '{}' is damaged; put one back from a copy, or train anew; the last one: "
        "{}",
        run_dir.string(), damaged.back()));
  }
  refuse(run_dir, which);
}

std::vector<std::int64_t> checkpoint_rounds(const fs::path& run_dir) {
  std::vector<std::int64_t> rounds;
  for (const Candidate& candidate : complete_checkpoints(run_dir)) {
    rounds.push_back(candidate.round);
  }
  return rounds;
}

bool has_checkpoints(const fs::path& run_dir) {
  return !list_round_folders(run_dir).empty();
}

void remove_checkpoints_after(const fs::path& run_dir, std::int64_t round) {
  mend_checkpoints_folder(run_dir);
  for (const auto& [later, folder] : list_round_folders(run_dir)) {
    if (later > round) {
      remove_round_folder(run_dir, later);
    }
  }
}

void prune_checkpoints(const fs::path& run_dir, int keep) {
  mend_checkpoints_folder(run_dir);
  std::vector<Candidate> complete = complete_checkpoints(run_dir);
  const auto kept = static_cast<std::size_t>(std::max(keep, 1));
  if (complete.size() < kept) {
    return;
  }
  // Damaged ones among the newest do not count, but stay: what made them unreadable may pass.
  const std::int64_t oldest_kept = complete[complete.size() - kept].round;
  sort_by_accuracy(complete);
  const std::int64_t best = complete.back().round;
  for (const auto& [round, folder] : list_round_folders(run_dir)) {
    if (round < oldest_kept && round != best) {
      remove_round_folder(run_dir, round);
    }
  }
}

}  // namespace resist
